// w = w - learning_rate · (g + DECAY · w)   w, g: (LENGTH), the whole parameter arena
// One invocation owns four neighbouring parameters, as in shaders/sgd.wgsl, but updates them one by one.

const LENGTH: u32 = 1024u;
const DECAYED: u32 = 0u;
const DECAY: f32 = 0.0;

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;

@compute @workgroup_size(32)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>) {
    let first = 4u * flat_index(id);
    if first >= LENGTH {
        return;
    }
    for (var i = first; i < first + 4u; i += 1u) {
        let decay = select(0.0, DECAY, i < DECAYED);
        parameters[i] -= step.learning_rate * (gradients[i] + decay * parameters[i]);
    }
}
