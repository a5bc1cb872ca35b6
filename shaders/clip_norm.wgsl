// g = g · min(1, MOST / (norm + 1e-6))   g: (LENGTH), all gradients; norm: theirs, from the step's metrics
// One invocation owns four neighbouring gradients.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const MOST: f32 = 1.0;
const SLOTS: u32 = 1u;
const PITCH: u32 = 65u;              // rows of a step in the metrics; the last holds the norm

@group(0) @binding(0) var<storage, read> metrics: array<f32>;          // (SLOTS, PITCH, 2)
@group(0) @binding(1) var<storage, read_write> gradients: array<vec4<f32>>;

@compute @workgroup_size(64)
fn clip_norm(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    let norm = metrics[(step.slot * PITCH + PITCH - 1u) * 2u];
    gradients[i] *= min(MOST / (norm + 1e-6), 1.0);
}
