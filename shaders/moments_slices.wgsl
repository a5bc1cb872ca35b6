// p[z, g] = (mean, Σ (x - mean)²) over slice z of the values (o, i) of group g   x: (OUTER, GROUPS, INNER)  p: (SLICES, GROUPS, 2)
// One invocation owns one group over one slice, and reads it twice, so that no large sums cancel.

// In batch normalisation a group is a channel, OUTER counts samples and INNER
// pixels; in layer normalisation a group is a sample, and OUTER is 1.
const OUTER: u32 = 64u;
const GROUPS: u32 = 16u;
const INNER: u32 = 784u;
const SLICE: u32 = 1024u;            // values of a group in a slice
const BY_SAMPLE: bool = false;       // groups are samples; else the outer index counts them

// Samples past the end of the data are in no mean.
fn length() -> u32 {
    return select(min(OUTER, step.samples), OUTER, BY_SAMPLE) * INNER;
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> slices: array<f32>;

@compute @workgroup_size(64)
fn moments_slices(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= (OUTER * INNER + SLICE - 1u) / SLICE * GROUPS {
        return;
    }
    let group = at % GROUPS;
    let first = at / GROUPS * SLICE;
    let end = min(first + SLICE, length());
    var sum = 0.0;
    for (var i = first; i < end; i++) {
        sum += x[(i / INNER * GROUPS + group) * INNER + i % INNER];
    }
    let mean = sum / f32(max(end, first + 1u) - first);
    var squares = 0.0;
    for (var i = first; i < end; i++) {
        let difference = x[(i / INNER * GROUPS + group) * INNER + i % INNER] - mean;
        squares += difference * difference;
    }
    slices[at * 2u] = mean;
    slices[at * 2u + 1u] = squares;
}
