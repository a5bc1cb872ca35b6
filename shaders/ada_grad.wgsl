// s = s + g²   w = w - learning_rate · g / (√s + EPSILON)   w, g, s: (LENGTH), the whole parameter arena
// One invocation owns four neighbouring parameters.
//
// Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning
// and Stochastic Optimization" (2011), with EPSILON where PyTorch has it.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const DECAYED: u32 = 0u;             // words with weight decay: matrices, which stand first
const DECAY: f32 = 0.0;
const DECOUPLED: bool = false;
const EPSILON: f32 = 1e-10;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> squares: array<vec4<f32>>;

@compute @workgroup_size(64)
fn ada_grad(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    // L2 decay is a part of the gradient, decoupled decay acts on the weight itself.
    let decay = select(0.0, DECAY, i < DECAYED / 4u) * parameters[i];
    let gradient = gradients[i] + select(decay, vec4<f32>(), DECOUPLED);
    let square = squares[i] + gradient * gradient;
    squares[i] = square;
    let direction = gradient / (sqrt(square) + EPSILON);
    parameters[i] -= step.learning_rate * (direction + select(vec4<f32>(), decay, DECOUPLED));
}
