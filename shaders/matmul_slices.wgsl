// P[z] = A·B over slice z of K   A: (M, K)  B: (K, N)  P: (SLICES, M, N); A may be stored as (K, M), B as (N, K).
// One workgroup owns a tile of 32×32 of one slice, one invocation a block of 4×4 of it, in registers.

// The first of two dispatches for a long product with a small result, on real GPUs: such a product has few
// tiles, and with a workgroup for each most of the GPU would be idle. add_slices.wgsl is the second. This
// one reads whole vec4s, so the stored rows of A and B must be multiples of 4 long; N need not be with TRANSPOSE_B.

const M: u32 = 64u;
const N: u32 = 64u;
const K: u32 = 784u;
const TRANSPOSE_A: bool = false;
const TRANSPOSE_B: bool = false;
const SLICES: u32 = 7u;
const SLICE: u32 = 128u;             // of K; a multiple of TILE_K, and only the last slice may be shorter

const TILE: u32 = 32u;               // rows and columns of C in a tile
const TILE_K: u32 = 32u;             // terms of the sums that one round adds
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s, and in invocations
const INVOCATIONS: u32 = FOURS * FOURS;
const ROUNDS: u32 = TILE_K * FOURS / INVOCATIONS;
const PITCH: u32 = FOURS + 1u;       // vec4s from one k to the next: invocations that store
                                     // neighbouring k's then hit different memory banks

// In vec4s: the length of a stored row of A, and of B.
const WIDTH_A: u32 = select(K, M, TRANSPOSE_A) / 4u;
const WIDTH_B: u32 = select(N, K, TRANSPOSE_B) / 4u;

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;

// Both with k as the slower index: [k][row / 4] and [k][column / 4]. A row of the
// block then needs four neighbours of one k, and they are one vec4.
var<workgroup> tile_a: array<vec4<f32>, TILE_K * PITCH>;
var<workgroup> tile_b: array<vec4<f32>, TILE_K * PITCH>;

// The vec4 at this row and column of the stored A or B. Beyond the edges there are zeros, which add
// nothing.
fn load_a(row: u32, at: u32) -> vec4<f32> {
    if row >= select(M, K, TRANSPOSE_A) || at >= WIDTH_A {
        return vec4<f32>();
    }
    return a[row * WIDTH_A + at];
}

fn load_b(row: u32, at: u32) -> vec4<f32> {
    if row >= select(K, N, TRANSPOSE_B) || at >= WIDTH_B {
        return vec4<f32>();
    }
    return b[row * WIDTH_B + at];
}

// In one layout a stored row is a k. In the other a vec4 is four k's, and an invocation transposes a
// square of four of them.
fn fill_a(first_row: u32, first_k: u32, index: u32) {
    if TRANSPOSE_A {
        for (var round = 0u; round < ROUNDS; round++) {
            let i = round * INVOCATIONS + index;
            let k = i / FOURS;
            tile_a[k * PITCH + i % FOURS] = load_a(first_k + k, first_row / 4u + i % FOURS);
        }
        return;
    }
    let row = first_row + index / (TILE_K / 4u) * 4u;
    let at = first_k / 4u + index % (TILE_K / 4u);
    let square = transpose(mat4x4<f32>(
        load_a(row, at),
        load_a(row + 1u, at),
        load_a(row + 2u, at),
        load_a(row + 3u, at),
    ));
    let to = index % (TILE_K / 4u) * 4u * PITCH + index / (TILE_K / 4u);
    tile_a[to] = square[0];
    tile_a[to + PITCH] = square[1];
    tile_a[to + 2u * PITCH] = square[2];
    tile_a[to + 3u * PITCH] = square[3];
}

fn fill_b(first_column: u32, first_k: u32, index: u32) {
    if !TRANSPOSE_B {
        for (var round = 0u; round < ROUNDS; round++) {
            let i = round * INVOCATIONS + index;
            let k = i / FOURS;
            tile_b[k * PITCH + i % FOURS] = load_b(first_k + k, first_column / 4u + i % FOURS);
        }
        return;
    }
    let column = first_column + index / (TILE_K / 4u) * 4u;
    let at = first_k / 4u + index % (TILE_K / 4u);
    let square = transpose(mat4x4<f32>(
        load_b(column, at),
        load_b(column + 1u, at),
        load_b(column + 2u, at),
        load_b(column + 3u, at),
    ));
    let to = index % (TILE_K / 4u) * 4u * PITCH + index / (TILE_K / 4u);
    tile_b[to] = square[0];
    tile_b[to + PITCH] = square[1];
    tile_b[to + 2u * PITCH] = square[2];
    tile_b[to + 3u * PITCH] = square[3];
}

fn store(slice: u32, row: u32, column: u32, total: f32) {
    if row < M && column < N {
        parts[(slice * M + row) * N + column] = total;
    }
}

fn store_four(slice: u32, row: u32, column: u32, totals: vec4<f32>) {
    store(slice, row, column, totals.x);
    store(slice, row, column + 1u, totals.y);
    store(slice, row, column + 2u, totals.z);
    store(slice, row, column + 3u, totals.w);
}

@compute @workgroup_size(FOURS, FOURS)
fn matmul_slices(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = workgroup.y * TILE;
    let first_column = workgroup.x * TILE;
    let end = min(K, (workgroup.z + 1u) * SLICE);
    var sum0 = vec4<f32>();          // row 0 of the block, and so on
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();

    for (var first_k = workgroup.z * SLICE; first_k < end; first_k += TILE_K) {
        fill_a(first_row, first_k, index);
        fill_b(first_column, first_k, index);
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
    store_four(workgroup.z, row, column, sum0);
    store_four(workgroup.z, row + 1u, column, sum1);
    store_four(workgroup.z, row + 2u, column, sum2);
    store_four(workgroup.z, row + 3u, column, sum3);
}
