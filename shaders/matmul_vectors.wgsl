// C = A·B   A: (M, K)  B: (K, N)  C: (M, N); A may be stored as (K, M), B as (N, K).
// One workgroup owns a square tile of C, one invocation a block of 4×4 or 8×8 of it, in registers.

// As matmul.wgsl, but in whole vec4s and with a choice of tiles, for real GPUs: K and N must be
// multiples of 4; so must M with TRANSPOSE_A. It doesn't depend on a compiler that unrolls loops: sums
// are matrices with constant indices, which every compiler keeps in registers.

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

// Small tiles give enough workgroups for the small products of training. Large ones read memory less
// often, and 8×8 sums take half as many loads to a product as 4×4, which pays once there are more
// tiles than the GPU has cores. 32 with 4, 64 with 4 or 8, 128 with 8.
const TILE: u32 = 32u;               // rows and columns of C in a tile
const BLOCK: u32 = 4u;               // of an invocation
const SIDE: u32 = TILE / BLOCK;      // a workgroup's side in invocations
const INVOCATIONS: u32 = SIDE * SIDE;

// Terms of the sums that one round adds: as many as the two tiles of workgroup memory hold. A round then
// has 256 vec4s of A, and of B: 64 squares of 4×4.
const TILE_K: u32 = 1024u / TILE;
const VECTORS: u32 = 256u;
const SQUARES: u32 = 64u;
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s
const PITCH: u32 = FOURS + 1u;       // vec4s from one k to the next: invocations that store
                                     // neighbouring k's then hit different memory banks

// In vec4s: the length of a stored row of A, of B, and of C.
const WIDTH_A: u32 = select(K, M, TRANSPOSE_A) / 4u;
const WIDTH_B: u32 = select(N, K, TRANSPOSE_B) / 4u;
const WIDTH: u32 = N / 4u;

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> extra: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

// Both with k as the slower index: [k][row / 4] and [k][column / 4]. A row of the
// block then needs four neighbours of one k, and they are one vec4.
var<workgroup> tile_a: array<vec4<f32>, TILE_K * PITCH>;
var<workgroup> tile_b: array<vec4<f32>, TILE_K * PITCH>;

// The vec4 at this row and column of a matrix of this size in vec4s. Beyond the edges there are zeros,
// which add nothing.
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

// The layout in which a row of A or B is a k.
fn fill_a(first_row: u32, first_k: u32, index: u32) {
    for (var round = 0u; round < VECTORS / INVOCATIONS; round++) {
        let i = round * INVOCATIONS + index;
        let k = i / FOURS;
        let four = i % FOURS;
        tile_a[k * PITCH + four] = load_a(first_k + k, first_row / 4u + four);
    }
}

fn fill_b(first_column: u32, first_k: u32, index: u32) {
    for (var round = 0u; round < VECTORS / INVOCATIONS; round++) {
        let i = round * INVOCATIONS + index;
        let k = i / FOURS;
        let four = i % FOURS;
        tile_b[k * PITCH + four] = load_b(first_k + k, first_column / 4u + four);
    }
}

// The other layout, in which a vec4 is four k's: an invocation transposes a square of four of them.
// Four invocations that each stored one number of a vec4 could overwrite each other.
fn turn_a(first_row: u32, first_k: u32, index: u32) {
    if index < SQUARES {
        let k = index % (TILE_K / 4u);
        let four = index / (TILE_K / 4u);
        let row = first_row + 4u * four;
        let at = first_k / 4u + k;
        let square = transpose(mat4x4<f32>(
            load_a(row, at),
            load_a(row + 1u, at),
            load_a(row + 2u, at),
            load_a(row + 3u, at),
        ));
        let to = 4u * k * PITCH + four;
        tile_a[to] = square[0];
        tile_a[to + PITCH] = square[1];
        tile_a[to + 2u * PITCH] = square[2];
        tile_a[to + 3u * PITCH] = square[3];
    }
}

