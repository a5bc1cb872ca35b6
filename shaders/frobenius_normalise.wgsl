// x = u / max(√Σ sums, 1e-7)   u, x: (LENGTH)  sums: (PARTIALS), the squares of u added up in parts
// One invocation owns one element, and adds up the few sums by itself, without a barrier.

const LENGTH: u32 = 1024u;
const PARTIALS: u32 = 64u;

@group(0) @binding(0) var<storage, read> u: array<f32>;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn frobenius_normalise(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i >= LENGTH {
        return;
    }
    var sum = 0.0;
    for (var p = 0u; p < PARTIALS; p++) {
        sum += sums[p];
    }
    x[i] = u[i] / max(sqrt(sum), 1e-7);
}
