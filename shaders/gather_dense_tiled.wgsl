// y = activate(x·Wᵀ + b)   x[r, v] as in gather_dense_subgroup.wgsl   W: (O, V)  b: (O)  y: (B, O)
// One workgroup owns a tile of 32×32 of y, one invocation a block of 4×4 of it, in registers.
//
// The first layer, computed from the packed pixels as in matmul.wgsl, for real GPUs: one dispatch less than
// gathering the samples first. V must be a multiple of 4, and so must the values of a
// channel and O.

const BATCH: u32 = 64u;
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const VALUES: u32 = 784u;            // values of one image: C·H·W
const PLANE: u32 = 784u;             // values of one channel: H·W
const CHANNELS: u32 = 1u;
const SAMPLES: u32 = 1000u;          // length of `order`
const OUTPUTS: u32 = 128u;
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

const WORDS: u32 = VALUES / 4u;      // of an image, and vec4s of a row of W
const SIDE: u32 = 32u;               // rows and columns of y in a tile
const ROUND: u32 = 8u;               // words that one round takes of each row of x and of W
const FOURS: u32 = SIDE / 4u;        // a tile's side in vec4s, and in invocations
const INVOCATIONS: u32 = FOURS * FOURS;
const PITCH: u32 = FOURS + 1u;       // vec4s from one value to the next, against bank conflicts

@group(0) @binding(0) var<storage, read> images: array<u32>;              // (SAMPLES, WORDS)
@group(0) @binding(1) var<storage, read> labels: array<u32>;              // (SAMPLES)
@group(0) @binding(2) var<storage, read> order: array<u32>;               // (SAMPLES), a permutation
@group(0) @binding(3) var<storage, read> normaliser: array<f32>;          // (2, CHANNELS): scale, shift
@group(0) @binding(4) var<storage, read> weight: array<vec4<f32>>;        // (OUTPUTS, VALUES)
@group(0) @binding(5) var<storage, read> bias: array<vec4<f32>>;          // (OUTPUTS)
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;       // (BATCH, OUTPUTS)
@group(0) @binding(7) var<storage, read_write> batch_labels: array<u32>;  // (BATCH)

// [value][row / 4] and [value][output / 4], as in matmul.wgsl.
var<workgroup> tile_x: array<vec4<f32>, 4u * ROUND * PITCH>;
var<workgroup> tile_w: array<vec4<f32>, 4u * ROUND * PITCH>;

// Rows past the end of the data repeat the last sample; the loss ignores them.
fn sample_of(row: u32) -> u32 {
    return order[min(step.first + FIRST + row, SAMPLES - 1u)];
}

// Four values of a row; beyond the edges zeros, which add nothing.
fn load_x(row: u32, word: u32) -> vec4<f32> {
    if row >= BATCH || word >= WORDS {
        return vec4<f32>();
    }
    let channel = select(word / (PLANE / 4u), 0u, CHANNELS == 1u);
    let bytes = unpack4xU8(images[sample_of(row) * WORDS + word]);
    return vec4<f32>(bytes) * normaliser[channel] + normaliser[CHANNELS + channel];
}

fn load_w(output: u32, word: u32) -> vec4<f32> {
    if output >= OUTPUTS || word >= WORDS {
        return vec4<f32>();
    }
    return weight[output * WORDS + word];
}

fn store_four(row: u32, quad: u32, total: vec4<f32>) {
    if row >= BATCH || quad >= OUTPUTS / 4u {
        return;
    }
    var value = total + bias[quad];
    for (var i = 0u; i < 4u; i++) {
        value[i] = activate(ACTIVATION, LEAK, value[i]);
    }
    y[row * (OUTPUTS / 4u) + quad] = value;
}

@compute @workgroup_size(FOURS, FOURS)
fn gather_dense_tiled(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = workgroup.y * SIDE;
    let first_output = workgroup.x * SIDE;
    if first_output == 0u && index < SIDE && first_row + index < BATCH {
        batch_labels[first_row + index] = labels[sample_of(first_row + index)];
    }
    var sum0 = vec4<f32>();          // row 0 of the block, and so on
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();

    for (var first_word = 0u; first_word < WORDS; first_word += ROUND) {
        // Neighbouring invocations read neighbouring words.
        for (var i = index; i < SIDE * ROUND; i += INVOCATIONS) {
            let line = i / ROUND;
            let word = i % ROUND;
            let from_x = load_x(first_row + line, first_word + word);
            let from_w = load_w(first_output + line, first_word + word);
            for (var v = 0u; v < 4u; v++) {
                let at = (4u * word + v) * PITCH + line / 4u;
                tile_x[at][line % 4u] = from_x[v];
                tile_w[at][line % 4u] = from_w[v];
            }
        }
        workgroupBarrier();
        for (var v = 0u; v < 4u * ROUND; v++) {
            let left = tile_x[v * PITCH + local.y];
            let right = tile_w[v * PITCH + local.x];
            sum0 += left.x * right;
            sum1 += left.y * right;
            sum2 += left.z * right;
            sum3 += left.w * right;
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    let row = first_row + 4u * local.y;
    let quad = first_output / 4u + local.x;
    store_four(row, quad, sum0);
    store_four(row + 1u, quad, sum1);
    store_four(row + 2u, quad, sum2);
    store_four(row + 3u, quad, sum3);
}
