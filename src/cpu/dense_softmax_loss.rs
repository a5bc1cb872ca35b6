//! The twin of `dense_softmax_loss_subgroup.wgsl`: a dense layer, softmax cross-entropy of its output, and the
//! gradient of its input.

use super::matmul::{matmul, matmul_bound, weighted_sums};
use super::softmax::{Exponentials, row_weight, slot_rows, softmax_loss, softmax_loss_bound};
use super::{TINY, sum_error};
use crate::kernel::consts;
use crate::kernel::{Activation, Call, Const, Consts, Epilogue, Real, Slice, SliceMut};

/// The constants of the layer's weighted sums.
fn layer(call: Call) -> Consts {
    let [batch, inputs, classes] = ["BATCH", "INPUTS", "CLASSES"].map(|name| call.consts.uint(name));
    weighted_sums(batch, classes, inputs, Activation::Identity)
}

/// The constants of the gradient of the layer's input.
fn input_gradient(call: Call) -> Consts {
    let [batch, inputs, classes] = ["BATCH", "INPUTS", "CLASSES"].map(|name| call.consts.uint(name));
    let (kind, leak) = Activation::of(call).consts();
    consts! {
        M: batch, N: inputs, K: classes, TRANSPOSE_A: false, TRANSPOSE_B: false, ADD: false,
        EPILOGUE: Const::Uint(Epilogue::Derivative as u32), ACTIVATION: kind, LEAK: leak,
    }
}

/// `z = x·Wᵀ + b`, [`softmax_loss`] of z, and `dx = dz·W`, times the derivative of x's activation.
///
/// Reads x: (B, inputs), W: (classes, inputs), b: (classes) and the labels: (B). Writes z: (B, classes),
/// its gradient, the metrics, and dx: (B, inputs).
pub fn dense_softmax_loss<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [logits, loss @ .., dx] = writes else { unreachable!("the kernel table binds four outputs") };
    let mut z = [SliceMut::Real(logits.real())];
    matmul(Call { consts: &layer(call), ..call }, &reads[..3], &mut z);
    softmax_loss(call, &[Slice::Real(logits.real()), reads[3]], loss);
    let backward = [Slice::Real(loss[0].real()), reads[1], reads[0]];
    let mut dx = [SliceMut::Real(dx.real())];
    matmul(Call { consts: &input_gradient(call), ..call }, &backward, &mut dx);
}

pub fn dense_softmax_loss_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let classes = call.consts.uint("CLASSES");
    let consts = layer(call);
    let products = Call { consts: &consts, ..call };
    let [errors, loss @ .., dx] = writes else { unreachable!("the kernel table binds four outputs") };
    let errors = errors.real();
    let mut logits = vec![0.0; errors.len()];
    matmul(products, &reads[..3], &mut [SliceMut::Real(&mut logits)]);
    matmul_bound(products, &reads[..3], &mut [SliceMut::Real(errors)]);
    softmax_loss_bound(call, &[Slice::Real(&logits), reads[3]], loss);
    let [dlogits, metrics] = loss else { unreachable!("the kernel table binds four outputs") };
    let slot = slot_rows(call, metrics.real());
    let rows = logits.chunks_exact(classes).zip(errors.chunks_exact(classes));
    let labels = reads[3].uint();
    for (row, ((z, errors), dz)) in rows.zip(dlogits.real().chunks_exact_mut(classes)).enumerate() {
        let off = errors.iter().copied().fold(0.0, f64::max);
        carry_over(z, off, labels[row] as usize, row_weight(call, row), dz, &mut slot[row * 2..][..2]);
    }
    let (mut dz, mut unread) = (vec![0.0; logits.len()], vec![0.0; metrics.real().len()]);
    let mut exact = [SliceMut::Real(&mut dz), SliceMut::Real(&mut unread)];
    softmax_loss(call, &[Slice::Real(&logits), reads[3]], &mut exact);
    input_gradient_bound(call, reads, &dz, dlogits.real(), dx.real());
}

/// The largest errors of dx, where dz is off by its `errors`.
fn input_gradient_bound(call: Call, reads: &[Slice<f64>], dz: &[f64], errors: &[f64], dx: &mut [f64]) {
    let [inputs, classes] = ["INPUTS", "CLASSES"].map(|name| call.consts.uint(name));
    let (x, weight, activation) = (reads[0].real(), reads[1].real(), Activation::of(call));
    for (at, dx) in dx.iter_mut().enumerate() {
        let (row, input) = (at / inputs, at % inputs);
        let (mut sum, mut size, mut off) = (0.0, 0.0, 0.0);
        for c in 0..classes {
            let (dz, error) = (dz[row * classes + c], errors[row * classes + c]);
            let w = weight[c * inputs + input];
            sum += dz * w;
            off += error * w.abs();
            size += (dz * w).abs();
        }
        let error = off + sum_error(classes, size + off);
        *dx = Epilogue::Derivative.error(activation, sum, error, x[at]).1 + TINY;
    }
}

/// The errors that logits with an error of at most `off` add to a row.
///
/// A difference of two logits is off by twice that, so each exp by a factor of `exp(2·off)` at the most,
/// and each probability by the square of it.
fn carry_over(z: &[f64], off: f64, label: usize, weight: f64, dz: &mut [f64], metrics: &mut [f64]) {
    let exponentials = Exponentials::of(z);
    let (maximum, factor) = (exponentials.maximum, (4.0 * off).exp());
    for (z, dz) in z.iter().zip(dz) {
        // The other errors apply to numbers that are larger by this factor.
        *dz = *dz * factor + weight * exponentials.probability(*z) * (factor - 1.0);
    }
    metrics[0] = metrics[0] * factor + 4.0 * off;
    // Another logit may be the largest, or another of several equal ones.
    let label_may = z[label] + off >= maximum - off;
    let another_may = z.iter().enumerate().any(|(c, z)| c != label && z + off >= maximum - off);
    metrics[1] = if label_may && another_may && off > 0.0 { 1.0 } else { 0.0 };
}
