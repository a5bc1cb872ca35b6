// y = activate(x)   x, y: (LENGTH)
// One invocation owns one element of y. Used where no epilogue can apply it.

const LENGTH: u32 = 1024u;
const ACTIVATION: u32 = 1u;
const LEAK: f32 = 0.01;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn activation(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH {
        return;
    }
    y[i] = activate(ACTIVATION, LEAK, x[i]);
}
