// s[z, c] = Σ_{(b, i) in slice z} x[b, c, i]   x: (BATCH, CHANNELS, PLANE)  s: (SLICES, CHANNELS)
// One invocation owns one channel over one slice. It is the gradient of a convolution's bias.

// Another dispatch adds up the slices, always in the same order.
const BATCH: u32 = 64u;
const CHANNELS: u32 = 16u;
const PLANE: u32 = 784u;
const SLICE: u32 = 1024u;            // values of a channel in a slice, counted over the batch

const LENGTH: u32 = BATCH * PLANE;
const SLICES: u32 = (LENGTH + SLICE - 1u) / SLICE;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn channel_sums(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= SLICES * CHANNELS {
        return;
    }
    let channel = at % CHANNELS;
    let z = at / CHANNELS;
    var sum = 0.0;
    for (var i = z * SLICE; i < min((z + 1u) * SLICE, LENGTH); i++) {
        sum += x[(i / PLANE * CHANNELS + channel) * PLANE + i % PLANE];
    }
    sums[at] = sum;
}
