// The text in front of every kernel; functions that a kernel does not use cost nothing.

// The values that change from step to step, in one slot of 256 bytes per step. A
// dispatch reads the slot of its step through a dynamic offset.
struct Step {
    slot: u32,            // the step's row of the metrics buffer
    first: u32,           // position in the shuffled order of the step's first sample
    samples: u32,         // of all batches of the step; the last step of an epoch may be short
    index: u32,           // steps taken since the run began
    learning_rate: f32,
    momentum: f32,
    seed: u32,
    epoch: u32,
    mean_correction: f32, // Adam's factor for the means of gradients
    square_correction: f32, // and for the means of their squares
    ema_decay: f32,       // the decay of the EMA of the weights
}
@group(1) @binding(0) var<uniform> step: Step;

// A flat grid is FLAT_WIDTH invocations wide and as high as needed, because
// WebGPU allows 65,535 workgroups along one dimension.
const FLAT_WIDTH: u32 = 2097152u;

fn flat_index(id: vec3<u32>) -> u32 {
    return id.y * FLAT_WIDTH + id.x;
}

// Random numbers without state. Four words are a pure function of the seed, the
// purpose and two counters, such as epoch and sample. This is pcg4d of M. Jarzynski
// and M. Olano, “Hash Functions for GPU Rendering”, Journal of Computer Graphics
// Techniques 9(3), 2020. `random_words` in src/kernel/rng.rs gives the same bits.
fn random_words(seed: u32, purpose: u32, number: u32, index: u32) -> vec4<u32> {
    var v = vec4<u32>(seed, purpose, number, index) * 1664525u + 1013904223u;
    v = pcg_round(v);
    return pcg_round(v ^ (v >> vec4<u32>(16u)));
}

// Each word takes in the product of two others; the order of the lines counts.
fn pcg_round(words: vec4<u32>) -> vec4<u32> {
    var v = words;
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    return v;
}

// Purposes, by the numbers that `Purpose` has in Rust.
const PURPOSE_AUGMENT: u32 = 4u;
const PURPOSE_DROPOUT: u32 = 5u;

// The purpose for `random_words` of one of several streams, such as a layer's number.
fn random_stream(purpose: u32, stream: u32) -> u32 {
    return purpose | (stream << 8u);
}

// From 0 to just below 1, by the upper 24 bits: exact, and the same in Rust.
fn random_unit(word: u32) -> f32 {
    return f32(word >> 8u) * 0x1p-24f;
}

// A gradient is packed to f16 times 2⁸ for each sample of the step, rounded up to a power of two, because a
// loss is a mean over the samples. This is the exponent of that power; the power is built from its bits,
// so that nothing is rounded. `gradient_scale` in src/cpu/f16.rs gives the same.
fn gradient_exponent() -> u32 {
    return 40u - countLeadingZeros(max(step.samples, 1u) - 1u);
}

// Activations, by the numbers that `Activation` has in Rust.
const IDENTITY: u32 = 0u;
const RELU: u32 = 1u;
const LEAKY_RELU: u32 = 2u;
const SIGMOID: u32 = 3u;
const TANH: u32 = 4u;
const GELU: u32 = 5u;
const SILU: u32 = 6u;

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

// The density of the standard normal distribution.
fn normal_density(x: f32) -> f32 {
    return exp(-0.5 * x * x) * 0.3989422804;
}

// Its distribution function, with an error of at most 0.75e-7: from erf by formula
// 7.1.26 of Abramowitz and Stegun, “Handbook of Mathematical Functions”.
fn normal_below(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * 0.7071067812 * abs(x));
    let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    let beyond = 0.5 * p * exp(-0.5 * x * x);
    return select(beyond, 1.0 - beyond, x >= 0.0);
}

fn activate(kind: u32, slope: f32, x: f32) -> f32 {
    switch kind {
        case RELU: { return max(x, 0.0); }
        case LEAKY_RELU: { return select(slope * x, x, x > 0.0); }
        case SIGMOID: { return sigmoid(x); }
        case TANH: { return tanh_by_exp(x); }
        case GELU: { return x * normal_below(x); }
        case SILU: { return x * sigmoid(x); }
        default: { return x; }
    }
}

// The derivative, from the activation's output y, so that the backward pass does not
// need the input (for leaky relu while its slope is positive). For gelu and silu y is
// the input.
fn activation_derivative(kind: u32, slope: f32, y: f32) -> f32 {
    switch kind {
        case RELU: { return select(0.0, 1.0, y > 0.0); }
        case LEAKY_RELU: { return select(slope, 1.0, y > 0.0); }
        case SIGMOID: { return y * (1.0 - y); }
        case TANH: { return 1.0 - y * y; }
        case GELU: { return normal_below(y) + y * normal_density(y); }
        case SILU: { return sigmoid(y) * (1.0 + y * (1.0 - sigmoid(y))); }
        default: { return 1.0; }
    }
}

// The watch over gradients: the sum of the squares of the finite ones, and the count of the others. A
// gradient of 2⁴⁸ or more counts as non-finite too, so that the sum of squares fits f32.
struct Watch {
    squares: f32,
    non_finite: u32,
}

const EXPONENT: u32 = 0x7f800000u;
const TOO_LARGE: u32 = 0x57800000u;   // 2⁴⁸

// It tests bits, because a shader compiler may assume that there is no NaN.
fn watch_four(watch: ptr<function, Watch>, g: vec4<f32>) {
    let bad = (bitcast<vec4<u32>>(g) & vec4<u32>(EXPONENT)) >= vec4<u32>(TOO_LARGE);
    let count = select(vec4<u32>(0u), vec4<u32>(1u), bad);
    let good = select(g, vec4<f32>(0.0), bad);
    (*watch).non_finite += count.x + count.y + count.z + count.w;
    (*watch).squares += dot(good, good);
}
