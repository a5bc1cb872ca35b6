// y[b, o, p, q] = Σ_{c, r, s} x[b, c, p·stride + r·dilation - pad, q·stride + s·dilation - pad] · w[o, c, r, s]   x: (B, C, H, W)  w: (O, C/G, KH, KW)  y: (B, O, OH, OW)
// One workgroup owns TILE channels by TILE pixels of y, one invocation a block of 4×4 of them, in registers. With BACKWARD they are of dx.

// A matrix product whose second factor is never stored: weights (channels, k) times
// windows (k, pixels), where k counts input channels and taps.

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

const PIXELS: u32 = BATCH * TO_HEIGHT * TO_WIDTH;
const LENGTH: u32 = FROM_GROUP * TAPS;           // of a sum

const TILE: u32 = 32u;               // channels and pixels of a tile
const TILE_K: u32 = 8u;              // terms of the sums that one round adds
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s, and in invocations
const PITCH: u32 = FOURS + 1u;       // vec4s from one k to the next, so that stores hit different memory banks
const TILES: u32 = (TO_GROUP + TILE - 1u) / TILE;                // of a group's channels
const ACROSS: u32 = 32768u;          // workgroups side by side; more tiles of pixels go to z

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> extra: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;


// Both with k as the slower index, see matmul.wgsl.
var<workgroup> tile_w: array<vec4<f32>, TILE_K * PITCH>;
var<workgroup> tile_x: array<vec4<f32>, TILE_K * PITCH>;

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

// Beyond the edges the tiles hold zeros, which add nothing.
fn load_weight(group: u32, channel: u32, k: u32) -> f32 {
    if channel >= TO_GROUP || k >= LENGTH {
        return 0.0;
    }
    let first = group * FROM_GROUP * TO_GROUP * TAPS;
    return weights[first + k / TAPS * FROM_STEP + channel * TO_STEP + k % TAPS];
}

// A pixel of the output: its offset in its plane, and the offsets of its sample in input and output.
struct Pixel {
    row: u32,
    column: u32,
    read: u32,
    write: u32,
    exists: bool,
}

fn pixel_at(pixel: u32, group: u32) -> Pixel {
    let sample = pixel / (TO_WIDTH * TO_HEIGHT);
    return Pixel(
        pixel / TO_WIDTH % TO_HEIGHT,
        pixel % TO_WIDTH,
        (sample * FROM_CHANNELS + group * FROM_GROUP) * FROM_HEIGHT,
        sample * TO_CHANNELS * TO_WIDTH * TO_HEIGHT + pixel % (TO_WIDTH * TO_HEIGHT),
        pixel < PIXELS,
    );
}

fn load_pixel(pixel: Pixel, c: u32, r: u32, s: u32) -> f32 {
    let row = input_row(pixel.row, r);
    let column = input_column(pixel.column, s);
    if !pixel.exists || c >= FROM_GROUP || row >= FROM_HEIGHT || column >= FROM_WIDTH {
        return 0.0;
    }
    return input[(pixel.read + c * FROM_HEIGHT + row) * FROM_WIDTH + column];
}

fn store(pixel: Pixel, channel: u32, total: f32) {
    let at = pixel.write + channel * TO_WIDTH * TO_HEIGHT;
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

@compute @workgroup_size(FOURS, FOURS)
fn conv(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let group = workgroup.y / TILES;
    let first_channel = workgroup.y % TILES * TILE;
    let first_pixel = (workgroup.z * ACROSS + workgroup.x) * TILE;
    var sum0 = vec4<f32>();          // channel 0 of the block, and so on
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();

    // The pixels and the channel that this invocation loads for.
    let loaded = first_pixel + 4u * (index % FOURS);
    let pixel0 = pixel_at(loaded, group);
    let pixel1 = pixel_at(loaded + 1u, group);
    let pixel2 = pixel_at(loaded + 2u, group);
    let pixel3 = pixel_at(loaded + 3u, group);
    let four = index / TILE_K;
    let weighed = first_channel + 4u * four;

    for (var first_k = 0u; first_k < LENGTH; first_k += TILE_K) {
        // Neighbouring invocations read neighbouring weights, and neighbouring pixels.
        let own = first_k + index % TILE_K;
        tile_w[index % TILE_K * PITCH + four] = vec4<f32>(
            load_weight(group, weighed, own),
            load_weight(group, weighed + 1u, own),
            load_weight(group, weighed + 2u, own),
            load_weight(group, weighed + 3u, own),
        );
        let k = first_k + index / FOURS;
        let c = k / TAPS;
        let r = k % TAPS / KERNEL_WIDTH;
        let s = k % KERNEL_WIDTH;
        tile_x[index / FOURS * PITCH + index % FOURS] = vec4<f32>(
            load_pixel(pixel0, c, r, s),
            load_pixel(pixel1, c, r, s),
            load_pixel(pixel2, c, r, s),
            load_pixel(pixel3, c, r, s),
        );
        workgroupBarrier();
        // Two loads feed sixteen products.
        for (var k = 0u; k < TILE_K; k++) {
            let left = tile_w[k * PITCH + local.y];
            let right = tile_x[k * PITCH + local.x];
            sum0 += left.x * right;
            sum1 += left.y * right;
            sum2 += left.z * right;
            sum3 += left.w * right;
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    let sums = array<vec4<f32>, 4>(sum0, sum1, sum2, sum3);
    for (var j = 0u; j < 4u; j++) {
        let pixel = pixel_at(first_pixel + 4u * local.x + j, group);
        for (var i = 0u; i < 4u; i++) {
            let in_group = first_channel + 4u * local.y + i;
            if pixel.exists && in_group < TO_GROUP {
                store(pixel, group * TO_GROUP + in_group, sums[i][j]);
            }
        }
    }
}
