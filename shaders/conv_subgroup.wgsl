// y[b, o, p, q] = Σ_{c, r, s} x[b, c, p·stride + r·dilation - pad, q·stride + s·dilation - pad] · w[o, c, r, s]   x: (B, C, H, W)  w: (O, C/G, KH, KW)  y: (B, O, OH, OW)
// One invocation owns PIXELS neighbouring pixels of ROWS channels of y, in registers. With BACKWARD they are of dx.

// For adapters that run on the CPU and have subgroups of exactly 8 (lavapipe).
// There a load is the slow part. So each invocation loads the part of an input
// row that its pixels read once, for all taps and channels. All eight need the
// weights: each loads an eighth of them and shuffles it to the others.

// Forward, input is x and output is y. BACKWARD is the gradient of the input: input is
// dy, output is dx, and an element of dx sums over the outputs whose windows cover it.
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
const BACKWARD: bool = false;
const ADD: bool = false;             // output += instead of output =

// The epilogue of a finished sum.
const PLAIN: u32 = 0u;               // nothing; extra is not read
const BIAS: u32 = 1u;                // activate(sum + extra[channel])   extra: a number per channel of the output
const DERIVATIVE: u32 = 2u;          // sum · activation'(extra[at])     extra: like the output, an activation's output
const EPILOGUE: u32 = 0u;
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

// Sizes of the input (FROM) and the output (TO).
const FROM_CHANNELS: u32 = select(CHANNELS, OUTPUTS, BACKWARD);
const FROM_HEIGHT: u32 = select(HEIGHT, OUT_HEIGHT, BACKWARD);
const FROM_WIDTH: u32 = select(WIDTH, OUT_WIDTH, BACKWARD);
const TO_CHANNELS: u32 = select(OUTPUTS, CHANNELS, BACKWARD);
const TO_HEIGHT: u32 = select(OUT_HEIGHT, HEIGHT, BACKWARD);
const TO_WIDTH: u32 = select(OUT_WIDTH, WIDTH, BACKWARD);
const FROM_GROUP: u32 = FROM_CHANNELS / GROUPS;
const TO_GROUP: u32 = TO_CHANNELS / GROUPS;
const TAPS: u32 = KERNEL_HEIGHT * KERNEL_WIDTH;
const FROM_STEP: u32 = select(1u, TO_GROUP, BACKWARD) * TAPS;    // in w, from one input channel to the next
const TO_STEP: u32 = select(FROM_GROUP, 1u, BACKWARD) * TAPS;    // in w, from one output channel to the next


const ROWS: u32 = select(select(16u, 8u, TO_GROUP <= 8u), 4u, TO_GROUP <= 4u);
const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const HELD: u32 = (ROWS + SUBGROUP - 1u) / SUBGROUP;             // channels whose weights each invocation loads
const TILES: u32 = (TO_GROUP + ROWS - 1u) / ROWS;                // of a group's channels
// With BACKWARD a multiple of the stride, so that the taps of each pixel are known at compile time.
const PIXELS: u32 = select(4u, 3u, BACKWARD && STRIDE_X == 3u);
const ACROSS: u32 = (TO_WIDTH + PIXELS - 1u) / PIXELS;
const STRIPS: u32 = TO_HEIGHT * ACROSS;

// Tap s of pixel j reads column first + (j·stride + s·dilation), or with BACKWARD
// first + (j + pad - s·dilation) / stride. SHIFT keeps that above zero.
const SHIFT: u32 = KERNEL_WIDTH * DILATION_X;                    // in columns of the input
const LOWEST: u32 = (PAD_X + SHIFT * STRIDE_X - (KERNEL_WIDTH - 1u) * DILATION_X) / STRIDE_X;
const WINDOW: u32 = select(
    (PIXELS - 1u) * STRIDE_X + (KERNEL_WIDTH - 1u) * DILATION_X + 1u,
    (PIXELS - 1u + PAD_X) / STRIDE_X + SHIFT - LOWEST + 1u,
    BACKWARD,
);

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;


fn input_row(row: u32, r: u32) -> u32 {
    if BACKWARD {
        let at = row + PAD_Y - r * DILATION_Y;       // below zero it wraps and is too large
        return select(FROM_HEIGHT, min(at / STRIDE_Y, FROM_HEIGHT), at % STRIDE_Y == 0u);
    }
    return min(row * STRIDE_Y + r * DILATION_Y - PAD_Y, FROM_HEIGHT);
}

