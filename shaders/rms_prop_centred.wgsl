// c = SMOOTHING · (c + (1 - SMOOTHING) · (g - m)²)   m = SMOOTHING · m + (1 - SMOOTHING) · g   v = momentum · v + g / (√c + EPSILON)   w = w - learning_rate · v   all: (LENGTH)
// One invocation owns four neighbouring parameters.
//
// c is the variance of the gradient. PyTorch computes it as the mean of squares minus the square of the
// mean m: the same number, but here nothing cancels and it is never below 0.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const DECAYED: u32 = 0u;             // words with weight decay: matrices, which stand first
const DECAY: f32 = 0.0;
const DECOUPLED: bool = false;
const SMOOTHING: f32 = 0.99;
const EPSILON: f32 = 1e-8;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> variance: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> means: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> velocities: array<vec4<f32>>;

@compute @workgroup_size(64)
fn rms_prop_centred(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    // L2 decay is a part of the gradient, decoupled decay acts on the weight itself.
    let decay = select(0.0, DECAY, i < DECAYED / 4u) * parameters[i];
    let gradient = gradients[i] + select(decay, vec4<f32>(), DECOUPLED);
    let off = gradient - means[i];
    let spread = SMOOTHING * (variance[i] + (1.0 - SMOOTHING) * (off * off));
    variance[i] = spread;
    means[i] = SMOOTHING * means[i] + (1.0 - SMOOTHING) * gradient;
    let velocity = step.momentum * velocities[i] + gradient / (sqrt(spread) + EPSILON);
    velocities[i] = velocity;
    parameters[i] -= step.learning_rate * (velocity + select(vec4<f32>(), decay, DECOUPLED));
}
