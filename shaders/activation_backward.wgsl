// dx = dy · activation'(y)   y, dy, dx: (LENGTH); y is the activation's output
// One invocation owns one element of dx.

const LENGTH: u32 = 1024u;
const ACTIVATION: u32 = 1u;
const LEAK: f32 = 0.01;
const ADD: bool = false;             // dx += instead of dx =

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn activation_backward(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH {
        return;
    }
    var gradient = dy[i] * activation_derivative(ACTIVATION, LEAK, y[i]);
    if ADD {
        gradient += dx[i];
    }
    dx[i] = gradient;
}
