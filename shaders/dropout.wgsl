// y = x / KEEP with probability KEEP, else 0   x, y: (LENGTH)
// One invocation owns one element of y. The backward pass draws the same, with dy for x and dx for y.

const LENGTH: u32 = 1024u;
const FIRST: u32 = 0u;               // elements of the step in front of these
const KEEP: f32 = 0.5;
const STREAM: u32 = 0u;              // a number for every dropout of a network
const ADD: bool = false;             // y += instead of y =

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn dropout(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= LENGTH {
        return;
    }
    let word = random_words(step.seed, random_stream(PURPOSE_DROPOUT, STREAM), step.index, FIRST + at).x;
    var value = select(0.0, x[at] / KEEP, random_unit(word) < KEEP);
    if ADD {
        value += y[at];
    }
    y[at] = value;
}
