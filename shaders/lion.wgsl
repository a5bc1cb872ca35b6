// w = w - learning_rate · sign(BETA1 · m + (1 - BETA1) · g)   m = BETA2 · m + (1 - BETA2) · g   w, g, m: (LENGTH)
// One invocation owns four neighbouring parameters.
//
// Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023),
// algorithm 2; decay is decoupled there.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const DECAYED: u32 = 0u;             // words with weight decay: matrices, which stand first
const DECAY: f32 = 0.0;
const DECOUPLED: bool = false;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> means: array<vec4<f32>>;

@compute @workgroup_size(64)
fn lion(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    // L2 decay is a part of the gradient, decoupled decay acts on the weight itself.
    let decay = select(0.0, DECAY, i < DECAYED / 4u) * parameters[i];
    let gradient = gradients[i] + select(decay, vec4<f32>(), DECOUPLED);
    let mean = means[i];
    means[i] = BETA2 * mean + (1.0 - BETA2) * gradient;
    let direction = sign(BETA1 * mean + (1.0 - BETA1) * gradient);
    parameters[i] -= step.learning_rate * (direction + select(vec4<f32>(), decay, DECOUPLED));
}
