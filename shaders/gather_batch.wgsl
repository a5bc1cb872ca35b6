// x[r, v] = image[order[first + r], v] · scale[channel of v] + shift[channel of v]   x: (B, V)
// One invocation owns one word of a packed image: four neighbouring values of one row of the batch.
//
// The data stay on the GPU as bytes, four to a word, because as f32 even MNIST
// would not fit one binding of WebGPU's default limits. A data set too large
// for one binding is cut into chunks of whole images and this kernel runs once
// per chunk; each run writes only the rows whose sample lies in its chunk.
//
// With AUGMENT every sample is augmented anew in every epoch:
//
//     x[r, v] = (picture(A·(p - middle - d) + middle) · scale + shift) · contrast + brightness
//
// where p is the position of v in the image, picture(…) interpolates bilinearly
// (black outside), and A, d, contrast and brightness are functions of (seed,
// epoch, sample); 0 in the cut-out square.

const BATCH: u32 = 64u;
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const VALUES: u32 = 784u;            // values of one image: C·H·W
const WORDS: u32 = 196u;             // words of one image: ⌈VALUES / 4⌉
const PLANE: u32 = 784u;             // values of one channel: H·W
const WIDTH: u32 = 28u;              // values of one row of a channel: W
const CHANNELS: u32 = 1u;
const SAMPLES: u32 = 1000u;          // length of `order`
const CHUNK_FIRST: u32 = 0u;         // the samples that `images` holds
const CHUNK_LENGTH: u32 = 1000u;
const AUGMENT: bool = false;         // the constants below count only with it; 0 turns one off
const SHIFT: f32 = 0.0;              // pixels, either way
const ROTATE: f32 = 0.0;             // radians, either way
const SCALE: f32 = 0.0;              // distances are multiplied by 1 ± this
const SHEAR: f32 = 0.0;              // pixels from row to row, either way
const FLIP: bool = false;            // left and right are swapped with probability 1/2
const CUT_OUT: u32 = 0u;             // side of the square, in pixels
const BRIGHTNESS: f32 = 0.0;         // a fraction of the way from black to white, either way
const CONTRAST: f32 = 0.0;           // x is multiplied by 1 ± this

@group(0) @binding(0) var<storage, read> images: array<u32>;       // (CHUNK_LENGTH, WORDS)
@group(0) @binding(1) var<storage, read> labels: array<u32>;       // (SAMPLES)
@group(0) @binding(2) var<storage, read> order: array<u32>;        // (SAMPLES), a permutation
@group(0) @binding(3) var<storage, read> normaliser: array<f32>;   // (2, CHANNELS): scale, shift
@group(0) @binding(4) var<storage, read_write> x: array<f32>;      // (BATCH, VALUES)
@group(0) @binding(5) var<storage, read_write> batch_labels: array<u32>; // (BATCH)

// The augmentation of one sample.
struct Change {
    across: vec2<f32>,       // the rows of A
    down: vec2<f32>,
    moved: vec2<f32>,        // d, in columns and rows
    flipped: bool,
    cut: vec2<i32>,          // the first column and row of the square
    contrast: f32,
    brightness: f32,
}

// A random word as a number from -1 to just below 1.
fn either_way(word: u32) -> f32 {
    return 2.0 * random_unit(word) - 1.0;
}

// Cosine and sine of an angle of at most π: the series for its quarter, then the
// double angle twice. WGSL's own may be off by 2⁻¹¹.
fn turn(angle: f32) -> vec2<f32> {
    let a = 0.25 * angle;
    let q = a * a;
    var c = 1.0 + q * (-0.5 + q * (1.0 / 24.0 + q * (-1.0 / 720.0 + q * (1.0 / 40320.0))));
    var s = a * (1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362880.0)))));
    for (var i = 0; i < 2; i++) {
        let double = 2.0 * s * c;
        c = 1.0 - 2.0 * s * s;
        s = double;
    }
    return vec2<f32>(c, s);
}

