// y = activate(a + b)   a, b, y: (LENGTH)
// One invocation owns one element of y: a residual block adds its input to its output.

const LENGTH: u32 = 1024u;
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= LENGTH {
        return;
    }
    y[at] = activate(ACTIVATION, LEAK, a[at] + b[at]);
}
