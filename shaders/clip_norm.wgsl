// g = g · min(1, MOST / (norm + 1e-6))   g: (LENGTH), all gradients; norm: theirs, a single word
// One invocation owns four neighbouring gradients.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const MOST: f32 = 1.0;

@group(0) @binding(0) var<storage, read> norm: array<f32>;             // (1)
@group(0) @binding(1) var<storage, read_write> gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn clip_norm(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    gradients[i] *= min(MOST / (norm[0] + 1e-6), 1.0);
}
