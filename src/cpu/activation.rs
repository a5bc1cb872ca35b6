//! Twins of `activation.wgsl` and `activation_backward.wgsl`, and the error bounds of `activate` and
//! `activation_derivative` in f32.

use super::{DIVISION, EPS, TINY, exp_error};
use crate::kernel::activation::normal_density;
use crate::kernel::{Activation, Call, Real, Slice, SliceMut};

/// Largest error of Φ in f32.
///
/// The shader's polynomial is off by 1.5e-7 in erf, by half of that
/// in Φ, and its terms, of which the largest is below 2, by a rounding or two for each of five
/// steps; the argument of exp is rounded and exp itself is not exact.
fn normal_below_error(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp();
    0.75e-7 + density * (24.0 * EPS + exp_error(0.5 * x * x) + 2.0 * EPS * x * x) + TINY
}

/// Largest error of the density in f32.
fn normal_density_error(x: f64) -> f64 {
    normal_density(x) * (2.0 * EPS + exp_error(0.5 * x * x) + 2.0 * EPS * x * x) + TINY
}

impl Activation {
    /// Largest error of the f32 result at an input that is itself off by `error`.
    pub fn apply_error(self, x: f64, error: f64) -> f64 {
        let y = self.apply(x);
        match self {
            Activation::Identity | Activation::Relu => error,
            Activation::LeakyRelu(slope) => error * f64::from(slope).abs().max(1.0) + EPS * y.abs(),
            // The derivative is at most 1/4; e⁻|ˣ| may be in the numerator and in the denominator.
            Activation::Sigmoid => error / 4.0 + y * (2.0 * exp_error(x) + EPS + DIVISION) + TINY,
            Activation::Tanh => {
                let e = (-2.0 * x.abs()).exp();
                let from_exp = 2.0 * e * exp_error(2.0 * x) / (1.0 + e).powi(2);
                error + from_exp + y.abs() * (2.0 * EPS + DIVISION) + TINY
            }
            // Both derivatives are below 1.2.
            Activation::Gelu => 1.2 * error + x.abs() * normal_below_error(x) + 2.0 * EPS * y.abs() + TINY,
            Activation::Silu => {
                let sigmoid = Activation::Sigmoid.apply_error(x, 0.0);
                1.2 * error + x.abs() * sigmoid + EPS * y.abs() + TINY
            }
        }
    }

    /// Largest error of the f32 derivative from an exact output `y`.
    pub fn derivative_error(self, y: f64) -> f64 {
        match self {
            Activation::Identity | Activation::Relu | Activation::LeakyRelu(_) => 0.0,
            Activation::Sigmoid => 2.0 * EPS * self.derivative(y).abs() + TINY,
            Activation::Tanh => EPS * (y * y + self.derivative(y).abs()) + TINY,
            Activation::Gelu => {
                let second = y.abs() * (normal_density_error(y) + EPS * normal_density(y));
                normal_below_error(y) + second + 2.0 * EPS + TINY * (1.0 + y.abs())
            }
            Activation::Silu => {
                let s = Activation::Sigmoid.apply(y);
                let error = Activation::Sigmoid.apply_error(y, 0.0);
                let bracket =
                    y.abs() * (error + 2.0 * EPS * (1.0 - s)) + 2.0 * EPS * (1.0 + y.abs() * (1.0 - s));
                error * (1.0 + y.abs() * (1.0 - s))
                    + (s + error) * bracket
                    + EPS * self.derivative(y).abs()
                    + TINY
            }
        }
    }
}

/// y = activate(x)
pub fn activation<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let activation = Activation::of(call);
    for (y, x) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *y = T::of(activation.apply(x.f64()));
    }
}

pub fn activation_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let activation = Activation::of(call);
    for (y, x) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *y = activation.apply_error(*x, 0.0);
    }
}

/// dx = dy · activation'(y)
pub fn activation_backward<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (activation, add) = (Activation::of(call), call.consts.flag("ADD"));
    let (y, dy, dx) = (reads[0].real(), reads[1].real(), writes[0].real());
    for i in 0..dx.len() {
        let gradient = dy[i].f64() * activation.derivative(y[i].f64());
        dx[i] = T::of(if add { dx[i].f64() + gradient } else { gradient });
    }
}

pub fn activation_backward_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (activation, add) = (Activation::of(call), call.consts.flag("ADD"));
    let (y, dy, dx) = (reads[0].real(), reads[1].real(), writes[0].real());
    for i in 0..dx.len() {
        let gradient = dy[i] * activation.derivative(y[i]);
        let error = dy[i].abs() * activation.derivative_error(y[i]) + EPS * gradient.abs() + TINY;
        dx[i] = error + if add { EPS * (gradient.abs() + dx[i].abs()) } else { 0.0 };
    }
}
