// x[r, v] = image[order[first + r], v] · scale[channel of v] + shift[channel of v]   x: (B, V)
// One invocation owns one word of a packed image: four neighbouring values of one row of the batch.
//
// The data stay on the GPU as bytes, four to a word, because as f32 even MNIST
// would not fit one binding of WebGPU's default limits. A data set too large
// for one binding is cut into chunks of whole images and this kernel runs once
// per chunk; each run writes only the rows whose sample lies in its chunk.

const BATCH: u32 = 64u;
const FIRST: u32 = 0u;               // row 0 among those of the step: a batch may be a part of it
const VALUES: u32 = 784u;            // values of one image: C·H·W
const WORDS: u32 = 196u;             // words of one image: ⌈VALUES / 4⌉
const PLANE: u32 = 784u;             // values of one channel: H·W
const CHANNELS: u32 = 1u;
const SAMPLES: u32 = 1000u;          // length of `order`
const CHUNK_FIRST: u32 = 0u;         // the samples that `images` holds
const CHUNK_LENGTH: u32 = 1000u;

@group(0) @binding(0) var<storage, read> images: array<u32>;       // (CHUNK_LENGTH, WORDS)
@group(0) @binding(1) var<storage, read> labels: array<u32>;       // (SAMPLES)
@group(0) @binding(2) var<storage, read> order: array<u32>;        // (SAMPLES), a permutation
@group(0) @binding(3) var<storage, read> normaliser: array<f32>;   // (2, CHANNELS): scale, shift
@group(0) @binding(4) var<storage, read_write> x: array<f32>;      // (BATCH, VALUES)
@group(0) @binding(5) var<storage, read_write> y: array<u32>;      // (BATCH), the labels

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
    let bytes = unpack4xU8(images[(sample - CHUNK_FIRST) * WORDS + word]);
    for (var i = 0u; i < 4u; i++) {
        let value = word * 4u + i;
        if value < VALUES {
            // Known when compiled for grey images, whose scale and shift are then read once.
            let channel = select(value / PLANE, 0u, CHANNELS == 1u);
            x[row * VALUES + value] =
                f32(bytes[i]) * normaliser[channel] + normaliser[CHANNELS + channel];
        }
    }
    if word == 0u {
        y[row] = labels[sample];
    }
}
