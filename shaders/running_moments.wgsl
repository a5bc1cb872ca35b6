// running_mean += momentum · (mean - running_mean)   running_variance += momentum · (variance · n / (n - 1) - running_variance)   all: (GROUPS)
// One invocation owns one group. Batch normalisation predicts with them; n is the number of values of a mean.

const OUTER: u32 = 64u;
const GROUPS: u32 = 16u;
const INNER: u32 = 784u;
const PITCH: u32 = 64u;              // from a running mean to its running variance
const MOMENTUM: f32 = 0.1;

@group(0) @binding(0) var<storage, read> mean: array<f32>;
@group(0) @binding(1) var<storage, read> variance: array<f32>;
@group(0) @binding(2) var<storage, read_write> running: array<f32>;

@compute @workgroup_size(64)
fn running_moments(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = flat_index(id);
    if group >= GROUPS {
        return;
    }
    let count = f32(min(OUTER, step.samples) * INNER);
    let unbiased = variance[group] * (count / max(count - 1.0, 1.0));
    running[group] += MOMENTUM * (mean[group] - running[group]);
    running[PITCH + group] += MOMENTUM * (unbiased - running[PITCH + group]);
}
