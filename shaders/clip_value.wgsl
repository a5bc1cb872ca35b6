// g = min(max(g, -MOST), MOST)   g: (LENGTH), all gradients
// One invocation owns four neighbouring gradients.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const MOST: f32 = 1.0;

@group(0) @binding(0) var<storage, read_write> gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn clip_value(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i < LENGTH / 4u {
        gradients[i] = min(max(gradients[i], vec4<f32>(-MOST)), vec4<f32>(MOST));
    }
}
