// C = A·B   A: (M, K)  B: (K, N) in f16  C: (M, N); A may be stored as (K, M), B as (N, K).
// One workgroup owns a tile of 32×32 of C, one invocation a block of 4×4 of it, in registers.

// As matmul_vectors.wgsl, but B is f16, two to a word, as pack_f16.wgsl writes them: half as much to
// read. All sums are f32. K and N must be multiples of 4; so must M with TRANSPOSE_A.

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

const TILE: u32 = 32u;               // rows and columns of C in a tile
const TILE_K: u32 = 32u;             // terms of the sums that one round adds
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s, and in invocations
const INVOCATIONS: u32 = FOURS * FOURS;
const ROUNDS: u32 = TILE_K * FOURS / INVOCATIONS;
const PITCH: u32 = FOURS + 1u;       // vec4s from one k to the next: invocations that store
                                     // neighbouring k's then hit different memory banks

// In fours: the length of a stored row of A, of B, and of C.
const WIDTH_A: u32 = select(K, M, TRANSPOSE_A) / 4u;
const WIDTH_B: u32 = select(N, K, TRANSPOSE_B) / 4u;
const WIDTH: u32 = N / 4u;

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> extra: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

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
    let word = 2u * (row * WIDTH_B + at);
    return vec4<f32>(unpack2x16float(b[word]), unpack2x16float(b[word + 1u]));
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

@compute @workgroup_size(FOURS, FOURS)
fn matmul_f16(
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
    let quad = first_column / 4u + local.x;
    store(row, quad, sum0);
    store(row + 1u, quad, sum1);
    store(row + 2u, quad, sum2);
    store(row + 3u, quad, sum3);
}
