// sums[p] = Σ g[i]² over the finite g[i]   non_finite[p] = number of the others, for every i with i/4 mod PARTS = p
// One invocation owns one part: every PARTS-th group of four gradients.
//
// The first of two dispatches for the norm of the gradients and their non-finite count; guard.wgsl is
// the second. A gradient of 2⁴⁸ or more counts as non-finite.

const LENGTH: u32 = 1024u;           // words of g; arenas are padded to multiples of 64
const PARTS: u32 = 64u;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;         // (PARTS)
@group(0) @binding(2) var<storage, read_write> non_finite: array<u32>;   // (PARTS)

@compute @workgroup_size(64)
fn gradient_parts(@builtin(global_invocation_id) id: vec3<u32>) {
    let part = id.x;
    if part >= PARTS {
        return;
    }
    var watch: Watch;
    for (var i = part; i < LENGTH / 4u; i += PARTS) {
        watch_four(&watch, gradients[i]);
    }
    sums[part] = watch.squares;
    non_finite[part] = watch.non_finite;
}
