// mean[g] = Σ_z n_z · p[z, g].mean / n   variance[g] = Σ_z (p[z, g].squares + n_z · (p[z, g].mean - mean[g])²) / n
// One invocation owns one group: it combines the slices of moments_slices.wgsl, always in the same order.

const OUTER: u32 = 64u;
const GROUPS: u32 = 16u;
const INNER: u32 = 784u;
const SLICE: u32 = 1024u;
const BY_SAMPLE: bool = false;

fn length() -> u32 {
    return select(min(OUTER, step.samples), OUTER, BY_SAMPLE) * INNER;
}

@group(0) @binding(0) var<storage, read> slices: array<f32>;
@group(0) @binding(1) var<storage, read_write> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> variance: array<f32>;

@compute @workgroup_size(64)
fn moments(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = flat_index(id);
    if group >= GROUPS {
        return;
    }
    let count = length();
    var sum = 0.0;
    for (var first = 0u; first < count; first += SLICE) {
        let at = (first / SLICE * GROUPS + group) * 2u;
        sum += f32(min(first + SLICE, count) - first) * slices[at];
    }
    let whole = sum / f32(count);
    var squares = 0.0;
    for (var first = 0u; first < count; first += SLICE) {
        let at = (first / SLICE * GROUPS + group) * 2u;
        let difference = slices[at] - whole;
        squares += slices[at + 1u] + f32(min(first + SLICE, count) - first) * difference * difference;
    }
    mean[group] = whole;
    variance[group] = squares / f32(count);
}
