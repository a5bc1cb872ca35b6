// dW = dzᵀ·x   db = Σ over the batch of dz   dz: (B, O)  x: (B, I)  dW: (O, I)  db: (O)
// One subgroup of eight owns all rows by 32 columns of dW, one invocation four of its columns, in registers.
//
// As weight_gradient_subgroup.wgsl, but for layers with any small number of outputs: the rows of dz
// of four successive samples are one run of 4·O numbers, so they are O vec4s wherever the samples
// begin. B and I must be multiples of 4, and O at most 32.

const BATCH: u32 = 64u;
const INPUTS: u32 = 128u;
const OUTPUTS: u32 = 10u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 32u;               // of an invocation's block: at least OUTPUTS
const COLUMNS: u32 = 4u;
const PARTS: u32 = 64u;              // at least the number of blocks

const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const LOADS: u32 = (OUTPUTS + SUBGROUP - 1u) / SUBGROUP;
const BLOCKS: u32 = INPUTS / 4u;     // in one row

@group(0) @binding(0) var<storage, read> dz: array<vec4<f32>>;            // (BATCH / 4, 4 · OUTPUTS)
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(5) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

// Number `at` of the run of four samples; invocation i holds its vec4s i, i + 8, … `at` must
// be a constant at compile time: only then is a shuffle cheap.
fn number(run: array<vec4<f32>, LOADS>, at: u32) -> f32 {
    let four = at / 4u;
    return subgroupShuffle(run[four / SUBGROUP][at % 4u], four % SUBGROUP);
}

@compute @workgroup_size(SUBGROUP)
fn weight_gradient_narrow_subgroup(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let quad = workgroup.x * SUBGROUP + lane;

    // Beyond the edges an invocation repeats the last vec4 of the run, or of a row; nothing uses it.
    var at_dz: array<u32, LOADS>;
    for (var i = 0u; i < LOADS; i++) {
        at_dz[i] = min(i * SUBGROUP + lane, OUTPUTS - 1u);
    }
    var at_x: array<u32, 4>;
    for (var s = 0u; s < 4u; s++) {
        at_x[s] = s * (INPUTS / 4u) + min(quad, INPUTS / 4u - 1u);
    }

    var totals: array<vec4<f32>, OUTPUTS>;
    var runs: array<vec4<f32>, LOADS>;    // the terms of db
    for (var sample = 0u; sample < BATCH; sample += 4u) {
        var left: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            left[i] = dz[at_dz[i]];
            runs[i] += left[i];
            at_dz[i] += OUTPUTS;
        }
        var right: array<vec4<f32>, 4>;   // the four columns of each sample
        for (var s = 0u; s < 4u; s++) {
            right[s] = x[at_x[s]];
            at_x[s] += INPUTS;
        }
        for (var r = 0u; r < OUTPUTS; r++) {
            totals[r] += number(left, r) * right[0];
            totals[r] += number(left, OUTPUTS + r) * right[1];
            totals[r] += number(left, 2u * OUTPUTS + r) * right[2];
            totals[r] += number(left, 3u * OUTPUTS + r) * right[3];
        }
    }

    var watch: Watch;
    if quad < BLOCKS {
        for (var r = 0u; r < OUTPUTS; r++) {
            let at = r * BLOCKS + quad;
            if ADD {
                totals[r] += dweight[at];
            }
            dweight[at] = totals[r];
            watch_four(&watch, totals[r]);
        }
    }
    // Every block has the sums over the batch; the first one stores them.
    for (var r = 0u; r < OUTPUTS; r++) {
        var sum = number(runs, r);
        sum += number(runs, OUTPUTS + r);
        sum += number(runs, 2u * OUTPUTS + r);
        sum += number(runs, 3u * OUTPUTS + r);
        if quad == 0u {
            if ADD {
                sum += dbias[r];
            }
            dbias[r] = sum;
            watch_four(&watch, vec4<f32>(sum, 0.0, 0.0, 0.0));
        }
    }
    // The part of each block, and 0 in the parts behind the last block.
    for (var part = quad; part < PARTS && quad < BLOCKS; part += BLOCKS) {
        sums[part] = watch.squares;
        non_finite[part] = watch.non_finite;
        watch = Watch();
    }
}
