// v = momentum · v + (1 - momentum) · g   u = momentum · v + (1 - momentum) · g   v, u, g: (LENGTH)
// One invocation owns four neighbouring parameters.
//
// The first part of Muon, which then orthogonalises u: see muon.wgsl.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> means: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> directions: array<vec4<f32>>;

@compute @workgroup_size(64)
fn muon_momentum(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    let share = step.momentum;
    let gradient = (1.0 - share) * gradients[i];
    let mean = share * means[i] + gradient;
    means[i] = mean;
    directions[i] = share * mean + gradient;
}
