// C = A·B   A: (M, K)  B: (K, N)  C: (M, N); A may be stored as (K, M), B as (N, K).
// One subgroup of eight owns 16 rows by 32 columns of C, one invocation four of its columns, in registers.

// For adapters that run on the CPU and have subgroups of exactly 8 (lavapipe).
// There a load is slow, and a vec4 hardly slower than one number. So each number
// is loaded once, as part of a vec4, and shuffled to the other invocations; stores
// are vec4s as well. K and N must be multiples of 4; so must M with TRANSPOSE_A.

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

const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const ROWS: u32 = 16u;               // of a block; a multiple of SUBGROUP
const COLUMNS: u32 = 4u * SUBGROUP;
const LOADS: u32 = ROWS / SUBGROUP;

// In vec4s: the length of a stored row of A and of B, and how far apart the
// loads of two successive rounds of 4 k's are.
const WIDTH_A: u32 = select(K, M, TRANSPOSE_A) / 4u;
const WIDTH_B: u32 = select(N, K, TRANSPOSE_B) / 4u;
const STEP_A: u32 = select(1u, 4u * WIDTH_A, TRANSPOSE_A);
const STEP_B: u32 = select(4u * WIDTH_B, 1u, TRANSPOSE_B);

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> extra: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

// Four sums of one row, to the four columns from 4 · quad.
fn store(row: u32, quad: u32, total: vec4<f32>) {
    if row >= M || quad >= N / 4u {
        return;
    }
    let at = row * (N / 4u) + quad;
    var value = total;
    if EPILOGUE == BIAS {
        value += extra[quad];
        for (var i = 0u; i < 4u; i++) {
            value[i] = activate(ACTIVATION, LEAK, value[i]);
        }
    }
    if EPILOGUE == DERIVATIVE {
        let y = extra[at];
        for (var i = 0u; i < 4u; i++) {
            value[i] *= activation_derivative(ACTIVATION, LEAK, y[i]);
        }
    }
    if ADD {
        value += c[at];
    }
    c[at] = value;
}

// Four successive k's of row r out of the eight rows that the subgroup loaded.
// r must be a constant at compile time: only then is a shuffle cheap.
fn row_of(left: vec4<f32>, r: u32) -> vec4<f32> {
    if TRANSPOSE_A {                 // invocation 2i + h holds k = i of the rows 4h to 4h + 3
        let lane = r / 4u;
        let four = left[r % 4u];
        return vec4<f32>(
            subgroupShuffle(four, lane),
            subgroupShuffle(four, lane + 2u),
            subgroupShuffle(four, lane + 4u),
            subgroupShuffle(four, lane + 6u),
        );
    }
    return subgroupShuffle(left, r); // invocation r holds row r
}

@compute @workgroup_size(SUBGROUP)
fn matmul_subgroup(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let first_row = workgroup.y * ROWS;
    let column = workgroup.x * COLUMNS + 4u * lane;

    // Beyond the edges a block repeats the last row or column; store drops the result.
    var at_a: array<u32, LOADS>;
    for (var i = 0u; i < LOADS; i++) {
        let row = first_row + i * SUBGROUP;
        at_a[i] = select(
            min(row + lane, M - 1u) * WIDTH_A,
            lane / 2u * WIDTH_A + min(row / 4u + lane % 2u, M / 4u - 1u),
            TRANSPOSE_A,
        );
    }
    var at_b: array<u32, 4>;
    for (var s = 0u; s < 4u; s++) {
        at_b[s] = select(
            s * WIDTH_B + min(column / 4u, N / 4u - 1u),
            min(column + s, N - 1u) * WIDTH_B,
            TRANSPOSE_B,
        );
    }

    var sums: array<vec4<f32>, ROWS>;
    for (var k = 0u; k < K; k += 4u) {
        var left: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            left[i] = a[at_a[i]];
            at_a[i] += STEP_A;
        }
        var right: mat4x4<f32>;      // right[i]: the four columns at k + i
        for (var s = 0u; s < 4u; s++) {
            right[s] = b[at_b[s]];
            at_b[s] += STEP_B;
        }
        if TRANSPOSE_B {
            right = transpose(right);
        }
        for (var r = 0u; r < ROWS; r++) {
            let row = row_of(left[r / SUBGROUP], r % SUBGROUP);
            sums[r] += row.x * right[0];
            sums[r] += row.y * right[1];
            sums[r] += row.z * right[2];
            sums[r] += row.w * right[3];
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        store(first_row + r, column / 4u, sums[r]);
    }
}