fn turn_b(first_column: u32, first_k: u32, index: u32) {
    if index < SQUARES {
        let k = index % (TILE_K / 4u);
        let four = index / (TILE_K / 4u);
        let column = first_column + 4u * four;
        let at = first_k / 4u + k;
        let square = transpose(mat4x4<f32>(
            load_b(column, at),
            load_b(column + 1u, at),
            load_b(column + 2u, at),
            load_b(column + 3u, at),
        ));
        let to = 4u * k * PITCH + four;
        tile_b[to] = square[0];
        tile_b[to + PITCH] = square[1];
        tile_b[to + 2u * PITCH] = square[2];
        tile_b[to + 3u * PITCH] = square[3];
    }
}

// Four rows of sums and four columns of them, one k further; sums[r] is row r.
fn add_products(sums: mat4x4<f32>, left: vec4<f32>, right: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        sums[0] + left.x * right,
        sums[1] + left.y * right,
        sums[2] + left.z * right,
        sums[3] + left.w * right,
    );
}

// Four sums of one row, to the four columns from 4 · quad.
fn store(row: u32, quad: u32, total: vec4<f32>) {
    if row >= M || quad >= WIDTH {
        return;
    }
    let at = row * WIDTH + quad;
    var value = total;
    if EPILOGUE == BIAS {
        value += extra[quad];
        value = vec4<f32>(
            activate(ACTIVATION, LEAK, value.x),
            activate(ACTIVATION, LEAK, value.y),
            activate(ACTIVATION, LEAK, value.z),
            activate(ACTIVATION, LEAK, value.w),
        );
    }
    if EPILOGUE == DERIVATIVE {
        let y = extra[at];
        value *= vec4<f32>(
            activation_derivative(ACTIVATION, LEAK, y.x),
            activation_derivative(ACTIVATION, LEAK, y.y),
            activation_derivative(ACTIVATION, LEAK, y.z),
            activation_derivative(ACTIVATION, LEAK, y.w),
        );
    }
    if ADD {
        value += c[at];
    }
    c[at] = value;
}

fn store_rows(row: u32, quad: u32, sums: mat4x4<f32>) {
    store(row, quad, sums[0]);
    store(row + 1u, quad, sums[1]);
    store(row + 2u, quad, sums[2]);
    store(row + 3u, quad, sums[3]);
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul_vectors(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = workgroup.y * TILE;
    let first_column = workgroup.x * TILE;
    // A block of 8 is in four parts, half a tile apart: neighbours then read neighbouring vec4s.
    var sums = mat4x4<f32>();
    var sums_right = mat4x4<f32>();
    var sums_below = mat4x4<f32>();
    var sums_both = mat4x4<f32>();

    for (var first_k = 0u; first_k < K; first_k += TILE_K) {
        // Neighbouring invocations read neighbouring addresses. One half of the workgroup transposes A
        // while the other transposes B.
        if TRANSPOSE_A {
            fill_a(first_row, first_k, index);
        } else {
            turn_a(first_row, first_k, index);
        }
        if TRANSPOSE_B {
            turn_b(first_column, first_k, (index + INVOCATIONS / 2u) % INVOCATIONS);
        } else {
            fill_b(first_column, first_k, index);
        }
        workgroupBarrier();
        // Two loads feed sixteen products, or four sixty-four.
        for (var k = 0u; k < TILE_K; k++) {
            let left = tile_a[k * PITCH + local.y];
            let right = tile_b[k * PITCH + local.x];
            sums = add_products(sums, left, right);
            if BLOCK == 8u {
                let left_below = tile_a[k * PITCH + local.y + SIDE];
                let right_right = tile_b[k * PITCH + local.x + SIDE];
                sums_right = add_products(sums_right, left, right_right);
                sums_below = add_products(sums_below, left_below, right);
                sums_both = add_products(sums_both, left_below, right_right);
            }
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    let row = first_row + 4u * local.y;
    let quad = first_column / 4u + local.x;
    store_rows(row, quad, sums);
    if BLOCK == 8u {
        store_rows(row, quad + SIDE, sums_right);
        store_rows(row + TILE / 2u, quad, sums_below);
        store_rows(row + TILE / 2u, quad + SIDE, sums_both);
    }
}
