// m = BETA1 · m + (1 - BETA1) · g   s = BETA2 · s + (1 - BETA2) · g²   w = w - learning_rate · m̂ / (√ŝ + EPSILON)
// One invocation owns four neighbouring parameters.   w, g, m, s: (LENGTH)
//
// Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015); when
// DECOUPLED, Loshchilov and Hutter, "Decoupled Weight Decay Regularization"
// (2019), called AdamW. m̂ and ŝ are m and s times corrections that depend on
// the step alone, so the host computes them.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const DECAYED: u32 = 0u;             // words with weight decay: matrices, which stand first
const DECAY: f32 = 0.0;
const DECOUPLED: bool = false;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> means: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> squares: array<vec4<f32>>;

@compute @workgroup_size(64)
fn adam(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    // L2 decay is a part of the gradient, decoupled decay acts on the weight itself.
    let decay = select(0.0, DECAY, i < DECAYED / 4u) * parameters[i];
    let gradient = gradients[i] + select(decay, vec4<f32>(), DECOUPLED);
    let mean = BETA1 * means[i] + (1.0 - BETA1) * gradient;
    let square = BETA2 * squares[i] + (1.0 - BETA2) * (gradient * gradient);
    means[i] = mean;
    squares[i] = square;
    let direction = (mean * step.mean_correction) / (sqrt(square * step.square_correction) + EPSILON);
    parameters[i] -= step.learning_rate * (direction + select(vec4<f32>(), decay, DECOUPLED));
}
