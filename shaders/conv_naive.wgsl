// y[b, o, p, q] = Σ_{c, r, s} x[b, c, p·stride + r·dilation - pad, q·stride + s·dilation - pad] · w[o, c, r, s]   x: (B, C, H, W)  w: (O, C/G, KH, KW)  y: (B, O, OH, OW)
// One invocation owns one element of y: the weighted sum of its window. With BACKWARD it owns one of dx.

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

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

// The input row that tap r of this output row reads; FROM_HEIGHT for none.
fn input_row(row: u32, r: u32) -> u32 {
    if BACKWARD {
        let at = row + PAD_Y - r * DILATION_Y;       // below zero it wraps and is too large
        return select(FROM_HEIGHT, min(at / STRIDE_Y, FROM_HEIGHT), at % STRIDE_Y == 0u);
    }
    return min(row * STRIDE_Y + r * DILATION_Y - PAD_Y, FROM_HEIGHT);
}

fn input_column(column: u32, s: u32) -> u32 {
    if BACKWARD {
        let at = column + PAD_X - s * DILATION_X;
        return select(FROM_WIDTH, min(at / STRIDE_X, FROM_WIDTH), at % STRIDE_X == 0u);
    }
    return min(column * STRIDE_X + s * DILATION_X - PAD_X, FROM_WIDTH);
}

@compute @workgroup_size(64)
fn conv_naive(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= BATCH * TO_CHANNELS * TO_HEIGHT * TO_WIDTH {
        return;
    }
    let column = at % TO_WIDTH;
    let row = at / TO_WIDTH % TO_HEIGHT;
    let channel = at / (TO_WIDTH * TO_HEIGHT) % TO_CHANNELS;
    let sample = at / (TO_WIDTH * TO_HEIGHT * TO_CHANNELS);
    let group = channel / TO_GROUP;
    var sum = 0.0;
    for (var c = 0u; c < FROM_GROUP; c++) {
        let plane = (sample * FROM_CHANNELS + group * FROM_GROUP + c) * FROM_HEIGHT;
        let first = group * FROM_GROUP * TO_GROUP * TAPS + c * FROM_STEP + channel % TO_GROUP * TO_STEP;
        for (var r = 0u; r < KERNEL_HEIGHT; r++) {
            let from_row = input_row(row, r);
            if from_row == FROM_HEIGHT {
                continue;
            }
            for (var s = 0u; s < KERNEL_WIDTH; s++) {
                let from_column = input_column(column, s);
                if from_column < FROM_WIDTH {
                    let value = input[(plane + from_row) * FROM_WIDTH + from_column];
                    sum += value * weights[first + r * KERNEL_WIDTH + s];
                }
            }
        }
    }
    switch EPILOGUE {
        case BIAS: { sum = activate(ACTIVATION, LEAK, sum + extra[channel]); }
        case DERIVATIVE: { sum *= activation_derivative(ACTIVATION, LEAK, extra[at]); }
        default: {}
    }
    if ADD {
        sum += output[at];
    }
    output[at] = sum;
}
