// dweight[i] = Σ_g dy[g, i] · (x[g, i] - mean[g]) / √(variance[g] + EPSILON)   dbias[i] = Σ_g dy[g, i]   x, dy: (GROUPS, INNER)  gradients: dweight, dbias
// One invocation owns one weight of a layer normalisation and its bias, over the whole batch.

const GROUPS: u32 = 64u;             // samples
const INNER: u32 = 784u;
const PITCH: u32 = 832u;             // from the weights' gradients to the biases'
const EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradients: array<f32>;

@compute @workgroup_size(64)
fn normalise_weights(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= PITCH {
        return;
    }
    var products = 0.0;
    var sum = 0.0;
    for (var group = 0u; group < GROUPS; group++) {
        let offset = group * INNER + min(i, INNER - 1u);
        products += dy[offset] * ((x[offset] - mean[group]) / sqrt(variance[group] + EPSILON));
        sum += dy[offset];
    }
    // The padding between parameters has no gradient.
    gradients[i] = select(0.0, products, i < INNER);
    if i < INNER {
        gradients[PITCH + i] = sum;
    }
}
