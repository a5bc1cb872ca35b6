// p[z, g] = (Σ d · n, Σ d) over slice z of group g, with n = (x - mean[g]) / √(variance[g] + EPSILON)   x, dy: (OUTER, GROUPS, INNER)  p: (SLICES, PITCH + GROUPS)
// One invocation owns one group over one slice. d is dy, or with BY_SAMPLE dy · weight.

const OUTER: u32 = 64u;
const GROUPS: u32 = 16u;
const INNER: u32 = 784u;
const SLICE: u32 = 1024u;            // values of a group in a slice
const PITCH: u32 = 64u;              // from the first sum of a group to its second
const EPSILON: f32 = 1e-5;
const BY_SAMPLE: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> slices: array<f32>;

@compute @workgroup_size(64)
fn normalise_slices(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= (OUTER * INNER + SLICE - 1u) / SLICE * PITCH {
        return;
    }
    let z = at / PITCH;
    // The padding between the sums is zero, as between parameters.
    let group = min(at % PITCH, GROUPS - 1u);
    let real = at % PITCH < GROUPS;
    let scale = 1.0 / sqrt(variance[group] + EPSILON);
    var products = 0.0;
    var sum = 0.0;
    for (var i = z * SLICE; i < min((z + 1u) * SLICE, OUTER * INNER); i++) {
        let offset = (i / INNER * GROUPS + group) * INNER + i % INNER;
        let gradient = dy[offset] * select(1.0, weight[select(0u, i % INNER, BY_SAMPLE)], BY_SAMPLE);
        products += gradient * ((x[offset] - mean[group]) * scale);
        sum += gradient;
    }
    slices[z * (PITCH + GROUPS) + at % PITCH] = select(0.0, products, real);
    if real {
        slices[z * (PITCH + GROUPS) + PITCH + group] = sum;
    }
}
