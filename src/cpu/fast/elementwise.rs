//! Elementwise kernels: activations, dropout, sums of two tensors.

use rayon::prelude::*;

use super::functions::{apply, derivative, for_kind};
use super::vectorised;
use crate::kernel::rng::{Purpose, random_stream, random_unit, random_words};
use crate::kernel::{Activation, Call, Slice, SliceMut};

/// Elements that are worth a thread.
const PIECE: usize = 1 << 13;

/// `activation`: y = activate(x)
pub fn activation_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let activation = Activation::of(call);
    let pieces = writes[0].real().par_chunks_mut(PIECE).zip(reads[0].real().par_chunks(PIECE));
    pieces.for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || {
                for_kind!(activation, kind => {
                    for (y, x) in y.iter_mut().zip(x) {
                        *y = apply(kind, *x);
                    }
                });
            },
        );
    });
}

/// `activation_backward`: dx = dy · activation'(y)
pub fn activation_backward_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (activation, add) = (Activation::of(call), call.consts.flag("ADD"));
    let read = reads[0].real().par_chunks(PIECE).zip(reads[1].real().par_chunks(PIECE));
    writes[0].real().par_chunks_mut(PIECE).zip(read).for_each(|(dx, (y, dy))| {
        vectorised(
            #[inline(always)]
            || {
                for_kind!(activation, kind => {
                    for (dx, (y, dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
                        *dx = dy * derivative(kind, *y) + if add { *dx } else { 0.0 };
                    }
                });
            },
        );
    });
}

/// `dropout`: y = x / keep with probability keep, else 0
pub fn dropout_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (keep, add) = (call.consts.float("KEEP") as f32, call.consts.flag("ADD"));
    let [stream, first] = ["STREAM", "FIRST"].map(|name| call.consts.uint(name) as u32);
    let (seed, stream, index) = (call.step.seed, random_stream(Purpose::Dropout, stream), call.step.index);
    let pieces = writes[0].real().par_chunks_mut(PIECE).zip(reads[0].real().par_chunks(PIECE));
    pieces.enumerate().for_each(|(piece, (y, x))| {
        let first = first + (piece * PIECE) as u32;
        vectorised(
            #[inline(always)]
            || {
                for (at, (y, x)) in (first..).zip(y.iter_mut().zip(x)) {
                    let kept = random_unit(random_words(seed, stream, index, at)[0]) < keep;
                    *y = if kept { x / keep } else { 0.0 } + if add { *y } else { 0.0 };
                }
            },
        );
    });
}

/// `add`: y = activate(a + b)
pub fn add_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let activation = Activation::of(call);
    let read = reads[0].real().par_chunks(PIECE).zip(reads[1].real().par_chunks(PIECE));
    writes[0].real().par_chunks_mut(PIECE).zip(read).for_each(|(y, (a, b))| {
        vectorised(
            #[inline(always)]
            || {
                for_kind!(activation, kind => {
                    for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
                        *y = apply(kind, a + b);
                    }
                });
            },
        );
    });
}
