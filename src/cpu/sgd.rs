//! Twins of `sgd.wgsl` and `sgd_momentum.wgsl`.

use super::{EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// The weight decay: DECAY for the arena's matrices, which stand first, and 0 for the rest.
///
/// Read once for all parameters, because constants are looked up by name.
pub struct Decay {
    decayed: usize,
    decay: f64,
}

impl Decay {
    pub fn of(call: Call) -> Decay {
        Decay { decayed: call.consts.uint("DECAYED"), decay: call.consts.float("DECAY") }
    }

    /// The decay of the parameter at this offset.
    pub fn at(&self, at: usize) -> f64 {
        if at < self.decayed { self.decay } else { 0.0 }
    }
}

/// w = w - learning_rate · (g + DECAY · w)
pub fn sgd<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (rate, decays) = (f64::from(call.step.learning_rate), Decay::of(call));
    for (at, (w, g)) in writes[0].real().iter_mut().zip(reads[0].real()).enumerate() {
        *w = T::of(w.f64() - rate * (g.f64() + decays.at(at) * w.f64()));
    }
}

pub fn sgd_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (rate, decays) = (f64::from(call.step.learning_rate), Decay::of(call));
    for (at, (w, g)) in writes[0].real().iter_mut().zip(reads[0].real()).enumerate() {
        let decay = (decays.at(at) * *w).abs();
        // The product and the sum.
        let error = 2.0 * EPS * (g.abs() + decay) + TINY;
        let change = rate * (g.abs() + decay);
        *w = rate * error + 2.0 * EPS * (w.abs() + change) + TINY;
    }
}

/// One parameter after a step with momentum.
struct Momentum {
    velocity: f64,
    /// The direction, which the learning rate multiplies.
    direction: f64,
    /// Largest errors of the two in f32.
    velocity_error: f64,
    direction_error: f64,
}

/// The constants of all parameters, read once like [`Decay`].
struct MomentumRule {
    decays: Decay,
    momentum: f64,
    /// The factor of the gradient in the velocity.
    factor: f64,
    nesterov: bool,
    decoupled: bool,
}

impl MomentumRule {
    fn of(call: Call) -> MomentumRule {
        // The first velocity is the gradient.
        let factor = if call.step.index == 0 { 1.0 } else { 1.0 - call.consts.float("DAMPENING") };
        let [nesterov, decoupled] = ["NESTEROV", "DECOUPLED"].map(|name| call.consts.flag(name));
        MomentumRule {
            decays: Decay::of(call),
            momentum: call.step.momentum.into(),
            factor,
            nesterov,
            decoupled,
        }
    }

    fn apply(&self, at: usize, w: f64, v: f64, g: f64) -> Momentum {
        let &MomentumRule { ref decays, momentum, factor, nesterov, decoupled } = self;
        let decay = decays.at(at) * w;
        let (gradient, gradient_error) =
            if decoupled { (g, 0.0) } else { (g + decay, 2.0 * EPS * (g.abs() + decay.abs()) + TINY) };
        let velocity = momentum * v + factor * gradient;
        // The factor, two products and the sum.
        let size = (momentum * v).abs() + (factor * gradient).abs();
        let velocity_error = factor.abs() * gradient_error + 3.0 * EPS * size + TINY;
        let (mut direction, mut direction_error) = (velocity, velocity_error);
        if nesterov {
            direction = gradient + momentum * velocity;
            let size = gradient.abs() + (momentum * velocity).abs();
            direction_error = gradient_error + momentum.abs() * velocity_error + 2.0 * EPS * size + TINY;
        }
        if decoupled {
            direction_error += 2.0 * EPS * (direction.abs() + decay.abs()) + TINY;
            direction += decay;
        }
        Momentum { velocity, direction, velocity_error, direction_error }
    }
}

/// v = momentum · v + (1 - DAMPENING) · g   w = w - learning_rate · v
pub fn sgd_momentum<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (rate, rule) = (f64::from(call.step.learning_rate), MomentumRule::of(call));
    let [parameters, velocities] = writes else { unreachable!("the kernel table binds two outputs") };
    let pairs = parameters.real().iter_mut().zip(velocities.real());
    for (at, ((w, v), g)) in pairs.zip(reads[0].real()).enumerate() {
        let step = rule.apply(at, w.f64(), v.f64(), g.f64());
        *v = T::of(step.velocity);
        *w = T::of(w.f64() - rate * step.direction);
    }
}

pub fn sgd_momentum_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (rate, rule) = (f64::from(call.step.learning_rate), MomentumRule::of(call));
    let [parameters, velocities] = writes else { unreachable!("the kernel table binds two outputs") };
    let pairs = parameters.real().iter_mut().zip(velocities.real());
    for (at, ((w, v), g)) in pairs.zip(reads[0].real()).enumerate() {
        let step = rule.apply(at, *w, *v, *g);
        let change = (rate * step.direction).abs();
        *w = rate * step.direction_error + 2.0 * EPS * (w.abs() + change) + TINY;
        *v = step.velocity_error;
    }
}
