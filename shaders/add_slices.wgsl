// C = Σ_z P[z]   P: (SLICES, M, N)  C: (M, N)
// One invocation owns one element of C: its sum over the slices, in their order.

// The second of two dispatches for a long product with a small result; matmul_slices.wgsl is the first. The epilogue of the
// product happens here.

const SLICES: u32 = 7u;
const M: u32 = 64u;
const N: u32 = 64u;
const ADD: bool = false;             // C += instead of C =

// The epilogue of a finished sum.
const PLAIN: u32 = 0u;               // nothing; extra is not read
const BIAS: u32 = 1u;                // activate(sum + extra[column])          extra: (N)
const DERIVATIVE: u32 = 2u;          // sum · activation'(extra[row, column])  extra: (M, N), an activation's output
const EPILOGUE: u32 = 0u;
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> extra: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(64)
fn add_slices(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= M * N {
        return;
    }
    var sum = 0.0;
    for (var slice = 0u; slice < SLICES; slice++) {
        sum += parts[slice * M * N + at];
    }
    switch EPILOGUE {
        case BIAS: { sum = activate(ACTIVATION, LEAK, sum + extra[at % N]); }
        case DERIVATIVE: { sum *= activation_derivative(ACTIVATION, LEAK, extra[at]); }
        default: {}
    }
    if ADD {
        sum += c[at];
    }
    c[at] = sum;
}
