// dw[z, o, c, r, s] = Σ_{(b, p) in slice z} Σ_q dy[b, o, p, q] · x[b, c, p·stride + r·dilation - pad, q·stride + s·dilation - pad]   dy: (B, O, OH, OW)  x: (B, C, H, W)  dw: (SLICES, O, C/G, KH, KW)
// One invocation owns one row of the kernel, of one input channel and ROWS output channels, over one slice of the batch.

// For adapters that run on the CPU and have subgroups of exactly 8 (lavapipe).
// There a load is the slow part. So each invocation loads the part of an input
// row that PIXELS outputs read once, for all taps and all its outputs. All eight
// need dy: each loads an eighth of it and shuffles it to the others.
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

const ROWS: u32 = select(select(16u, 8u, OWN <= 8u || KERNEL_WIDTH > 4u), 4u, OWN <= 4u);
const TILES: u32 = (OWN + ROWS - 1u) / ROWS;     // of a group's outputs
const PIXELS: u32 = 4u;
const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const HELD: u32 = ROWS * PIXELS / SUBGROUP;      // values of dy that each invocation loads
const WINDOW: u32 = (PIXELS - 1u) * STRIDE_X + (KERNEL_WIDTH - 1u) * DILATION_X + 1u;

@compute @workgroup_size(SUBGROUP)
fn conv_weights_subgroup(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    // An invocation beyond the last row of a kernel repeats it and stores nothing.
    let own = min(id.x, SEEN * KERNEL_HEIGHT - 1u);
    let c = own / KERNEL_HEIGHT;
    let r = own % KERNEL_HEIGHT;
    let group = workgroup.y / TILES;
    let tile = group * OWN + workgroup.y % TILES * ROWS;
    let last = group * OWN + OWN - 1u;
    let z = workgroup.z;

    var sums: array<array<f32, KERNEL_WIDTH>, ROWS>;
    for (var line = z * SLICE; line < min((z + 1u) * SLICE, LINES); line++) {
        let sample = line / OUT_HEIGHT;
        let p = line % OUT_HEIGHT;
        let row = p * STRIDE_Y + r * DILATION_Y - PAD_Y;         // above the image it wraps and is too large
        let x_row = ((sample * CHANNELS + group * SEEN + c) * HEIGHT + min(row, HEIGHT - 1u)) * WIDTH;
        let dy_row = (sample * OUTPUTS * OUT_HEIGHT + p) * OUT_WIDTH;
        for (var q = 0u; q < OUT_WIDTH; q += PIXELS) {
            // The compiler unrolls the loops below, so that their indices are constants.
            var window: array<f32, WINDOW>;
            for (var i = 0u; i < WINDOW; i++) {
                let column = q * STRIDE_X + i - PAD_X;
                let value = x[x_row + min(column, WIDTH - 1u)];
                window[i] = select(0.0, value, row < HEIGHT && column < WIDTH);
            }
            // Invocation l holds pixel l % 4 of the outputs l / 4, 2 + l / 4, …
            var held: array<f32, HELD>;
            let column = q + lane % PIXELS;
            for (var i = 0u; i < HELD; i++) {
                let own_output = min(tile + i * (SUBGROUP / PIXELS) + lane / PIXELS, last);
                let at = dy_row + own_output * OUT_HEIGHT * OUT_WIDTH + min(column, OUT_WIDTH - 1u);
                held[i] = select(0.0, dy[at], column < OUT_WIDTH);
            }
            for (var t = 0u; t < ROWS; t++) {
                var gradient: array<f32, PIXELS>;
                for (var j = 0u; j < PIXELS; j++) {
                    let pixel = t * PIXELS + j;
                    gradient[j] = subgroupShuffle(held[pixel / SUBGROUP], pixel % SUBGROUP);
                }
                for (var s = 0u; s < KERNEL_WIDTH; s++) {
                    var sum = sums[t][s];
                    for (var j = 0u; j < PIXELS; j++) {
                        sum += gradient[j] * window[j * STRIDE_X + s * DILATION_X];
                    }
                    sums[t][s] = sum;
                }
            }
        }
    }
    if id.x >= SEEN * KERNEL_HEIGHT {
        return;
    }
    for (var i = 0u; i < ROWS * KERNEL_WIDTH; i++) {
        let t = i / KERNEL_WIDTH;
        let s = i % KERNEL_WIDTH;
        if tile + t <= last {
            dw[z * WEIGHTS + (((tile + t) * SEEN + c) * KERNEL_HEIGHT + r) * KERNEL_WIDTH + s] = sums[t][s];
        }
    }
}
