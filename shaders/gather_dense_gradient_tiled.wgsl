// dW = dzᵀ·x   db = Σ over the batch of dz   x[r, v] as in gather_dense_subgroup.wgsl   dz: (B, O)  dW: (O, V)  db: (O)
// One workgroup owns a tile of 32×32 of dW, one invocation a block of 4×4 of it, in registers; the
// first workgroup of each row of tiles also 32 elements of db.
//
// As weight_gradient_tiled.wgsl, but x is unpacked from the pixels. V must be a multiple of 4,
// and so must the values of a channel and O.

const BATCH: u32 = 64u;
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const VALUES: u32 = 784u;            // values of one image: C·H·W
const PLANE: u32 = 784u;             // values of one channel: H·W
const CHANNELS: u32 = 1u;
const SAMPLES: u32 = 1000u;          // length of `order`
const OUTPUTS: u32 = 128u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 32u;               // of a tile
const COLUMNS: u32 = 32u;
const PARTS: u32 = 128u;             // at least the number of tiles

const WORDS: u32 = VALUES / 4u;      // of an image, and vec4s of a row of dW
const ROUND: u32 = 32u;              // samples of one round
const FOURS: u32 = ROWS / 4u;        // a tile's side in vec4s, and in invocations
const INVOCATIONS: u32 = FOURS * FOURS;
const QUADS: u32 = OUTPUTS / 4u;     // vec4s of a row of dz
const ACROSS: u32 = (VALUES + COLUMNS - 1u) / COLUMNS;
const TILES: u32 = (OUTPUTS + ROWS - 1u) / ROWS * ACROSS;

@group(0) @binding(0) var<storage, read> dz: array<vec4<f32>>;            // (BATCH, OUTPUTS)
@group(0) @binding(1) var<storage, read> images: array<u32>;              // (SAMPLES, WORDS)
@group(0) @binding(2) var<storage, read> order: array<u32>;               // (SAMPLES), a permutation
@group(0) @binding(3) var<storage, read> normaliser: array<f32>;          // (2, CHANNELS): scale, shift
@group(0) @binding(4) var<storage, read_write> dweight: array<vec4<f32>>; // (OUTPUTS, VALUES)
@group(0) @binding(5) var<storage, read_write> dbias: array<vec4<f32>>;   // (OUTPUTS)
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(7) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

// [sample][output / 4] and [sample][value / 4].
var<workgroup> tile_dz: array<vec4<f32>, ROUND * FOURS>;
var<workgroup> tile_x: array<vec4<f32>, ROUND * FOURS>;

// The squares and non-finite counts of each invocation.
var<workgroup> squares: array<f32, INVOCATIONS>;
var<workgroup> counts: array<u32, INVOCATIONS>;

// Beyond the edges of dz and x the tile holds zeros, which add nothing.
fn load_dz(sample: u32, quad: u32) -> vec4<f32> {
    if sample >= BATCH || quad >= QUADS {
        return vec4<f32>();
    }
    return dz[sample * QUADS + quad];
}

fn load_x(row: u32, word: u32) -> vec4<f32> {
    if row >= BATCH || word >= WORDS {
        return vec4<f32>();
    }
    // Rows past the end of the data repeat the last sample; their dz is 0.
    let sample = order[min(step.first + FIRST + row, SAMPLES - 1u)];
    let channel = select(word / (PLANE / 4u), 0u, CHANNELS == 1u);
    let bytes = unpack4xU8(images[sample * WORDS + word]);
    return vec4<f32>(bytes) * normaliser[channel] + normaliser[CHANNELS + channel];
}

// Stores and watches; beyond the edges neither.
fn store(row: u32, word: u32, total: vec4<f32>) -> vec4<f32> {
    if row >= OUTPUTS || word >= WORDS {
        return vec4<f32>();
    }
    let at = row * WORDS + word;
    var gradient = total;
    if ADD {
        gradient += dweight[at];
    }
    dweight[at] = gradient;
    return gradient;
}

fn store_bias(quad: u32, total: vec4<f32>) -> vec4<f32> {
    if quad >= QUADS {
        return vec4<f32>();
    }
    var gradient = total;
    if ADD {
        gradient += dbias[quad];
    }
    dbias[quad] = gradient;
    return gradient;
}

@compute @workgroup_size(FOURS, FOURS)
fn gather_dense_gradient_tiled(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_quad = workgroup.y * FOURS;
    let first_word = workgroup.x * FOURS;
    var total0 = vec4<f32>();        // row 0 of the block, and so on
    var total1 = vec4<f32>();
    var total2 = vec4<f32>();
    var total3 = vec4<f32>();
    var bias = vec4<f32>();          // of the block's rows

    for (var first = 0u; first < BATCH; first += ROUND) {
        for (var i = index; i < ROUND * FOURS; i += INVOCATIONS) {
            tile_dz[i] = load_dz(first + i / FOURS, first_quad + i % FOURS);
            tile_x[i] = load_x(first + i / FOURS, first_word + i % FOURS);
        }
        workgroupBarrier();
        for (var sample = 0u; sample < ROUND; sample++) {
            let left = tile_dz[sample * FOURS + local.y];
            let right = tile_x[sample * FOURS + local.x];
            if first_word == 0u {
                bias += left;
            }
            total0 += left.x * right;
            total1 += left.y * right;
            total2 += left.z * right;
            total3 += left.w * right;
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    var watch: Watch;
    let quad = first_quad + local.y;
    let word = first_word + local.x;
    watch_four(&watch, store(4u * quad, word, total0));
    watch_four(&watch, store(4u * quad + 1u, word, total1));
    watch_four(&watch, store(4u * quad + 2u, word, total2));
    watch_four(&watch, store(4u * quad + 3u, word, total3));
    if word == 0u {
        watch_four(&watch, store_bias(quad, bias));
    }

    squares[index] = watch.squares;
    counts[index] = watch.non_finite;
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if index < half {
            squares[index] += squares[index + half];
            counts[index] += counts[index + half];
        }
    }
    if index == 0u {
        // The part of each tile, and 0 in the parts behind the last tile.
        let tile = workgroup.y * ACROSS + workgroup.x;
        sums[tile] = squares[0];
        non_finite[tile] = counts[0];
        for (var part = tile + TILES; part < PARTS; part += TILES) {
            sums[part] = 0.0;
            non_finite[part] = 0u;
        }
    }
}
