//! Softmax cross-entropy: the exponentials of a whole batch at once.

use super::functions::exp;
use super::vectorised;
use crate::cpu::softmax::{argmax, row_weight, slot_rows};
use crate::kernel::{Call, Slice, SliceMut};

/// `softmax_loss`: the loss of each row, its gradient with respect to the logits, and whether it is correct.
pub fn softmax_loss_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [dlogits, metrics] = writes else { unreachable!("the kernel table binds two outputs") };
    let metrics = slot_rows(call, metrics.real());
    softmax_loss_rows(call, 0, reads[0].real(), reads[1].uint(), dlogits.real(), metrics);
}

/// The rows of the batch from row `first` on.
pub fn softmax_loss_rows(
    call: Call,
    first: usize,
    logits: &[f32],
    labels: &[u32],
    dlogits: &mut [f32],
    metrics: &mut [f32],
) {
    let classes = call.consts.uint("CLASSES");
    let rows = || logits.chunks_exact(classes).zip(labels.iter().map(|label| *label as usize));
    for ((z, _), dz) in rows().zip(dlogits.chunks_exact_mut(classes)) {
        let maximum = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        dz.iter_mut().zip(z).for_each(|(dz, z)| *dz = z - maximum);
    }
    // The label's logit, before it is overwritten.
    for (((_, label), dz), metrics) in
        rows().zip(dlogits.chunks_exact(classes)).zip(metrics.chunks_exact_mut(2))
    {
        metrics[0] = dz[label];
    }
    vectorised(
        #[inline(always)]
        || dlogits.iter_mut().for_each(|dz| *dz = exp(*dz)),
    );
    let outputs = dlogits.chunks_exact_mut(classes).zip(metrics.chunks_exact_mut(2));
    for (row, ((z, label), (dz, metrics))) in rows().zip(outputs).enumerate() {
        let sum: f32 = dz.iter().sum();
        let weight = row_weight(call, first + row) as f32;
        for (c, dz) in dz.iter_mut().enumerate() {
            *dz = (*dz / sum - if c == label { 1.0 } else { 0.0 }) * weight;
        }
        metrics[0] = sum.ln() - metrics[0];
        metrics[1] = if argmax(z) == label { 1.0 } else { 0.0 };
    }
}
