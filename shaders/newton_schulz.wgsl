// y = P · x + Q · y   x, y: (LENGTH)
// One invocation owns one element.

const LENGTH: u32 = 1024u;
const P: f32 = 1.0;
const Q: f32 = 1.0;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn newton_schulz(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i < LENGTH {
        y[i] = P * x[i] + Q * y[i];
    }
}
