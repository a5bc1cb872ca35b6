//! Twins of `ada_grad.wgsl`, `rms_prop.wgsl`, `rms_prop_momentum.wgsl`, `rms_prop_centred.wgsl`,
//! `adam.wgsl` and `lion.wgsl`:
//! updates whose step depends on each parameter's own gradients.
//!
//! Each rule stands here once: computed in f64 it is the twin, computed in
//! [`Tracked`] its bound.

use super::sgd::Decay;
use super::tracked::{Number, Tracked};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// A parameter of the arena with its gradient and optimiser state.
struct Weight<N> {
    w: N,
    gradient: N,
    /// Its weight decay; 0 for biases and norms.
    decay: N,
    /// Its optimiser state, in the order of the bindings.
    ///
    /// Some rules use only the first.
    kept: [N; 3],
}

impl<N: Number> Weight<N> {
    /// The gradient with L2 decay, and the decoupled decay.
    fn decayed(&self, call: Call) -> (N, N) {
        let decay = self.decay * self.w;
        if call.consts.flag("DECOUPLED") {
            (self.gradient, decay)
        } else {
            (self.gradient + decay, N::exact(0.0))
        }
    }

    /// w - learning_rate · direction, with the new optimiser state.
    fn step<const KEPT: usize>(mut self, call: Call, direction: N, kept: [N; KEPT]) -> Weight<N> {
        self.w = self.w - N::exact(call.step.learning_rate.into()) * direction;
        self.kept[..KEPT].copy_from_slice(&kept);
        self
    }
}

/// Applies `rule` to every parameter; `store` turns its numbers into written ones.
fn update<T: Real, N: Number>(
    call: Call,
    reads: &[Slice<T>],
    writes: &mut [SliceMut<T>],
    rule: impl Fn(Weight<N>) -> Weight<N>,
    store: impl Fn(N) -> f64,
) {
    let decays = Decay::of(call);
    for (at, gradient) in reads[0].real().iter().enumerate() {
        let mut numbers = [0.0; 4];
        for (number, buffer) in numbers.iter_mut().zip(writes.iter_mut()) {
            *number = buffer.real()[at].f64();
        }
        let [w, kept @ ..] = numbers.map(N::exact);
        let (gradient, decay) = (N::exact(gradient.f64()), N::exact(decays.at(at)));
        let next = rule(Weight { w, gradient, decay, kept });
        for (number, buffer) in [next.w].into_iter().chain(next.kept).zip(writes.iter_mut()) {
            buffer.real()[at] = T::of(store(number));
        }
    }
}

fn constant<N: Number>(call: Call, name: &str) -> N {
    N::exact(call.consts.float(name))
}

/// decay · old + (1 - decay) · new
fn moving_average<N: Number>(decay: N, old: N, new: N) -> N {
    decay * old + (N::exact(1.0) - decay) * new
}

/// s = s + g²   w = w - learning_rate · g / (√s + EPSILON)
fn ada_grad_rule<N: Number>(call: Call, weight: Weight<N>) -> Weight<N> {
    let (g, decay) = weight.decayed(call);
    let squares = weight.kept[0] + g * g;
    let direction = g / (squares.sqrt() + constant(call, "EPSILON")) + decay;
    weight.step(call, direction, [squares])
}

pub fn ada_grad<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    update(call, reads, writes, |weight| ada_grad_rule(call, weight), |number: f64| number);
}

pub fn ada_grad_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    update(call, reads, writes, |weight| ada_grad_rule(call, weight), |number: Tracked| number.error);
}

/// s = SMOOTHING · s + (1 - SMOOTHING) · g²   w = w - learning_rate · g / (√s + EPSILON)
fn rms_prop_rule<N: Number>(call: Call, weight: Weight<N>) -> Weight<N> {
    let (g, decay) = weight.decayed(call);
    let squares = moving_average(constant(call, "SMOOTHING"), weight.kept[0], g * g);
    let direction = g / (squares.sqrt() + constant(call, "EPSILON")) + decay;
    weight.step(call, direction, [squares])
}

pub fn rms_prop<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    update(call, reads, writes, |weight| rms_prop_rule(call, weight), |number: f64| number);
}

