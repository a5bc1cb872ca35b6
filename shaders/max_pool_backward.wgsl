// dx[n, i] = Σ_{windows that chose i} dy · activation'(y)   dx: (PLANES, H, W)  chosen, y, dy: (PLANES, OUT_H, OUT_W)
// One invocation owns one element of dx: the sum over all windows that it is in.

const PLANES: u32 = 64u;             // samples times channels
const HEIGHT: u32 = 28u;
const WIDTH: u32 = 28u;
const OUT_HEIGHT: u32 = 14u;
const OUT_WIDTH: u32 = 14u;
const KERNEL_HEIGHT: u32 = 2u;
const KERNEL_WIDTH: u32 = 2u;
const STRIDE_Y: u32 = 2u;
const STRIDE_X: u32 = 2u;
const PAD_Y: u32 = 0u;
const PAD_X: u32 = 0u;
const ACTIVATION: u32 = 0u;          // of the layer whose output x is
const LEAK: f32 = 0.01;
const ADD: bool = false;             // dx += instead of dx =

@group(0) @binding(0) var<storage, read> chosen: array<u32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn max_pool_backward(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= PLANES * HEIGHT * WIDTH {
        return;
    }
    let offset = at % (HEIGHT * WIDTH);
    let plane = at / (HEIGHT * WIDTH) * OUT_HEIGHT * OUT_WIDTH;
    // The windows that cover this element, in the padded plane.
    let row = offset / WIDTH + PAD_Y;
    let column = offset % WIDTH + PAD_X;
    let last_p = min(row / STRIDE_Y, OUT_HEIGHT - 1u);
    let last_q = min(column / STRIDE_X, OUT_WIDTH - 1u);
    var sum = 0.0;
    for (var p = (max(row, KERNEL_HEIGHT - 1u) - (KERNEL_HEIGHT - 1u) + STRIDE_Y - 1u) / STRIDE_Y; p <= last_p; p++) {
        for (var q = (max(column, KERNEL_WIDTH - 1u) - (KERNEL_WIDTH - 1u) + STRIDE_X - 1u) / STRIDE_X; q <= last_q; q++) {
            let window = plane + p * OUT_WIDTH + q;
            if chosen[window] == offset {
                // The value that a window chose is its y.
                sum += dy[window] * activation_derivative(ACTIVATION, LEAK, y[window]);
            }
        }
    }
    if ADD {
        sum += dx[at];
    }
    dx[at] = sum;
}
