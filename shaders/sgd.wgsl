// w = w - learning_rate · (g + DECAY · w)   w, g: (LENGTH), the whole parameter arena
// One invocation owns four neighbouring parameters.
//
// Plain gradient descent, without momentum and so without state; see also
// sgd_momentum.wgsl.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const DECAYED: u32 = 0u;             // words with weight decay: matrices, which stand first
const DECAY: f32 = 0.0;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;

@compute @workgroup_size(64)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    let decay = select(0.0, DECAY, i < DECAYED / 4u);
    let gradient = gradients[i] + decay * parameters[i];
    parameters[i] -= step.learning_rate * gradient;
}
