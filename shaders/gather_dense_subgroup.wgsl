// y = activate(x·Wᵀ + b)   x[r, v] = image[order[first + r], v] · scale + shift   W: (O, V)  b: (O)  y: (B, O)
// One subgroup of eight owns up to 32 rows by 32 columns of y, one invocation four of its columns, in registers.
//
// The first layer, computed from the packed pixels: one dispatch instead of gather_batch and matmul.
// x is never stored. For adapters that run on the CPU and have subgroups of exactly 8 (lavapipe), like
// matmul_subgroup.wgsl; there loading a word is four times as fast as loading four numbers. V and O must be
// multiples of 4, and so must the values of a channel.

const BATCH: u32 = 64u;
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const VALUES: u32 = 784u;            // values of one image: C·H·W
const PLANE: u32 = 784u;             // values of one channel: H·W
const CHANNELS: u32 = 1u;
const SAMPLES: u32 = 1000u;          // length of `order`
const OUTPUTS: u32 = 128u;
const ACTIVATION: u32 = 0u;
const LEAK: f32 = 0.01;

const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const LOADS: u32 = min((BATCH + SUBGROUP - 1u) / SUBGROUP, 4u);
const ROWS: u32 = LOADS * SUBGROUP;  // of a block: as many as there are, and at most 32
const COLUMNS: u32 = 4u * SUBGROUP;
const WORDS: u32 = VALUES / 4u;      // of an image, and vec4s of a row of W

@group(0) @binding(0) var<storage, read> images: array<u32>;              // (SAMPLES, WORDS)
@group(0) @binding(1) var<storage, read> labels: array<u32>;              // (SAMPLES)
@group(0) @binding(2) var<storage, read> order: array<u32>;               // (SAMPLES), a permutation
@group(0) @binding(3) var<storage, read> normaliser: array<f32>;          // (2, CHANNELS): scale, shift
@group(0) @binding(4) var<storage, read> weight: array<vec4<f32>>;        // (OUTPUTS, VALUES)
@group(0) @binding(5) var<storage, read> bias: array<vec4<f32>>;          // (OUTPUTS)
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;       // (BATCH, OUTPUTS)
@group(0) @binding(7) var<storage, read_write> batch_labels: array<u32>;  // (BATCH)

// Four outputs of one row, from output 4 · quad.
fn store(row: u32, quad: u32, total: vec4<f32>) {
    if row >= BATCH || quad >= OUTPUTS / 4u {
        return;
    }
    var value = total + bias[quad];
    for (var i = 0u; i < 4u; i++) {
        value[i] = activate(ACTIVATION, LEAK, value[i]);
    }
    y[row * (OUTPUTS / 4u) + quad] = value;
}

@compute @workgroup_size(SUBGROUP)
fn gather_dense_subgroup(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let first_row = workgroup.y * ROWS;
    let column = workgroup.x * COLUMNS + 4u * lane;

    // Rows past the end of the data repeat the last sample; the loss ignores them. Beyond the edges a
    // block repeats the last column; store drops the result.
    var at_image: array<u32, LOADS>;
    for (var i = 0u; i < LOADS; i++) {
        let row = first_row + i * SUBGROUP + lane;
        let sample = order[min(step.first + FIRST + min(row, BATCH - 1u), SAMPLES - 1u)];
        at_image[i] = sample * WORDS;
        if workgroup.x == 0u && row < BATCH {
            batch_labels[row] = labels[sample];
        }
    }
    var at_weight: array<u32, 4>;
    for (var s = 0u; s < 4u; s++) {
        at_weight[s] = min(column + s, OUTPUTS - 1u) * WORDS;
    }

    var scale = normaliser[0];
    var shift = normaliser[CHANNELS];
    var sums: array<vec4<f32>, ROWS>;
    for (var word = 0u; word < WORDS; word++) {
        if CHANNELS > 1u {
            let channel = word / (PLANE / 4u);
            scale = normaliser[channel];
            shift = normaliser[CHANNELS + channel];
        }
        var left: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            left[i] = vec4<f32>(unpack4xU8(images[at_image[i]])) * scale + shift;
            at_image[i] += 1u;
        }
        var right: mat4x4<f32>;      // right[i]: the four columns at value 4 · word + i
        for (var s = 0u; s < 4u; s++) {
            right[s] = weight[at_weight[s]];
            at_weight[s] += 1u;
        }
        right = transpose(right);
        // r must be a constant at compile time: only then is a shuffle cheap.
        for (var r = 0u; r < ROWS; r++) {
            let row = subgroupShuffle(left[r / SUBGROUP], r % SUBGROUP);
            sums[r] += row.x * right[0];
            sums[r] += row.y * right[1];
            sums[r] += row.z * right[2];
            sums[r] += row.w * right[3];
        }
    }
    for (var r = 0u; r < ROWS; r++) {
        store(first_row + r, column / 4u, sums[r]);
    }
}
