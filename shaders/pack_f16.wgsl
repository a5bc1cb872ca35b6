// h[i] = the f16 nearest to s·x[i], s = 1 or 2^gradient_exponent()   x: (LENGTH)  h: (LENGTH), two to a word
// One invocation owns one word: its lower half is the first number.

// Rounding is done on the bits, because WGSL leaves it to the adapter: so every adapter gets the same f16,
// ties to even. Numbers below 2⁻¹⁴ become zero, because an adapter may flush smaller f16. A NaN or a number
// that is too large becomes an infinity, and the guard stops the update.

const LENGTH: u32 = 1024u;
const GRADIENT: bool = false;        // whether x is a gradient, which is packed times s

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<u32>;

const SMALLEST: u32 = 0x38800000u;   // 2⁻¹⁴
const BEYOND: u32 = 0x47800000u;     // 2¹⁶, to which 65,520 is rounded
const INFINITY: u32 = 0x7c00u;

fn to_f16(number: f32) -> u32 {
    let bits = bitcast<u32>(number);
    let sign = (bits >> 16u) & 0x8000u;
    let size = bits & 0x7fffffffu;
    let rounded = size + 0xfffu + ((size >> 13u) & 1u);
    let normal = (rounded - (112u << 23u)) >> 13u;     // the exponent counts from 15, not from 127
    let small = select(normal, 0u, size < SMALLEST);
    return sign | select(small, INFINITY, rounded >= BEYOND);
}

@compute @workgroup_size(64)
fn pack_f16(@builtin(global_invocation_id) id: vec3<u32>) {
    let word = flat_index(id);
    if word >= LENGTH / 2u {
        return;
    }
    let scale = bitcast<f32>((127u + select(0u, gradient_exponent(), GRADIENT)) << 23u);
    packed[word] = to_f16(scale * x[2u * word]) | (to_f16(scale * x[2u * word + 1u]) << 16u);
}
