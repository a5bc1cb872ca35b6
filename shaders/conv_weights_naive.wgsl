// dw[z, o, c, r, s] = Σ_{(b, p) in slice z} Σ_q dy[b, o, p, q] · x[b, c, p·stride + r·dilation - pad, q·stride + s·dilation - pad]   dy: (B, O, OH, OW)  x: (B, C, H, W)  dw: (SLICES, O, C/G, KH, KW)
// One invocation owns one element of dw: one weight's gradient over one slice of the batch.

// Another dispatch adds up the slices, always in the same order. One sum over the
// whole batch would leave most of a GPU idle, and has more rounds than some drivers allow.
const BATCH: u32 = 64u;
const CHANNELS: u32 = 16u;           // of x
const HEIGHT: u32 = 28u;
const WIDTH: u32 = 28u;
const OUTPUTS: u32 = 16u;            // channels of y
const OUT_HEIGHT: u32 = 26u;
const OUT_WIDTH: u32 = 26u;
const KERNEL_HEIGHT: u32 = 3u;
const KERNEL_WIDTH: u32 = 3u;
const STRIDE_Y: u32 = 1u;
const STRIDE_X: u32 = 1u;
const PAD_Y: u32 = 0u;
const PAD_X: u32 = 0u;
const DILATION_Y: u32 = 1u;
const DILATION_X: u32 = 1u;
const GROUPS: u32 = 1u;              // outputs read the channels of their group only
const SLICE: u32 = 64u;              // rows of dy in a slice, counted over the batch

const SEEN: u32 = CHANNELS / GROUPS;
const OWN: u32 = OUTPUTS / GROUPS;
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const WEIGHTS: u32 = OUTPUTS * SEEN * TAPS;
const LINES: u32 = BATCH * OUT_HEIGHT;           // rows of dy in total
const SLICES: u32 = (LINES + SLICE - 1u) / SLICE;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(64)
fn conv_weights_naive(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= SLICES * WEIGHTS {
        return;
    }
    let s = at % KERNEL_WIDTH;
    let r = at / KERNEL_WIDTH % KERNEL_HEIGHT;
    let c = at / TAPS % SEEN;
    let o = at / (TAPS * SEEN) % OUTPUTS;
    let z = at / WEIGHTS;
    let channel = o / OWN * SEEN + c;
    var sum = 0.0;
    for (var line = z * SLICE; line < min((z + 1u) * SLICE, LINES); line++) {
        let sample = line / OUT_HEIGHT;
        let p = line % OUT_HEIGHT;
        let row = p * STRIDE_Y + r * DILATION_Y - PAD_Y;         // above the image it wraps and is too large
        if row >= HEIGHT {
            continue;
        }
        let x_row = ((sample * CHANNELS + channel) * HEIGHT + row) * WIDTH;
        let dy_row = ((sample * OUTPUTS + o) * OUT_HEIGHT + p) * OUT_WIDTH;
        for (var q = 0u; q < OUT_WIDTH; q++) {
            let column = q * STRIDE_X + s * DILATION_X - PAD_X;
            if column < WIDTH {
                sum += dy[dy_row + q] * x[x_row + column];
            }
        }
    }
    dw[at] = sum;
}
