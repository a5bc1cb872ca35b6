// sums[p] = Σ g[i]²   flaws[p] = number of g[i] and of losses that are no use, for every i with i/4 mod PARTS = p
// One invocation owns one part: every PARTS-th group of four gradients, and every PARTS-th row of the losses.
//
// The first half of a norm that takes two dispatches, and of the watch for numbers gone wrong.
// Tests are by bits, because a shader compiler may assume that there is no NaN. A gradient of 2⁴⁸
// or more is no use either: without those the squares add up to less than f32 can hold.

const LENGTH: u32 = 1024u;           // words of g; arenas are padded to multiples of 64
const PARTS: u32 = 64u;
const BATCH: u32 = 64u;
const SLOTS: u32 = 1u;

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> metrics: array<f32>;            // (SLOTS, BATCH, 2): loss, hit
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;         // (PARTS)
@group(0) @binding(3) var<storage, read_write> flaws: array<u32>;        // (PARTS)

const EXPONENT: u32 = 0x7f800000u;
const TOO_LARGE: u32 = 0x57800000u;  // 2⁴⁸

@compute @workgroup_size(64)
fn gradient_parts(@builtin(global_invocation_id) id: vec3<u32>) {
    let part = id.x;
    if part >= PARTS {
        return;
    }
    var sum = 0.0;
    var found = 0u;
    for (var i = part; i < LENGTH / 4u; i += PARTS) {
        let g = gradients[i];
        let bad = (bitcast<vec4<u32>>(g) & vec4<u32>(EXPONENT)) >= vec4<u32>(TOO_LARGE);
        let count = select(vec4<u32>(0u), vec4<u32>(1u), bad);
        let good = select(g, vec4<f32>(0.0), bad);
        found += count.x + count.y + count.z + count.w;
        sum += dot(good, good);
    }
    for (var row = part; row < step.samples; row += PARTS) {
        let loss = bitcast<u32>(metrics[(step.slot * BATCH + row) * 2u]);
        found += select(0u, 1u, (loss & EXPONENT) == EXPONENT);
    }
    sums[part] = sum;
    flaws[part] = found;
}
