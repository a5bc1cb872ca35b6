// dW = dzᵀ·x   db = Σ over the batch of dz   dz: (B, O)  x: (B, I)  dW: (O, I)  db: (O)
// One invocation owns a block of 8×8 of dW, in registers; the first of each row of blocks also eight elements of db.
//
// Both gradients of a dense layer in one pass over the batch, and the watch over them, in place of
// matmul, column_sums and gradient_parts, where a dispatch costs as much as its work.
// sums[p] = Σ g² over the finite g of block p, and non_finite[p] = the number of the others.
// Without barriers, for adapters that run on the CPU, like matmul_register.wgsl.

const BATCH: u32 = 64u;
const INPUTS: u32 = 64u;
const OUTPUTS: u32 = 64u;
const ADD: bool = false;             // dW += and db += instead of =
const ROWS: u32 = 8u;                // of a block
const COLUMNS: u32 = 8u;
const PARTS: u32 = 64u;              // at least the number of blocks

const ACROSS: u32 = (INPUTS + COLUMNS - 1u) / COLUMNS;
const BLOCKS: u32 = (OUTPUTS + ROWS - 1u) / ROWS * ACROSS;

@group(0) @binding(0) var<storage, read> dz: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;          // (PARTS)
@group(0) @binding(5) var<storage, read_write> non_finite: array<u32>;    // (PARTS)

@compute @workgroup_size(8)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / ACROSS * ROWS;
    let column = id.x % ACROSS * COLUMNS;

    // Beyond the edges a block repeats the last row or column, and stores nothing there.
    var at_dz: array<u32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        at_dz[r] = min(row + r, OUTPUTS - 1u);
    }
    var at_x: array<u32, COLUMNS>;
    for (var s = 0u; s < COLUMNS; s++) {
        at_x[s] = min(column + s, INPUTS - 1u);
    }

    // The compiler unrolls the loops over r and s below, so that their indices are
    // constants; a variable index would cost a separate access per invocation.
    var totals: array<array<f32, COLUMNS>, ROWS>;
    var bias: array<f32, ROWS>;
    for (var sample = 0u; sample < BATCH; sample++) {
        var left: array<f32, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
            left[r] = dz[at_dz[r]];
            bias[r] += left[r];
            at_dz[r] += OUTPUTS;
        }
        for (var s = 0u; s < COLUMNS; s++) {
            let right = x[at_x[s]];
            at_x[s] += INPUTS;
            for (var r = 0u; r < ROWS; r++) {
                totals[r][s] += left[r] * right;
            }
        }
    }

    var watch: Watch;
    // One loop of 64 rounds, not two of fewer: Mesa unrolls up to 32, and 64 copies
    // of its body take seconds to compile.
    for (var i = 0u; i < ROWS * COLUMNS; i++) {
        let r = i / COLUMNS;
        let s = i % COLUMNS;
        if row + r < OUTPUTS && column + s < INPUTS {
            let at = (row + r) * INPUTS + column + s;
            let gradient = totals[r][s] + select(0.0, dweight[at], ADD);
            dweight[at] = gradient;
            watch_four(&watch, vec4<f32>(gradient, 0.0, 0.0, 0.0));
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        if column == 0u && row + r < OUTPUTS {
            let gradient = bias[r] + select(0.0, dbias[row + r], ADD);
            dbias[row + r] = gradient;
            watch_four(&watch, vec4<f32>(gradient, 0.0, 0.0, 0.0));
        }
    }
    // The part of each block, and 0 in the parts behind the last block.
    for (var part = id.x; part < PARTS && id.x < BLOCKS; part += BLOCKS) {
        sums[part] = watch.squares;
        non_finite[part] = watch.non_finite;
        watch = Watch();
    }
}
