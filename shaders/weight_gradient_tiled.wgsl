// dW = dzᵀ·x   db = Σ over the batch of dz   dz: (B, O)  x: (B, I)  dW: (O, I)  db: (O)
// One workgroup owns a tile of 32×32 of dW, one invocation a block of 4×4 of it, in registers; the
// first workgroup of each row of tiles also 32 elements of db.
//
// As weight_gradient.wgsl, but through workgroup memory as in matmul.wgsl, for real GPUs.
// sums[p] = Σ g² over the finite g of tile p, and non_finite[p] = the number of the others, added up
// within the workgroup always in the same order.

const BATCH: u32 = 64u;
const INPUTS: u32 = 64u;
const OUTPUTS: u32 = 64u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 32u;               // of a tile
const COLUMNS: u32 = 32u;
const PARTS: u32 = 64u;              // at least the number of tiles

const SAMPLES: u32 = 32u;            // terms of the sums that one round adds
const FOURS: u32 = ROWS / 4u;        // a tile's side in vec4s, and in invocations
const INVOCATIONS: u32 = FOURS * FOURS;
const ROUNDS: u32 = SAMPLES * FOURS / INVOCATIONS;
const ACROSS: u32 = (INPUTS + COLUMNS - 1u) / COLUMNS;
const TILES: u32 = (OUTPUTS + ROWS - 1u) / ROWS * ACROSS;

@group(0) @binding(0) var<storage, read> dz: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(5) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

// [sample][output / 4] and [sample][input / 4].
var<workgroup> tile_dz: array<vec4<f32>, SAMPLES * FOURS>;
var<workgroup> tile_x: array<vec4<f32>, SAMPLES * FOURS>;

// The squares and non-finite counts of each invocation.
var<workgroup> squares: array<f32, INVOCATIONS>;
var<workgroup> counts: array<u32, INVOCATIONS>;

// Beyond the edges of dz and x the tile holds zeros, which add nothing.
fn load_dz(sample: u32, output: u32) -> f32 {
    if sample >= BATCH || output >= OUTPUTS {
        return 0.0;
    }
    return dz[sample * OUTPUTS + output];
}

fn load_x(sample: u32, input: u32) -> f32 {
    if sample >= BATCH || input >= INPUTS {
        return 0.0;
    }
    return x[sample * INPUTS + input];
}

// Stores and watches; beyond the edges neither.
fn store(row: u32, column: u32, total: f32) -> f32 {
    if row >= OUTPUTS || column >= INPUTS {
        return 0.0;
    }
    let at = row * INPUTS + column;
    var gradient = total;
    if ADD {
        gradient += dweight[at];
    }
    dweight[at] = gradient;
    return gradient;
}

fn store_four(row: u32, column: u32, totals: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(
        store(row, column, totals.x),
        store(row, column + 1u, totals.y),
        store(row, column + 2u, totals.z),
        store(row, column + 3u, totals.w),
    );
}

fn store_bias(row: u32, total: f32) -> f32 {
    if row >= OUTPUTS {
        return 0.0;
    }
    var gradient = total;
    if ADD {
        gradient += dbias[row];
    }
    dbias[row] = gradient;
    return gradient;
}

@compute @workgroup_size(FOURS, FOURS)
fn weight_gradient_tiled(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = workgroup.y * ROWS;
    let first_column = workgroup.x * COLUMNS;
    var total0 = vec4<f32>();        // row 0 of the block, and so on
    var total1 = vec4<f32>();
    var total2 = vec4<f32>();
    var total3 = vec4<f32>();
    var bias = vec4<f32>();          // of the block's rows

    for (var first = 0u; first < BATCH; first += SAMPLES) {
        for (var round = 0u; round < ROUNDS; round++) {
            let i = round * INVOCATIONS + index;
            let sample = first + i / FOURS;
            let row = first_row + 4u * (i % FOURS);
            let column = first_column + 4u * (i % FOURS);
            tile_dz[i] = vec4<f32>(
                load_dz(sample, row),
                load_dz(sample, row + 1u),
                load_dz(sample, row + 2u),
                load_dz(sample, row + 3u),
            );
            tile_x[i] = vec4<f32>(
                load_x(sample, column),
                load_x(sample, column + 1u),
                load_x(sample, column + 2u),
                load_x(sample, column + 3u),
            );
        }
        workgroupBarrier();
        for (var sample = 0u; sample < SAMPLES; sample++) {
            let left = tile_dz[sample * FOURS + local.y];
            let right = tile_x[sample * FOURS + local.x];
            if first_column == 0u {
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
    let row = first_row + 4u * local.y;
    let column = first_column + 4u * local.x;
    watch_four(&watch, store_four(row, column, total0));
    watch_four(&watch, store_four(row + 1u, column, total1));
    watch_four(&watch, store_four(row + 2u, column, total2));
    watch_four(&watch, store_four(row + 3u, column, total3));
    if column == 0u {
        watch_four(&watch, vec4<f32>(
            store_bias(row, bias.x),
            store_bias(row + 1u, bias.y),
            store_bias(row + 2u, bias.z),
            store_bias(row + 3u, bias.w),
        ));
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
