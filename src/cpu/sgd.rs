//! The twin of `sgd.wgsl`.

use super::guard::stopped;
use super::{EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// v = momentum · v + g   w = w - learning_rate · v, unless the guard says stop
pub fn sgd<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (rate, momentum) = (f64::from(call.step.learning_rate), f64::from(call.step.momentum));
    let [parameters, velocities] = writes else { unreachable!("the kernel table binds two outputs") };
    if stopped(reads[1]) {
        return;
    }
    let pairs = parameters.real().iter_mut().zip(velocities.real());
    for ((w, v), g) in pairs.zip(reads[0].real()) {
        let velocity = momentum * v.f64() + g.f64();
        *v = T::of(velocity);
        *w = T::of(w.f64() - rate * velocity);
    }
}

pub fn sgd_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (rate, momentum) = (f64::from(call.step.learning_rate), f64::from(call.step.momentum));
    let [parameters, velocities] = writes else { unreachable!("the kernel table binds two outputs") };
    if stopped(reads[1]) {
        // Nothing may change, not by a bit.
        parameters.real().fill(0.0);
        velocities.real().fill(0.0);
        return;
    }
    let pairs = parameters.real().iter_mut().zip(velocities.real());
    for ((w, v), g) in pairs.zip(reads[0].real()) {
        let velocity = momentum * *v + g;
        // The product and the sum.
        let error = 2.0 * EPS * ((momentum * *v).abs() + g.abs()) + TINY;
        let change = (rate * velocity).abs();
        *w = rate * error + 2.0 * EPS * (w.abs() + change) + TINY;
        *v = error;
    }
}