fn store(at: u32, channel: u32, total: f32) {
    var value = total;
    switch EPILOGUE {
        case BIAS: { value = activate(ACTIVATION, LEAK, value + extra[channel]); }
        case DERIVATIVE: { value *= activation_derivative(ACTIVATION, LEAK, extra[at]); }
        default: {}
    }
    if ADD {
        value += output[at];
    }
    output[at] = value;
}

@compute @workgroup_size(SUBGROUP)
fn conv_subgroup(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    // An invocation beyond the last strip repeats it and stores nothing.
    let strip = min(id.x, STRIPS - 1u);
    let row = strip / ACROSS;
    let column = strip % ACROSS * PIXELS;
    let group = workgroup.y / TILES;
    let tile = workgroup.y % TILES * ROWS;           // the first channel, within the group
    let sample = workgroup.z;
    // The first column of the window; left of the image it wraps and is too large.
    let first = select(column * STRIDE_X - PAD_X, column / STRIDE_X + LOWEST - SHIFT, BACKWARD);

    // Invocation l holds the weights of the channels l and 8 + l.
    var at_weight: array<u32, HELD>;
    for (var i = 0u; i < HELD; i++) {
        let channel = min(tile + i * SUBGROUP + lane, TO_GROUP - 1u);
        at_weight[i] = group * FROM_GROUP * TO_GROUP * TAPS + channel * TO_STEP;
    }

    var sums: array<array<f32, PIXELS>, ROWS>;
    for (var c = 0u; c < FROM_GROUP; c++) {
        let plane = (sample * FROM_CHANNELS + group * FROM_GROUP + c) * FROM_HEIGHT;
        for (var r = 0u; r < KERNEL_HEIGHT; r++) {
            let from_row = input_row(row, r);
            let start = (plane + min(from_row, FROM_HEIGHT - 1u)) * FROM_WIDTH;
            // The compiler unrolls the loops below, so that their indices are constants.
            var window: array<f32, WINDOW>;
            for (var i = 0u; i < WINDOW; i++) {
                let from_column = first + i;
                let value = input[start + min(from_column, FROM_WIDTH - 1u)];
                window[i] = select(0.0, value, from_row < FROM_HEIGHT && from_column < FROM_WIDTH);
            }
            var held: array<array<f32, HELD>, KERNEL_WIDTH>;
            for (var s = 0u; s < KERNEL_WIDTH; s++) {
                for (var i = 0u; i < HELD; i++) {
                    held[s][i] = weights[at_weight[i] + c * FROM_STEP + r * KERNEL_WIDTH + s];
                }
            }
            for (var s = 0u; s < KERNEL_WIDTH; s++) {
                // The columns that tap s of each pixel reads.
                var pixels: array<f32, PIXELS>;
                for (var j = 0u; j < PIXELS; j++) {
                    if BACKWARD {
                        let reach = j + PAD_X + SHIFT * STRIDE_X - s * DILATION_X;
                        pixels[j] = select(0.0, window[reach / STRIDE_X - LOWEST], reach % STRIDE_X == 0u);
                    } else {
                        pixels[j] = window[j * STRIDE_X + s * DILATION_X];
                    }
                }
                for (var t = 0u; t < ROWS; t++) {
                    let tap = subgroupShuffle(held[s][t / SUBGROUP], t % SUBGROUP);
                    for (var j = 0u; j < PIXELS; j++) {
                        sums[t][j] += tap * pixels[j];
                    }
                }
            }
        }
    }
    if id.x >= STRIPS {
        return;
    }
    // Unrolled as well: an index that isn't constant would put all sums into memory.
    for (var t = 0u; t < ROWS; t++) {
        let channel = group * TO_GROUP + tile + t;
        let start = ((sample * TO_CHANNELS + channel) * TO_HEIGHT + row) * TO_WIDTH + column;
        for (var j = 0u; j < PIXELS; j++) {
            if tile + t < TO_GROUP && column + j < TO_WIDTH {
                store(start + j, channel, sums[t][j]);
            }
        }
    }
}
