//! Twins of `dropout.wgsl` and `add.wgsl`.

use super::{DIVISION, EPS, TINY};
use crate::kernel::rng::{Purpose, random_stream, random_unit, random_words};
use crate::kernel::{Activation, Call, Real, Slice, SliceMut};

/// Whether an element is kept.
fn keeps(call: Call, at: usize) -> bool {
    let stream = random_stream(Purpose::Dropout, call.consts.uint("STREAM") as u32);
    let word =
        random_words(call.step.seed, stream, call.step.index, (call.consts.uint("FIRST") + at) as u32)[0];
    f64::from(random_unit(word)) < call.consts.float("KEEP")
}

/// y = x / keep with probability keep, else 0
pub fn dropout<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (keep, adds) = (call.consts.float("KEEP"), call.consts.flag("ADD"));
    for (at, (y, x)) in writes[0].real().iter_mut().zip(reads[0].real()).enumerate() {
        let value = if keeps(call, at) { x.f64() / keep } else { 0.0 };
        *y = T::of(if adds { y.f64() + value } else { value });
    }
}

pub fn dropout_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (keep, adds) = (call.consts.float("KEEP"), call.consts.flag("ADD"));
    for (at, (y, x)) in writes[0].real().iter_mut().zip(reads[0].real()).enumerate() {
        let value = if keeps(call, at) { (x / keep).abs() } else { 0.0 };
        let before = if adds { EPS * (y.abs() + value) } else { 0.0 };
        // A dropped element is exactly zero.
        *y = if value > 0.0 { DIVISION * value + TINY } else { 0.0 } + before;
    }
}

/// y = activate(a + b)
pub fn add<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (activation, a, b) = (Activation::of(call), reads[0].real(), reads[1].real());
    for (at, y) in writes[0].real().iter_mut().enumerate() {
        *y = T::of(activation.apply(a[at].f64() + b[at].f64()));
    }
}

pub fn add_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (activation, a, b) = (Activation::of(call), reads[0].real(), reads[1].real());
    for (at, y) in writes[0].real().iter_mut().enumerate() {
        let sum = a[at] + b[at];
        *y = activation.apply_error(sum, EPS * sum.abs() + TINY);
    }
}