fn change_of(sample: u32) -> Change {
    let words = random_words(step.seed, random_stream(PURPOSE_AUGMENT, 0u), step.epoch, sample);
    let look = random_words(step.seed, random_stream(PURPOSE_AUGMENT, 1u), step.epoch, sample);
    let cut = random_words(step.seed, random_stream(PURPOSE_AUGMENT, 2u), step.epoch, sample);
    let angle = turn(ROTATE * either_way(words.z));
    let size = 1.0 + SCALE * either_way(words.w);
    let shear = SHEAR * either_way(look.x);
    var change: Change;
    change.across = size * vec2<f32>(angle.x, angle.x * shear + angle.y);
    change.down = size * vec2<f32>(-angle.y, angle.x - angle.y * shear);
    change.moved = SHIFT * vec2<f32>(either_way(words.x), either_way(words.y));
    change.brightness = BRIGHTNESS * either_way(look.y);
    change.contrast = 1.0 + CONTRAST * either_way(look.z);
    change.flipped = FLIP && look.w >= 0x80000000u;
    // The middle of the square is any pixel: the upper 16 bits of a word as a fraction of the side.
    change.cut = vec2<i32>(vec2<u32>((cut.x >> 16u) * WIDTH, (cut.y >> 16u) * (PLANE / WIDTH)) >> vec2<u32>(16u))
        - vec2<i32>(i32(CUT_OUT / 2u));
    return change;
}

// The byte at a position of an image, black outside; `start` is the image's first
// word and `channel` the first value of the channel.
fn pixel(start: u32, channel: u32, column: i32, row: i32) -> f32 {
    if column < 0 || row < 0 || column >= i32(WIDTH) || row >= i32(PLANE / WIDTH) {
        return 0.0;
    }
    let value = channel + u32(row) * WIDTH + u32(column);
    return f32((images[start + value / 4u] >> (8u * (value % 4u))) & 255u);
}

// The position in the image for the pixel at (column, row) of the result.
fn source(change: Change, column: u32, row: u32) -> vec2<f32> {
    let middle = 0.5 * vec2<f32>(f32(WIDTH) - 1.0, f32(PLANE / WIDTH) - 1.0);
    let from_middle = vec2<f32>(f32(column), f32(row)) - middle - change.moved;
    let position = vec2<f32>(dot(change.across, from_middle), dot(change.down, from_middle)) + middle;
    return vec2<f32>(select(position.x, f32(WIDTH) - 1.0 - position.x, change.flipped), position.y);
}

// One value of an augmented image, normalised.
fn changed(change: Change, start: u32, value: u32) -> f32 {
    let channel = select(value / PLANE, 0u, CHANNELS == 1u);
    let at = value % PLANE;
    let inside = vec2<i32>(i32(at % WIDTH), i32(at / WIDTH)) - change.cut;
    if all(inside >= vec2<i32>(0)) && all(inside < vec2<i32>(i32(CUT_OUT))) {
        return 0.0;
    }
    let position = source(change, at % WIDTH, at / WIDTH);
    let corner = floor(position);
    let part = position - corner;
    let c = i32(corner.x);
    let r = i32(corner.y);
    let first = channel * PLANE;
    let upper = mix_exactly(pixel(start, first, c, r), pixel(start, first, c + 1, r), part.x);
    let lower = mix_exactly(pixel(start, first, c, r + 1), pixel(start, first, c + 1, r + 1), part.x);
    let scale = normaliser[channel];
    let plain = mix_exactly(upper, lower, part.y) * scale + normaliser[CHANNELS + channel];
    return plain * change.contrast + change.brightness * 255.0 * scale;
}

// Exactly a where the fraction is 0; WGSL's own mix may be computed otherwise.
fn mix_exactly(a: f32, b: f32, part: f32) -> f32 {
    return a + part * (b - a);
}

@compute @workgroup_size(64)
fn gather_batch(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= BATCH * WORDS {
        return;
    }
    let row = at / WORDS;
    let word = at % WORDS;
    // Rows past the end of the data repeat the last sample; the loss ignores them.
    let sample = order[min(step.first + FIRST + row, SAMPLES - 1u)];
    if sample < CHUNK_FIRST || sample >= CHUNK_FIRST + CHUNK_LENGTH {
        return;
    }
    let start = (sample - CHUNK_FIRST) * WORDS;
    if AUGMENT {
        let change = change_of(sample);
        for (var value = word * 4u; value < min(word * 4u + 4u, VALUES); value++) {
            x[row * VALUES + value] = changed(change, start, value);
        }
    } else {
        let bytes = unpack4xU8(images[start + word]);
        for (var i = 0u; i < 4u; i++) {
            let value = word * 4u + i;
            if value < VALUES {
                // A constant for grey images, so that their scale and shift are read once.
                let channel = select(value / PLANE, 0u, CHANNELS == 1u);
                x[row * VALUES + value] =
                    f32(bytes[i]) * normaliser[channel] + normaliser[CHANNELS + channel];
            }
        }
    }
    if word == 0u {
        batch_labels[row] = labels[sample];
    }
}
