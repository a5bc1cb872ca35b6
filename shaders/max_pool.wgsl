// y[n, p, q] = max_{r, s} x[n, p·stride + r - pad, q·stride + s - pad]   x: (PLANES, H, W)  y, chosen: (PLANES, OUT_H, OUT_W)
// One invocation owns one element of y, and stores its offset in the plane for the backward pass.

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
@group(0) @binding(2) var<storage, read_write> chosen: array<u32>;

@compute @workgroup_size(64)
fn max_pool(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= PLANES * OUT_HEIGHT * OUT_WIDTH {
        return;
    }
    let plane = at / (OUT_HEIGHT * OUT_WIDTH) * HEIGHT * WIDTH;
    // In the padded plane; the padding itself is never chosen.
    let top = at / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y;
    let left = at % OUT_WIDTH * STRIDE_X;
    var offset = (max(top, PAD_Y) - PAD_Y) * WIDTH + max(left, PAD_X) - PAD_X;
    var best = x[plane + offset];
    for (var row = max(top, PAD_Y) - PAD_Y; row < min(top + KERNEL_HEIGHT, HEIGHT + PAD_Y) - PAD_Y; row++) {
        for (var column = max(left, PAD_X) - PAD_X; column < min(left + KERNEL_WIDTH, WIDTH + PAD_X) - PAD_X; column++) {
            let value = x[plane + row * WIDTH + column];
            if value > best {
                best = value;
                offset = row * WIDTH + column;
            }
        }
    }
    y[at] = best;
    chosen[at] = offset;
}
