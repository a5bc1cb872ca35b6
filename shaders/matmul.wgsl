// C = A·B   A: (M, K)  B: (K, N)  C: (M, N); A may be stored as (K, M), B as (N, K).
// One workgroup owns a square tile of C, one invocation a block of 4×4 of it, in registers.

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

// 32 gives enough workgroups for the small products of training. 64 reads memory
// half as often, which pays once there are more tiles than the GPU has cores.
const TILE: u32 = 32u;               // rows and columns of C in a tile
const TILE_K: u32 = 32u;             // terms of the sums that one round adds
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s, and in invocations
const INVOCATIONS: u32 = FOURS * FOURS;
const VECTORS: u32 = TILE_K * FOURS; // vec4s of A, and of B, in a round
const PITCH: u32 = FOURS + 1u;       // vec4s from one k to the next: invocations that store
                                     // neighbouring k's then hit different memory banks

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// Both with k as the slower index: [k][row / 4] and [k][column / 4]. A row of the
// block then needs four neighbours of one k, and they are one vec4.
var<workgroup> tile_a: array<vec4<f32>, TILE_K * PITCH>;
var<workgroup> tile_b: array<vec4<f32>, TILE_K * PITCH>;

// Beyond the edges of A and B the tile holds zeros, which add nothing.
fn load_a(row: u32, k: u32) -> f32 {
    if row >= M || k >= K {
        return 0.0;
    }
    return a[select(row * K + k, k * M + row, TRANSPOSE_A)];
}

fn load_b(k: u32, column: u32) -> f32 {
    if column >= N || k >= K {
        return 0.0;
    }
    return b[select(k * N + column, column * K + k, TRANSPOSE_B)];
}

fn store(row: u32, column: u32, total: f32) {
    if row >= M || column >= N {
        return;
    }
    let at = row * N + column;
    var value = total;
    switch EPILOGUE {
        case BIAS: { value = activate(ACTIVATION, LEAK, value + extra[column]); }
        case DERIVATIVE: { value *= activation_derivative(ACTIVATION, LEAK, extra[at]); }
        default: {}
    }
    if ADD {
        value += c[at];
    }
    c[at] = value;
}

fn store_four(row: u32, column: u32, totals: vec4<f32>) {
    store(row, column, totals.x);
    store(row, column + 1u, totals.y);
    store(row, column + 2u, totals.z);
    store(row, column + 3u, totals.w);
}

@compute @workgroup_size(FOURS, FOURS)
fn matmul(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = workgroup.y * TILE;
    let first_column = workgroup.x * TILE;
    var sum0 = vec4<f32>();          // row 0 of the block, and so on
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();

    for (var first_k = 0u; first_k < K; first_k += TILE_K) {
        // Neighbouring invocations read neighbouring addresses, so the fastest
        // index depends on how the matrix is stored.
        for (var round = 0u; round < VECTORS / INVOCATIONS; round++) {
            let i = round * INVOCATIONS + index;
            let k = select(i % TILE_K, i / FOURS, TRANSPOSE_A);
            let four = select(i / TILE_K, i % FOURS, TRANSPOSE_A);
            let row = first_row + 4u * four;
            tile_a[k * PITCH + four] = vec4<f32>(
                load_a(row, first_k + k),
                load_a(row + 1u, first_k + k),
                load_a(row + 2u, first_k + k),
                load_a(row + 3u, first_k + k),
            );
        }
        for (var round = 0u; round < VECTORS / INVOCATIONS; round++) {
            let i = round * INVOCATIONS + index;
            let k = select(i / FOURS, i % TILE_K, TRANSPOSE_B);
            let four = select(i % FOURS, i / TILE_K, TRANSPOSE_B);
            let column = first_column + 4u * four;
            tile_b[k * PITCH + four] = vec4<f32>(
                load_b(first_k + k, column),
                load_b(first_k + k, column + 1u),
                load_b(first_k + k, column + 2u),
                load_b(first_k + k, column + 3u),
            );
        }
        workgroupBarrier();
        // Two loads feed sixteen products.
        for (var k = 0u; k < TILE_K; k++) {
            let left = tile_a[k * PITCH + local.y];
            let right = tile_b[k * PITCH + local.x];
            sum0 += left.x * right;
            sum1 += left.y * right;
            sum2 += left.z * right;
            sum3 += left.w * right;
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    let row = first_row + 4u * local.y;
    let column = first_column + 4u * local.x;
    store_four(row, column, sum0);
    store_four(row + 1u, column, sum1);
    store_four(row + 2u, column, sum2);
    store_four(row + 3u, column, sum3);
}
