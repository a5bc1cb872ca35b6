// C = A·B   A: (M, K)  B: (K, N)  C: (M, N); A may be stored as (K, M), B as (N, K).
// One invocation owns a block of 8×8 of C, in registers.

// For adapters that run on the CPU. There a load is the slow part, workgroup memory
// is no faster than other memory, and a barrier is expensive: so 16 loads feed 64 products,
// and nothing is shared.

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

const ROWS: u32 = 8u;                // of a block; with 16 the registers run out
const COLUMNS: u32 = 8u;
const BLOCKS_ACROSS: u32 = (N + COLUMNS - 1u) / COLUMNS;

// From one k to the next, in A and in B.
const STEP_A: u32 = select(1u, M, TRANSPOSE_A);
const STEP_B: u32 = select(N, 1u, TRANSPOSE_B);

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

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

@compute @workgroup_size(8)
fn matmul_register(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / BLOCKS_ACROSS * ROWS;
    let column = id.x % BLOCKS_ACROSS * COLUMNS;

    // Beyond the edges a block repeats the last row or column; store drops the result.
    var at_a: array<u32, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
        at_a[r] = min(row + r, M - 1u) * select(K, 1u, TRANSPOSE_A);
    }
    var at_b: array<u32, COLUMNS>;
    for (var s = 0u; s < COLUMNS; s++) {
        at_b[s] = min(column + s, N - 1u) * select(1u, K, TRANSPOSE_B);
    }

    // The compiler unrolls the loops over r and s below, so that their indices are
    // constants; a variable index would cost a separate access per invocation.
    var sums: array<array<f32, COLUMNS>, ROWS>;
    for (var k = 0u; k < K; k++) {
        var left: array<f32, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
            left[r] = a[at_a[r]];
            at_a[r] += STEP_A;
        }
        for (var s = 0u; s < COLUMNS; s++) {
            let right = b[at_b[s]];
            at_b[s] += STEP_B;
            for (var r = 0u; r < ROWS; r++) {
                sums[r][s] += left[r] * right;
            }
        }
    }
    // One loop of 64 rounds, not two of fewer: Mesa unrolls up to 32, and 64 copies
    // of store take seconds to compile.
    for (var i = 0u; i < ROWS * COLUMNS; i++) {
        let r = i / COLUMNS;
        let s = i % COLUMNS;
        store(row + r, column + s, sums[r][s]);
    }
}
