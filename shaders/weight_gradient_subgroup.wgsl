// dW = dzᵀ·x   db = Σ over the batch of dz   dz: (B, O)  x: (B, I)  dW: (O, I)  db: (O)
// One subgroup of eight owns 16 rows by 32 columns of dW, one invocation four of its columns, in registers.
//
// As weight_gradient.wgsl, but for adapters that run on the CPU and have subgroups of exactly 8
// (lavapipe): loads and stores are slow there, and a vec4 is hardly slower than one number. B, I
// and O must be multiples of 4.

const BATCH: u32 = 64u;
const INPUTS: u32 = 64u;
const OUTPUTS: u32 = 64u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 16u;               // of an invocation's block; a multiple of SUBGROUP
const COLUMNS: u32 = 4u;
const PARTS: u32 = 64u;              // at least the number of blocks

const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const LOADS: u32 = ROWS / SUBGROUP;
const ACROSS: u32 = INPUTS / 4u;     // blocks in a row of blocks
const BLOCKS: u32 = (OUTPUTS + ROWS - 1u) / ROWS * ACROSS;

@group(0) @binding(0) var<storage, read> dz: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dbias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(5) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

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

@compute @workgroup_size(SUBGROUP)
fn weight_gradient_subgroup(
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
    // Separate addresses: one that the inner loop advances keeps Mesa from unrolling it.
    var at_x: array<u32, 4>;
    for (var s = 0u; s < 4u; s++) {
        at_x[s] = s * (INPUTS / 4u) + min(quad, INPUTS / 4u - 1u);
    }

    var totals: array<vec4<f32>, ROWS>;
    var bias: array<vec4<f32>, LOADS>;
    for (var sample = 0u; sample < BATCH; sample += 4u) {
        var left: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            left[i] = dz[at_dz[i]];
            bias[i] += left[i];
            at_dz[i] += OUTPUTS;
        }
        var right: mat4x4<f32>;      // right[i]: the four columns of sample + i
        for (var i = 0u; i < 4u; i++) {
            right[i] = x[at_x[i]];
            at_x[i] += INPUTS;
        }
        for (var r = 0u; r < ROWS; r++) {
            let row = output_of(left[r / SUBGROUP], r % SUBGROUP);
            totals[r] += row.x * right[0];
            totals[r] += row.y * right[1];
            totals[r] += row.z * right[2];
            totals[r] += row.w * right[3];
        }
    }

    var watch: Watch;
    if quad < INPUTS / 4u {
        for (var r = 0u; r < ROWS; r++) {
            if first_row + r < OUTPUTS {
                let at = (first_row + r) * (INPUTS / 4u) + quad;
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
    var part = workgroup.y * ACROSS + quad;
    for (; part < PARTS && quad < ACROSS; part += BLOCKS) {
        sums[part] = watch.squares;
        non_finite[part] = watch.non_finite;
        watch = Watch();
    }
}
