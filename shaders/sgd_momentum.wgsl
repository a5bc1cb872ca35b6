// v = momentum · v + (1 - DAMPENING) · g   w = w - learning_rate · v   w, v, g: (LENGTH), the parameter arena
// One invocation owns four neighbouring parameters.
//
// Sutskever et al., "On the importance of initialization and momentum in deep
// learning" (2013), in the form that PyTorch's SGD uses: the learning rate is
// not part of the velocity v, the first velocity is the gradient, undampened,
// and Nesterov's step goes along g + momentum · v. Decay is DECAY · w in the
// gradient (L2), or when DECOUPLED in the step, past the velocity (Loshchilov
// and Hutter, "Decoupled Weight Decay Regularization", 2019, as SGDW).

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64
const DECAYED: u32 = 0u;             // words with weight decay: matrices, which stand first
const DECAY: f32 = 0.0;
const DECOUPLED: bool = false;
const DAMPENING: f32 = 0.0;
const NESTEROV: bool = false;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> velocities: array<vec4<f32>>;

@compute @workgroup_size(64)
fn sgd_momentum(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH / 4u {
        return;
    }
    let decay = select(0.0, DECAY, i < DECAYED / 4u) * parameters[i];
    var gradient = gradients[i];
    if !DECOUPLED {
        gradient += decay;
    }
    let share = select(1.0 - DAMPENING, 1.0, step.index == 0u);
    let velocity = step.momentum * velocities[i] + share * gradient;
    velocities[i] = velocity;
    var direction = velocity;
    if NESTEROV {
        direction = gradient + step.momentum * velocity;
    }
    if DECOUPLED {
        direction += decay;
    }
    parameters[i] -= step.learning_rate * direction;
}
