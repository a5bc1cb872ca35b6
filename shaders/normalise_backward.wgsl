// dx = (dy · weight - factor · (sums[1, g] + n · sums[0, g]) / N) / √(variance[g] + EPSILON), n = (x - mean[g]) / √(variance[g] + EPSILON)   x, dy, dx: (OUTER, GROUPS, INNER)
// One invocation owns one element of dx. N values have one mean; where the mean is a constant, CENTRED is false and only the first term remains.

const OUTER: u32 = 64u;
const GROUPS: u32 = 16u;
const INNER: u32 = 784u;
const PITCH: u32 = 64u;
const EPSILON: f32 = 1e-5;
const BY_SAMPLE: bool = false;       // then the sums include the weight, and factor is 1; else factor is the weight
const CENTRED: bool = true;
const ADD: bool = false;             // dx += instead of dx =

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> sums: array<f32>;       // (PITCH + GROUPS): of dy · n, then of dy
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn normalise_backward(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= OUTER * GROUPS * INNER {
        return;
    }
    let group = at / INNER % GROUPS;
    let own = weight[select(group, at % INNER, BY_SAMPLE)];
    let scale = 1.0 / sqrt(variance[group] + EPSILON);
    var inner = dy[at] * own;
    if CENTRED {
        let normal = (x[at] - mean[group]) * scale;
        let samples = select(min(OUTER, step.samples), OUTER, BY_SAMPLE);
        let shared_by_all = (sums[PITCH + group] + normal * sums[group]) / f32(samples * INNER);
        inner -= select(own, 1.0, BY_SAMPLE) * shared_by_all;
        // Samples past the end of the data are in no mean, and need no gradient.
        if !BY_SAMPLE && at / (INNER * GROUPS) >= step.samples {
            inner = 0.0;
        }
    }
    var gradient = inner * scale;
    if ADD {
        gradient += dx[at];
    }
    dx[at] = gradient;
}
