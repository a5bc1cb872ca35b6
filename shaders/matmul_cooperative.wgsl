// C = A·B / s, s = 1 or 2^gradient_exponent()   A: (M, K)  B: (K, N), both in f16  C: (M, N); A may be stored as (K, M), B as (N, K).
// One workgroup owns a block of 32×64 of C, one subgroup a tile of TILE×TILE of it at a time.

// Experimental: subgroups multiply whole tiles by cooperative matrices, which WebGPU doesn't have. A and B
// are as pack_f16.wgsl writes them, bound as f16. A gradient is always A, and packed times s, a power of
// two. All sums are f32, in the order of K. The subgroups take turns with the tiles, whatever their own
// size is. M, N and K must be multiples of TILE.
enable f16;
enable wgpu_cooperative_matrix;

const M: u32 = 64u;
const N: u32 = 64u;
const K: u32 = 64u;
const TRANSPOSE_A: bool = false;
const TRANSPOSE_B: bool = false;
const ADD: bool = false;             // C += instead of C =

// The epilogue of a finished sum.
const PLAIN: u32 = 0u;               // nothing; extra is not read
const BIAS: u32 = 1u;                // activate(sum + extra[column])          extra: (N)
const DERIVATIVE: u32 = 2u;          // sum · activation'(extra[row, column])  extra: (M, N), an activation's output
const EPILOGUE: u32 = 0u;
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

const TILE: u32 = 16u;               // rows and columns of a tile: 8 or 16, as the adapter has it
const GRADIENT: bool = false;        // whether A is a gradient, and so packed times s

// TILE is written into these names too.
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sums = coop_mat16x16<f32, C>;

const ROWS: u32 = 32u;               // of a block
const COLUMNS: u32 = 64u;
const INVOCATIONS: u32 = 128u;

@group(0) @binding(0) var<storage, read> a: array<f16>;
@group(0) @binding(1) var<storage, read> b: array<f16>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// The finished sums of the block: a subgroup can only store its tile.
var<workgroup> block: array<f32, ROWS * COLUMNS>;

// The sums of the tile at this row and column of C, stored at offset `to` of the block.
fn multiply(row: u32, column: u32, to: u32) {
    var sums: Sums;
    for (var k = 0u; k < K; k += TILE) {
        // The T is for row-major matrices.
        var left: Left;
        if TRANSPOSE_A {
            left = coopLoad<Left>(&a[k * M + row], M);
        } else {
            left = coopLoadT<Left>(&a[row * K + k], K);
        }
        var right: Right;
        if TRANSPOSE_B {
            right = coopLoad<Right>(&b[column * K + k], K);
        } else {
            right = coopLoadT<Right>(&b[k * N + column], N);
        }
        sums = coopMultiplyAdd(left, right, sums);
    }
    coopStoreT(sums, &block[to], COLUMNS);
}

fn store(row: u32, column: u32, sum: f32) {
    let at = row * N + column;
    // 1 / s rounds nothing.
    let unscale = bitcast<f32>((127u - select(0u, gradient_exponent(), GRADIENT)) << 23u);
    var value = sum * unscale;
    if EPILOGUE == BIAS {
        value = activate(ACTIVATION, LEAK, value + extra[column]);
    }
    if EPILOGUE == DERIVATIVE {
        value *= activation_derivative(ACTIVATION, LEAK, extra[at]);
    }
    if ADD {
        value += c[at];
    }
    c[at] = value;
}

@compute @workgroup_size(INVOCATIONS)
fn matmul_cooperative(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
    let first_row = workgroup.y * ROWS;
    let first_column = workgroup.x * COLUMNS;
    // The part of this block that is inside C.
    let rows = min(ROWS, M - first_row);
    let columns = min(COLUMNS, N - first_column);

    let across = columns / TILE;
    for (var tile = subgroup; tile < rows / TILE * across; tile += subgroups) {
        let row = tile / across * TILE;
        let column = tile % across * TILE;
        multiply(first_row + row, first_column + column, row * COLUMNS + column);
    }
    workgroupBarrier();
    for (var i = index; i < rows * columns; i += INVOCATIONS) {
        let row = i / columns;
        let column = i % columns;
        store(first_row + row, first_column + column, block[row * COLUMNS + column]);
    }
}
