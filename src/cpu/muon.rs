//! Twins of `muon_momentum.wgsl`, `frobenius_normalise.wgsl`, `newton_schulz.wgsl` and `muon.wgsl`.
//! The products between them are those of `matmul.wgsl`.

use super::tracked::{Number, Tracked};
use super::{EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// The new velocity and the direction, see [`muon_momentum`].
fn momentum<N: Number>(call: Call, velocity: N, gradient: N) -> [N; 2] {
    let momentum = N::exact(call.step.momentum.into());
    let rest = N::exact(1.0) - momentum;
    let velocity = momentum * velocity + rest * gradient;
    [velocity, momentum * velocity + rest * gradient]
}

/// v = momentum · v + (1 - momentum) · g   u = momentum · v + (1 - momentum) · g
pub fn muon_momentum<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [velocities, directions] = writes else { unreachable!("the kernel table binds two outputs") };
    let pairs = velocities.real().iter_mut().zip(directions.real());
    for ((velocity, direction), gradient) in pairs.zip(reads[0].real()) {
        [*velocity, *direction] = momentum(call, velocity.f64(), gradient.f64()).map(T::of);
    }
}

pub fn muon_momentum_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [velocities, directions] = writes else { unreachable!("the kernel table binds two outputs") };
    let pairs = velocities.real().iter_mut().zip(directions.real());
    for ((velocity, direction), gradient) in pairs.zip(reads[0].real()) {
        let [v, u] = momentum(call, Tracked::exact(*velocity), Tracked::exact(*gradient));
        [*velocity, *direction] = [v.error, u.error];
    }
}

/// The least norm that is divided by, so that zeros stay zeros.
const LEAST: f64 = 1e-7;

/// The sum of the partial sums.
fn total<T: Real>(sums: &[T]) -> f64 {
    sums.iter().map(|sum| sum.f64()).sum()
}

/// The norm from partial sums of squares, at least [`LEAST`].
pub fn norm_of<T: Real>(sums: &[T]) -> f64 {
    total(sums).sqrt().max(LEAST)
}

/// x = u / max(√Σ sums, 1e-7)
pub fn frobenius_normalise<T: Real>(_: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let norm = norm_of(reads[1].real());
    for (x, u) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *x = T::of(u.f64() / norm);
    }
}

pub fn frobenius_normalise_bound(_: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let sums = reads[1].real();
    // Squares are positive, so the sum of their sizes is their sum.
    let error = sums.len() as f64 * EPS * total(sums) + TINY;
    let norm = Tracked { value: total(sums), error }.sqrt();
    let least = Tracked { value: LEAST, error: EPS * LEAST };
    for (x, u) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *x = (Tracked::exact(*u) / norm.max(least)).error;
    }
}

/// y = P · x + Q · y
pub fn newton_schulz<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [p, q] = ["P", "Q"].map(|name| call.consts.float(name));
    for (y, x) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *y = T::of(p * x.f64() + q * y.f64());
    }
}

pub fn newton_schulz_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [p, q] = ["P", "Q"].map(|name| call.consts.float(name));
    for (y, x) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *y = 2.0 * EPS * ((p * x).abs() + (q * *y).abs()) + 2.0 * TINY;
    }
}

/// w = w - learning_rate · (SCALE · x + DECAY · w)
pub fn muon<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [scale, decay] = ["SCALE", "DECAY"].map(|name| call.consts.float(name));
    let rate = f64::from(call.step.learning_rate);
    for (w, x) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *w = T::of(w.f64() - rate * (scale * x.f64() + decay * w.f64()));
    }
}

pub fn muon_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [scale, decay] = ["SCALE", "DECAY"].map(|name| call.consts.float(name));
    let rate = f64::from(call.step.learning_rate);
    for (w, x) in writes[0].real().iter_mut().zip(reads[0].real()) {
        let size = rate * ((scale * x).abs() + (decay * *w).abs());
        // Two products and their sum, times the learning rate, and the difference.
        *w = 4.0 * EPS * size + EPS * w.abs() + 4.0 * TINY;
    }
}
