// Put in front of every kernel. What a kernel does not use costs nothing.

// What changes from one training step to the next. One slot of 256 bytes per
// step; a dispatch reads the slot of its step through a dynamic offset.
struct Step {
    slot: u32,            // which row of the metrics buffer belongs to this step
    first: u32,           // position in the shuffled order of the step's first sample
    samples: u32,         // how many rows of the batch are real (the last batch may be short)
    index: u32,           // steps taken since the run began
    learning_rate: f32,
    momentum: f32,
    seed: u32,
    epoch: u32,
}
@group(1) @binding(0) var<uniform> step: Step;

// A flat grid is FLAT_WIDTH invocations wide and as high as needed, because
// WebGPU allows 65,535 workgroups along one dimension.
const FLAT_WIDTH: u32 = 2097152u;

fn flat_index(id: vec3<u32>) -> u32 {
    return id.y * FLAT_WIDTH + id.x;
}

// Activations, by the numbers that `Activation` has in Rust.
const IDENTITY: u32 = 0u;
const RELU: u32 = 1u;
const LEAKY_RELU: u32 = 2u;
const SIGMOID: u32 = 3u;
const TANH: u32 = 4u;

// Written with exp(-|x|) so that no intermediate overflows.
fn sigmoid(x: f32) -> f32 {
    let e = exp(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// tanh x = (1 - e) / (1 + e) with e = exp(-2|x|), and the sign of x. WGSL's own
// tanh may be off by 1e-5; this one is as good as exp.
fn tanh_by_exp(x: f32) -> f32 {
    let e = exp(-2.0 * abs(x));
    let t = (1.0 - e) / (1.0 + e);
    return select(-t, t, x >= 0.0);
}

fn activate(kind: u32, slope: f32, x: f32) -> f32 {
    switch kind {
        case RELU: { return max(x, 0.0); }
        case LEAKY_RELU: { return select(slope * x, x, x > 0.0); }
        case SIGMOID: { return sigmoid(x); }
        case TANH: { return tanh_by_exp(x); }
        default: { return x; }
    }
}

// The derivative, from the activation's output y. All of these can be told from
// the output alone (for leaky relu while its slope is positive), so the input
// need not be kept for the backward pass.
fn activation_slope(kind: u32, slope: f32, y: f32) -> f32 {
    switch kind {
        case RELU: { return select(0.0, 1.0, y > 0.0); }
        case LEAKY_RELU: { return select(slope, 1.0, y > 0.0); }
        case SIGMOID: { return y * (1.0 - y); }
        case TANH: { return 1.0 - y * y; }
        default: { return 1.0; }
    }
}
