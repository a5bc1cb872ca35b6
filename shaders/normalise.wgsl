// y = activate((x - mean[g]) / √(variance[g] + EPSILON) · weight + bias)   x, y: (OUTER, GROUPS, INNER)  mean, variance: (GROUPS)
// One invocation owns one element of y.

const OUTER: u32 = 64u;
const GROUPS: u32 = 16u;
const INNER: u32 = 784u;
const EPSILON: f32 = 1e-5;
const BY_SAMPLE: bool = false;       // weight and bias: (INNER) for samples, else (GROUPS)
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn normalise(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= OUTER * GROUPS * INNER {
        return;
    }
    let group = at / INNER % GROUPS;
    let own = select(group, at % INNER, BY_SAMPLE);
    let normal = (x[at] - mean[group]) / sqrt(variance[group] + EPSILON);
    y[at] = activate(ACTIVATION, LEAK, normal * weight[own] + bias[own]);
}
