// y[n, p, q] = Σ_{r, s} x[n, p·stride + r - pad, q·stride + s - pad] / (KERNEL_HEIGHT · KERNEL_WIDTH)   x: (PLANES, H, W)  y: (PLANES, OUT_H, OUT_W)
// One invocation owns one element of y. The padding counts as zeros.

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

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn average_pool(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= PLANES * OUT_HEIGHT * OUT_WIDTH {
        return;
    }
    let plane = at / (OUT_HEIGHT * OUT_WIDTH) * HEIGHT * WIDTH;
    let top = at / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y;
    let left = at % OUT_WIDTH * STRIDE_X;
    var sum = 0.0;
    for (var row = max(top, PAD_Y) - PAD_Y; row < min(top + KERNEL_HEIGHT, HEIGHT + PAD_Y) - PAD_Y; row++) {
        for (var column = max(left, PAD_X) - PAD_X; column < min(left + KERNEL_WIDTH, WIDTH + PAD_X) - PAD_X; column++) {
            sum += x[plane + row * WIDTH + column];
        }
    }
    y[at] = sum / f32(KERNEL_HEIGHT * KERNEL_WIDTH);
}
