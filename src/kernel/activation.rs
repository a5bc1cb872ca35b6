//! Activations: the functions that kernels apply to each value, as in `common.wgsl`.
//!
//! Their error bounds in f32 are with the twins, in `src/cpu/activation.rs`.

use super::{Call, Const, Consts};

/// An elementwise function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// x
    Identity,
    /// max(x, 0)
    Relu,
    /// x where positive, else slope · x, with a positive slope
    LeakyRelu(f32),
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// (1 - e⁻²ˣ) / (1 + e⁻²ˣ)
    Tanh,
    /// x · Φ(x)
    Gelu,
    /// x / (1 + e⁻ˣ)
    Silu,
}

/// Φ(x), the distribution function of the standard normal distribution.
pub fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// φ(x), the density of the standard normal distribution.
pub fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

impl Activation {
    /// The constants that choose it in a shader: `ACTIVATION` and `LEAK`.
    pub fn consts(self) -> (Const, Const) {
        let (kind, leak) = match self {
            Activation::Identity => (0, 0.0),
            Activation::Relu => (1, 0.0),
            Activation::LeakyRelu(slope) => (2, slope),
            Activation::Sigmoid => (3, 0.0),
            Activation::Tanh => (4, 0.0),
            Activation::Gelu => (5, 0.0),
            Activation::Silu => (6, 0.0),
        };
        (Const::Uint(kind), Const::from(leak))
    }

    /// The activation that a call's constants choose.
    pub fn of(call: Call) -> Activation {
        Activation::chosen(call.consts)
    }

    /// The activation that constants choose.
    pub fn chosen(consts: &Consts) -> Activation {
        match consts.uint("ACTIVATION") {
            1 => Activation::Relu,
            2 => Activation::LeakyRelu(consts.float("LEAK") as f32),
            3 => Activation::Sigmoid,
            4 => Activation::Tanh,
            5 => Activation::Gelu,
            6 => Activation::Silu,
            _ => Activation::Identity,
        }
    }

    /// Whether the derivative follows from the output.
    ///
    /// Then the activation may be part of another kernel, and the backward pass doesn't need its input.
    pub fn derivative_is_in_output(self) -> bool {
        !matches!(self, Activation::Gelu | Activation::Silu)
    }

    /// The output at `x`.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu(slope) => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(slope) * x
                }
            }
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
            Activation::Gelu => x * normal_below(x),
            Activation::Silu => x / (1.0 + (-x).exp()),
        }
    }

    /// The derivative where the output is `y`; at `y` itself without [`Activation::derivative_is_in_output`].
    pub fn derivative(self, y: f64) -> f64 {
        match self {
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
                    slope.into()
                }
            }
            Activation::Sigmoid => y * (1.0 - y),
            Activation::Tanh => 1.0 - y * y,
            Activation::Gelu => normal_below(y) + y * normal_density(y),
            Activation::Silu => {
                let s = Activation::Sigmoid.apply(y);
                s * (1.0 + y * (1.0 - s))
            }
        }
    }
}
