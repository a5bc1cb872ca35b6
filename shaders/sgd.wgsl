// v = momentum · v + g   w = w - learning_rate · v   w, v, g: (LENGTH), the whole parameter arena
// One invocation owns four neighbouring parameters.
//
// Sutskever et al., "On the importance of initialization and momentum in deep
// learning" (2013), in the form that PyTorch's SGD uses: the learning rate is
// not part of the velocity v.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> velocities: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> guard: array<f32>;              // stop, norm: see guard.wgsl

@compute @workgroup_size(64)
fn sgd(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u || guard[0] != 0.0 {
        return;
    }
    let velocity = step.momentum * velocities[i] + gradients[i];
    velocities[i] = velocity;
    parameters[i] -= step.learning_rate * velocity;
}
