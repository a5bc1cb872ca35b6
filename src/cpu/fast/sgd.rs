//! Gradient descent over the whole arena.

use crate::kernel::{Call, Slice, SliceMut};

/// `sgd`: the words that decay first, then the others.
pub fn sgd_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (rate, decayed) = (call.step.learning_rate, call.consts.uint("DECAYED"));
    let decay = call.consts.float("DECAY") as f32;
    let (gradients, parameters) = (reads[0].real(), writes[0].real());
    let (decaying, others) = parameters.split_at_mut(decayed);
    let (first, second) = gradients.split_at(decayed);
    decaying.iter_mut().zip(first).for_each(|(w, g)| *w -= rate * (g + decay * *w));
    others.iter_mut().zip(second).for_each(|(w, g)| *w -= rate * g);
}