pub fn rms_prop_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    update(call, reads, writes, |weight| rms_prop_rule(call, weight), |number: Tracked| number.error);
}

/// s = SMOOTHING · s + (1 - SMOOTHING) · g²   v = momentum · v + g / (√s + EPSILON)
/// w = w - learning_rate · v
fn rms_prop_momentum_rule<N: Number>(call: Call, weight: Weight<N>) -> Weight<N> {
    let (g, decay) = weight.decayed(call);
    let squares = moving_average(constant(call, "SMOOTHING"), weight.kept[0], g * g);
    let momentum = N::exact(call.step.momentum.into());
    let velocity = momentum * weight.kept[1] + g / (squares.sqrt() + constant(call, "EPSILON"));
    weight.step(call, velocity + decay, [squares, velocity])
}

pub fn rms_prop_momentum<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    update(call, reads, writes, |weight| rms_prop_momentum_rule(call, weight), |number: f64| number);
}

pub fn rms_prop_momentum_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    update(
        call,
        reads,
        writes,
        |weight| rms_prop_momentum_rule(call, weight),
        |number: Tracked| number.error,
    );
}

/// c = SMOOTHING · (c + (1 - SMOOTHING) · (g - m)²)   m = SMOOTHING · m + (1 - SMOOTHING) · g
/// v = momentum · v + g / (√c + EPSILON)   w = w - learning_rate · v
fn rms_prop_centred_rule<N: Number>(call: Call, weight: Weight<N>) -> Weight<N> {
    let (g, decay) = weight.decayed(call);
    let [variance, mean, velocity] = weight.kept;
    let smoothing: N = constant(call, "SMOOTHING");
    let off = g - mean;
    let variance = smoothing * (variance + (N::exact(1.0) - smoothing) * (off * off));
    let mean = moving_average(smoothing, mean, g);
    let momentum = N::exact(call.step.momentum.into());
    let velocity = momentum * velocity + g / (variance.sqrt() + constant(call, "EPSILON"));
    weight.step(call, velocity + decay, [variance, mean, velocity])
}

pub fn rms_prop_centred<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    update(call, reads, writes, |weight| rms_prop_centred_rule(call, weight), |number: f64| number);
}

pub fn rms_prop_centred_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    update(call, reads, writes, |weight| rms_prop_centred_rule(call, weight), |number: Tracked| number.error);
}

/// m = BETA1 · m + (1 - BETA1) · g   s = BETA2 · s + (1 - BETA2) · g²
/// w = w - learning_rate · (m · mean_correction) / (√(s · square_correction) + EPSILON)
fn adam_rule<N: Number>(call: Call, weight: Weight<N>) -> Weight<N> {
    let (g, decay) = weight.decayed(call);
    let means = moving_average(constant(call, "BETA1"), weight.kept[0], g);
    let squares = moving_average(constant(call, "BETA2"), weight.kept[1], g * g);
    let corrections = [call.step.mean_correction, call.step.square_correction];
    let [mean, square] = corrections.map(|correction| N::exact(correction.into()));
    let direction = (means * mean) / ((squares * square).sqrt() + constant(call, "EPSILON")) + decay;
    weight.step(call, direction, [means, squares])
}

pub fn adam<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    update(call, reads, writes, |weight| adam_rule(call, weight), |number: f64| number);
}

pub fn adam_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    update(call, reads, writes, |weight| adam_rule(call, weight), |number: Tracked| number.error);
}

/// w = w - learning_rate · sign(BETA1 · m + (1 - BETA1) · g)   m = BETA2 · m + (1 - BETA2) · g
fn lion_rule<N: Number>(call: Call, weight: Weight<N>) -> Weight<N> {
    let (g, decay) = weight.decayed(call);
    let direction = moving_average(constant(call, "BETA1"), weight.kept[0], g).sign() + decay;
    let means = moving_average(constant(call, "BETA2"), weight.kept[0], g);
    weight.step(call, direction, [means])
}

pub fn lion<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    update(call, reads, writes, |weight| lion_rule(call, weight), |number: f64| number);
}

pub fn lion_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    update(call, reads, writes, |weight| lion_rule(call, weight), |number: Tracked| number.error);
}
