//! The twin of `dense_loss_subgroup.wgsl`: a dense layer, and softmax cross-entropy of what it gives.

use super::activation::Activation;
use super::matmul::{matmul, matmul_bound, weighted_sums};
use super::softmax::{Exponentials, row_weight, slot_rows, softmax_loss, softmax_loss_bound};
use crate::kernel::{Call, Consts, Real, Slice, SliceMut};

/// The constants of the layer's weighted sums.
fn layer(call: Call) -> Consts {
    let [batch, inputs, classes] = ["BATCH", "INPUTS", "CLASSES"].map(|name| call.consts.uint(name));
    weighted_sums(batch, classes, inputs, Activation::Identity)
}

/// `z = x·Wᵀ + b`, and [`softmax_loss`] of z.
///
/// Reads x: (B, inputs), W: (classes, inputs), b: (classes) and the labels: (B). Writes z: (B, classes),
/// its gradient and the metrics.
pub fn dense_loss<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [logits, rest @ ..] = writes else { unreachable!("the kernel table binds three outputs") };
    let mut z = [SliceMut::Real(logits.real())];
    matmul(Call { consts: &layer(call), ..call }, &reads[..3], &mut z);
    softmax_loss(call, &[Slice::Real(logits.real()), reads[3]], rest);
}

pub fn dense_loss_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let classes = call.consts.uint("CLASSES");
    let consts = layer(call);
    let products = Call { consts: &consts, ..call };
    let [errors, rest @ ..] = writes else { unreachable!("the kernel table binds three outputs") };
    let errors = errors.real();
    let mut logits = vec![0.0; errors.len()];
    matmul(products, &reads[..3], &mut [SliceMut::Real(&mut logits)]);
    matmul_bound(products, &reads[..3], &mut [SliceMut::Real(errors)]);
    softmax_loss_bound(call, &[Slice::Real(&logits), reads[3]], rest);
    let [dlogits, metrics] = rest else { unreachable!("the kernel table binds three outputs") };
    let slot = slot_rows(call, metrics.real());
    let rows = logits.chunks_exact(classes).zip(errors.chunks_exact(classes));
    let labels = reads[3].uint();
    for (row, ((z, errors), dz)) in rows.zip(dlogits.real().chunks_exact_mut(classes)).enumerate() {
        let off = errors.iter().copied().fold(0.0, f64::max);
        carry_over(z, off, labels[row] as usize, row_weight(call, row), dz, &mut slot[row * 2..][..2]);
    }
}

/// What logits that are `off` by so much at the most add to the errors of a row.
///
/// A difference of two logits is off by twice that, so each exp by a factor of `exp(2·off)` at the most,
/// and each share of their sum by the square of it.
fn carry_over(z: &[f64], off: f64, label: usize, weight: f64, dz: &mut [f64], metrics: &mut [f64]) {
    let exponentials = Exponentials::of(z);
    let (maximum, factor) = (exponentials.maximum, (4.0 * off).exp());
    for (z, dz) in z.iter().zip(dz) {
        // What rounds there rounds numbers that are as much larger.
        *dz = *dz * factor + weight * exponentials.share(*z) * (factor - 1.0);
    }
    metrics[0] = metrics[0] * factor + 4.0 * off;
    // Another logit may be the largest, or another of several as large.
    let label_may = z[label] + off >= maximum - off;
    let another_may = z.iter().enumerate().any(|(c, z)| c != label && z + off >= maximum - off);
    metrics[1] = if label_may && another_may && off > 0.0 { 1.0 } else { 0.0 };
}
