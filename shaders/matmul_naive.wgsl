// C = A·B   A: (M, K)  B: (K, N)  C: (M, N); A may be stored as (K, M), B as (N, K).
// One invocation owns one element of C: the weighted sum of a row of A and a column of B.

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

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(64)
fn matmul_naive(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= M * N {
        return;
    }
    let row = at / N;
    let column = at % N;
    var sum = 0.0;
    for (var k = 0u; k < K; k++) {
        let left = a[select(row * K + k, k * M + row, TRANSPOSE_A)];
        let right = b[select(k * N + column, column * K + k, TRANSPOSE_B)];
        sum += left * right;
    }
    switch EPILOGUE {
        case BIAS: { sum = activate(ACTIVATION, LEAK, sum + extra[column]); }
        case DERIVATIVE: { sum *= activation_derivative(ACTIVATION, LEAK, extra[at]); }
        default: {}
    }
    if ADD {
        sum += c[at];
    }
    c[at] = sum;
}
