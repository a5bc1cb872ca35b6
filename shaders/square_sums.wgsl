// sums[p] = Σ_i |x[p + i · PARTIALS]|²   x: (LENGTH), in fours  sums: (PARTIALS)
// One invocation owns one partial sum; neighbours read neighbouring fours.
//
// The first of two dispatches for a norm, always added up in the same order.

const LENGTH: u32 = 1024u;
const PARTIALS: u32 = 64u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn square_sums(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = flat_index(id);
    if p >= PARTIALS {
        return;
    }
    var sum = 0.0;
    for (var first = 4u * p; first < LENGTH; first += 4u * PARTIALS) {
        var four = 0.0;
        for (var i = first; i < min(first + 4u, LENGTH); i++) {
            four += x[i] * x[i];
        }
        sum += four;
    }
    sums[p] = sum;
}
