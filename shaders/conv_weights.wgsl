// dw[z, o, c, r, s] = Σ_{(b, p) in slice z} Σ_q dy[b, o, p, q] · x[b, c, p·stride + r·dilation - pad, q·stride + s·dilation - pad]   dy: (B, O, OH, OW)  x: (B, C, H, W)  dw: (SLICES, O, C/G, KH, KW)
// One workgroup owns TILE outputs by TILE weights of dw over one slice, one invocation a block of 4×4 of them, in registers.

// A matrix product whose second factor is never stored: dy (outputs, k) times
// windows (k, weights), where k counts the windows of the slice.
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

const LENGTH: u32 = SLICE * OUT_WIDTH;           // of a sum

const TILE: u32 = 32u;               // outputs and weights of a tile
const TILE_K: u32 = 8u;              // terms of the sums that one round adds
const FOURS: u32 = TILE / 4u;        // a tile's side in vec4s, and in invocations
const PITCH: u32 = FOURS + 1u;       // vec4s from one k to the next, so that stores hit different memory banks
const TILES: u32 = (OWN + TILE - 1u) / TILE;     // of a group's outputs

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

// Both with k as the slower index, see matmul.wgsl.
var<workgroup> tile_dy: array<vec4<f32>, TILE_K * PITCH>;
var<workgroup> tile_x: array<vec4<f32>, TILE_K * PITCH>;

// Beyond the edges the tiles hold zeros, which add nothing.
fn load_gradient(group: u32, own: u32, line: u32, q: u32) -> f32 {
    if own >= OWN || line >= LINES {
        return 0.0;
    }
    let plane = line / OUT_HEIGHT * OUTPUTS + group * OWN + own;
    return dy[(plane * OUT_HEIGHT + line % OUT_HEIGHT) * OUT_WIDTH + q];
}

fn load_pixel(group: u32, weight: u32, line: u32, q: u32) -> f32 {
    let row = line % OUT_HEIGHT * STRIDE_Y + weight % TAPS / KERNEL_WIDTH * DILATION_Y - PAD_Y;
    let column = q * STRIDE_X + weight % KERNEL_WIDTH * DILATION_X - PAD_X;
    // Above and left of the image they wrap and are too large.
    if weight >= SEEN * TAPS || line >= LINES || row >= HEIGHT || column >= WIDTH {
        return 0.0;
    }
    let plane = line / OUT_HEIGHT * CHANNELS + group * SEEN + weight / TAPS;
    return x[(plane * HEIGHT + row) * WIDTH + column];
}

fn store_four(z: u32, group: u32, own: u32, weight: u32, totals: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        if own < OWN && weight + i < SEEN * TAPS {
            dw[z * WEIGHTS + (group * OWN + own) * SEEN * TAPS + weight + i] = totals[i];
        }
    }
}

@compute @workgroup_size(FOURS, FOURS)
fn conv_weights(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let group = workgroup.y / TILES;
    let first_own = workgroup.y % TILES * TILE;
    let first_weight = workgroup.x * TILE;
    let z = workgroup.z;
    var sum0 = vec4<f32>();          // output 0 of the block, and so on
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();

    let four = index / TILE_K;
    let loaded_own = first_own + 4u * four;
    let loaded_weight = first_weight + 4u * four;
    for (var first_k = 0u; first_k < LENGTH; first_k += TILE_K) {
        // Neighbouring invocations read neighbouring windows.
        let k = first_k + index % TILE_K;
        // Lines past the end of the slice count as zeros.
        let line = select(z * SLICE + k / OUT_WIDTH, LINES, k >= LENGTH);
        let q = k % OUT_WIDTH;
        tile_dy[index % TILE_K * PITCH + four] = vec4<f32>(
            load_gradient(group, loaded_own, line, q),
            load_gradient(group, loaded_own + 1u, line, q),
            load_gradient(group, loaded_own + 2u, line, q),
            load_gradient(group, loaded_own + 3u, line, q),
        );
        tile_x[index % TILE_K * PITCH + four] = vec4<f32>(
            load_pixel(group, loaded_weight, line, q),
            load_pixel(group, loaded_weight + 1u, line, q),
            load_pixel(group, loaded_weight + 2u, line, q),
            load_pixel(group, loaded_weight + 3u, line, q),
        );
        workgroupBarrier();
        // Two loads feed sixteen products.
        for (var k = 0u; k < TILE_K; k++) {
            let left = tile_dy[k * PITCH + local.y];
            let right = tile_x[k * PITCH + local.x];
            sum0 += left.x * right;
            sum1 += left.y * right;
            sum2 += left.z * right;
            sum3 += left.w * right;
        }
        workgroupBarrier();          // all have read the tiles before they are overwritten
    }

    let own = first_own + 4u * local.y;
    let weight = first_weight + 4u * local.x;
    store_four(z, group, own, weight, sum0);
    store_four(z, group, own + 1u, weight, sum1);
    store_four(z, group, own + 2u, weight, sum2);
    store_four(z, group, own + 3u, weight, sum3);
}
