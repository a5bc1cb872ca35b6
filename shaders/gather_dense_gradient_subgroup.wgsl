// dW = dzᵀ·x   db = Σ over the batch of dz   x[r, v] as in gather_dense_subgroup.wgsl   dz: (B, O)  dW: (O, V)  db: (O)
// One subgroup of eight owns 16 rows by 32 columns of dW, one invocation four of its columns, in registers.
//
// As weight_gradient_subgroup.wgsl, but x is unpacked from the pixels: see
// gather_dense_subgroup.wgsl. B, V and O must be multiples of 4, and so must the values of a channel.

const BATCH: u32 = 64u;
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const VALUES: u32 = 784u;            // values of one image: C·H·W
const PLANE: u32 = 784u;             // values of one channel: H·W
const CHANNELS: u32 = 1u;
const SAMPLES: u32 = 1000u;          // length of `order`
const OUTPUTS: u32 = 128u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 16u;               // of an invocation's block; a multiple of SUBGROUP
const COLUMNS: u32 = 4u;
const PARTS: u32 = 2048u;            // at least the number of blocks

const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const LOADS: u32 = ROWS / SUBGROUP;
const WORDS: u32 = VALUES / 4u;      // of an image, and blocks in a row of blocks
const BLOCKS: u32 = (OUTPUTS + ROWS - 1u) / ROWS * WORDS;

@group(0) @binding(0) var<storage, read> dz: array<vec4<f32>>;            // (BATCH, OUTPUTS)
@group(0) @binding(1) var<storage, read> images: array<u32>;              // (SAMPLES, WORDS)
@group(0) @binding(2) var<storage, read> order: array<u32>;               // (SAMPLES), a permutation
@group(0) @binding(3) var<storage, read> normaliser: array<f32>;          // (2, CHANNELS): scale, shift
@group(0) @binding(4) var<storage, read_write> dweight: array<vec4<f32>>; // (OUTPUTS, VALUES)
@group(0) @binding(5) var<storage, read_write> dbias: array<vec4<f32>>;   // (OUTPUTS)
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(7) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

// dz of four successive samples and output r out of eight: invocation 2i + h holds sample i of the
// outputs 4h to 4h + 3. r must be a constant at compile time: only then is a shuffle cheap.
fn output_of(left: vec4<f32>, r: u32) -> vec4<f32> {
    let lane = r / 4u;
    let four = left[r % 4u];
    return vec4<f32>(
        subgroupShuffle(four, lane),
        subgroupShuffle(four, lane + 2u),
        subgroupShuffle(four, lane + 4u),
        subgroupShuffle(four, lane + 6u),
    );
}

// Four values of a channel.
fn pixels(at: u32, scale: f32, shift: f32) -> vec4<f32> {
    return vec4<f32>(unpack4xU8(images[at])) * scale + shift;
}

@compute @workgroup_size(SUBGROUP)
fn gather_dense_gradient_subgroup(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let first_row = workgroup.y * ROWS;
    let quad = workgroup.x * SUBGROUP + lane;

    // Beyond the edges a block repeats the last four rows or columns, and stores nothing there.
    var at_dz: array<u32, LOADS>;
    for (var i = 0u; i < LOADS; i++) {
        let four = first_row / 4u + 2u * i + lane % 2u;
        at_dz[i] = lane / 2u * (OUTPUTS / 4u) + min(four, OUTPUTS / 4u - 1u);
    }
    let word = min(quad, WORDS - 1u);
    let channel = select(word / (PLANE / 4u), 0u, CHANNELS == 1u);
    let scale = normaliser[channel];
    let shift = normaliser[CHANNELS + channel];

    var totals: array<vec4<f32>, ROWS>;
    var bias: array<vec4<f32>, LOADS>;
    for (var sample = 0u; sample < BATCH; sample += 4u) {
        var left: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            left[i] = dz[at_dz[i]];
            bias[i] += left[i];
            at_dz[i] += OUTPUTS;
        }
        // The first words of the four samples' images, each in every fourth invocation.
        let image = order[min(step.first + FIRST + sample + lane % 4u, SAMPLES - 1u)] * WORDS;
        let right = array(           // right[i]: the four columns of sample + i
            pixels(subgroupShuffle(image, 0u) + word, scale, shift),
            pixels(subgroupShuffle(image, 1u) + word, scale, shift),
            pixels(subgroupShuffle(image, 2u) + word, scale, shift),
            pixels(subgroupShuffle(image, 3u) + word, scale, shift),
        );
        for (var r = 0u; r < ROWS; r++) {
            let row = output_of(left[r / SUBGROUP], r % SUBGROUP);
            totals[r] += row.x * right[0];
            totals[r] += row.y * right[1];
            totals[r] += row.z * right[2];
            totals[r] += row.w * right[3];
        }
    }

    var watch: Watch;
    if quad < WORDS {
        for (var r = 0u; r < ROWS; r++) {
            if first_row + r < OUTPUTS {
                let at = (first_row + r) * WORDS + quad;
                if ADD {
                    totals[r] += dweight[at];
                }
                dweight[at] = totals[r];
                watch_four(&watch, totals[r]);
            }
        }
    }
    // Every block has the sums over the batch; the first of each row of blocks stores them.
    for (var i = 0u; i < LOADS; i++) {
        bias[i] += subgroupShuffleXor(bias[i], 2u);
        bias[i] += subgroupShuffleXor(bias[i], 4u);
        let eight = array(bias[i], subgroupShuffle(bias[i], 1u));
        for (var half = 0u; half < 2u; half++) {
            let at = first_row / 4u + 2u * i + half;
            if quad == 0u && at < OUTPUTS / 4u {
                var four = eight[half];
                if ADD {
                    four += dbias[at];
                }
                dbias[at] = four;
                watch_four(&watch, four);
            }
        }
    }
    // The part of each block, and 0 in the parts behind the last block.
    var part = workgroup.y * WORDS + quad;
    for (; part < PARTS && quad < WORDS; part += BLOCKS) {
        sums[part] = watch.squares;
        non_finite[part] = watch.non_finite;
        watch = Watch();
    }
}
