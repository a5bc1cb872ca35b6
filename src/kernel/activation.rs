//! Activations: the functions that kernels apply to each value, as in `common.wgsl`.
//!
//! How far f32 may be from them stands with the twins, in `src/cpu/activation.rs`.

use super::{Call, Const, Consts};

/// An elementwise function; of most the derivative can be told from the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    Identity,
    /// max(x, 0)
    Relu,
    /// x where positive, else slope · x; the slope is positive.
    LeakyRelu(f32),
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// (1 - e⁻²ˣ) / (1 + e⁻²ˣ)
    Tanh,
    /// x · Φ(x), with the distribution function of the normal distribution
    Gelu,
    /// x / (1 + e⁻ˣ)
    Silu,
}

/// Φ, the distribution function of the normal distribution.
pub fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// Its density.
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

    /// Whether the derivative can be told from the output: then the activation may be part of
    /// another kernel, and the backward pass needs its input no more.
    pub fn slope_is_in_output(self) -> bool {
        !matches!(self, Activation::Gelu | Activation::Silu)
    }

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

    /// The derivative at the point whose output is `y`; where it cannot be told from the output,
    /// see [`Activation::slope_is_in_output`], at the point `y`.
    pub fn slope(self, y: f64) -> f64 {
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
