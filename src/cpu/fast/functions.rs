//! Activations in f32 that vectorise: with their own exp, and without branches in a loop.

use crate::kernel::Activation;

/// Runs `body` with `kind` bound to each activation's constant.
///
/// So a loop in it is compiled for each activation, without a branch for every element.
macro_rules! for_kind {
    ($activation:expr, $kind:ident => $body:expr) => {{
        use crate::kernel::Activation;
        match $activation {
            Activation::Identity => {
                let $kind = Activation::Identity;
                $body
            }
            Activation::Relu => {
                let $kind = Activation::Relu;
                $body
            }
            Activation::LeakyRelu(slope) => {
                let $kind = Activation::LeakyRelu(slope);
                $body
            }
            Activation::Sigmoid => {
                let $kind = Activation::Sigmoid;
                $body
            }
            Activation::Tanh => {
                let $kind = Activation::Tanh;
                $body
            }
            Activation::Gelu => {
                let $kind = Activation::Gelu;
                $body
            }
            Activation::Silu => {
                let $kind = Activation::Silu;
                $body
            }
        }
    }};
}
pub(super) use for_kind;

/// eˣ of an x that is not above 0, to within a few units in the last place; NaN of NaN.
///
/// x = n·ln 2 + r with a whole n, and eʳ by its series: |r| is at most half of ln 2, where the
/// first term left out is below 2⁻²⁶ of the sum.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Added to a small number, this rounds it and leaves the whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: a product of the first with n is exact.
    const UPPER: f32 = 0.693_359_4;
    const LOWER: f32 = -2.121_944_4e-4;
    // Below this the result is subnormal.
    const LEAST: f32 = -87.336_54;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * UPPER) - n * LOWER;
    let mut sum = 1.0 / 5_040.0;
    for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * r + term;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    if x < LEAST { 0.0 } else { sum * power }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    ((1.0 - e) / (1.0 + e)).copysign(x)
}

/// The distribution function of the standard normal distribution, by the formula in `common.wgsl`.
#[inline(always)]
fn normal_below(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let mut series = 1.061_405_4;
    for term in [-1.453_152, 1.421_413_8, -0.284_496_72, 0.254_829_6, 0.0] {
        series = series * t + term;
    }
    let beyond = 0.5 * series * exp(-0.5 * x * x);
    if x >= 0.0 { 1.0 - beyond } else { beyond }
}

/// An activation in f32.
#[inline(always)]
pub fn apply(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => tanh(x),
        Activation::Gelu => x * normal_below(x),
        Activation::Silu => x * sigmoid(x),
    }
}

/// The derivative, from the output; for gelu and silu from the input.
#[inline(always)]
pub fn derivative(activation: Activation, y: f32) -> f32 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Relu => {
            if y > 0.0 {
                1.0
            } else {
                0.0
            }
        }
        Activation::LeakyRelu(slope) => {
            if y > 0.0 {
                1.0
            } else {
                slope
            }
        }
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
        Activation::Gelu => normal_below(y) + y * (exp(-0.5 * y * y) * 0.398_942_3),
        Activation::Silu => {
            let s = sigmoid(y);
            s * (1.0 + y * (1.0 - s))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::exp_error;

    #[test]
    fn exp_is_as_exact_as_its_bound_says() {
        for step in 0..200_000 {
            let x = -(step as f32) * 5e-4;
            let (got, truth) = (f64::from(exp(x)), f64::from(x).exp());
            // The bound allows worse hardware; this function is within three units.
            let bound = truth * exp_error(0.0) + f64::from(f32::MIN_POSITIVE);
            assert!((got - truth).abs() <= bound, "exp({x}) is {got:e}, not {truth:e}");
        }
        assert_eq!((exp(0.0), exp(f32::NEG_INFINITY)), (1.0, 0.0));
        assert!(exp(f32::NAN).is_nan());
    }
}
