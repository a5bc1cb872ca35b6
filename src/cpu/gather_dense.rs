//! Twins of `gather_dense_*.wgsl` and `gather_dense_gradient_*.wgsl`: a first dense layer that
//! gathers its samples from packed pixels.

use super::gather::{gather_batch, gather_batch_bound};
use super::matmul::{matmul, weighted_sums};
use super::weights::{self, weight_gradient};
use super::{TINY, sum_error};
use crate::kernel::consts;
use crate::kernel::{Activation, Augmentation, Call, Consts, Epilogue, Real, Slice, SliceMut, Twin};

/// The constants of both kernels.
///
/// They are the rows of a batch and of the step in front of it, the channels of an image and the values of each, the
/// samples, and the outputs of the layer.
pub fn sizes(batch: usize, first: usize, image: [usize; 2], samples: usize, outputs: usize) -> Consts {
    let [channels, plane] = image;
    consts! {
        BATCH: batch, FIRST: first, VALUES: channels * plane, PLANE: plane, CHANNELS: channels,
        SAMPLES: samples, OUTPUTS: outputs,
    }
}

/// The constants of the weighted sums.
pub fn dense_constants(mut sizes: Consts, activation: Activation) -> Consts {
    let (kind, leak) = activation.consts();
    sizes.extend(consts! { ACTIVATION: kind, LEAK: leak }.iter());
    sizes
}

/// The constants of the gradients, with a part for every block.
pub fn gradient_constants(mut sizes: Consts, add: bool, block: [usize; 2]) -> Consts {
    let ([rows, columns], parts) =
        (block, weights::parts(sizes.uint("VALUES"), sizes.uint("OUTPUTS"), block));
    sizes.extend(consts! { ADD: add, ROWS: rows, COLUMNS: columns, PARTS: parts }.iter());
    sizes
}

/// The constants of gathering a call's samples.
fn gathering(call: Call) -> Consts {
    let [batch, first, values, plane, channels, samples] =
        ["BATCH", "FIRST", "VALUES", "PLANE", "CHANNELS", "SAMPLES"].map(|name| call.consts.uint(name));
    let mut consts = consts! {
        BATCH: batch, FIRST: first, VALUES: values, WORDS: values.div_ceil(4), PLANE: plane, WIDTH: plane,
        CHANNELS: channels, SAMPLES: samples, CHUNK_FIRST: 0usize, CHUNK_LENGTH: samples,
    };
    consts.extend(Augmentation::default().consts());
    consts
}

/// x: (B, V) by [`gather_batch`], or by its bound the errors of x; the labels go to `batch_labels`.
fn gather<T: Real>(twin: Twin<T>, call: Call, reads: &[Slice<T>], batch_labels: &mut [u32]) -> Vec<T> {
    let consts = gathering(call);
    let mut x = vec![T::default(); consts.uint("BATCH") * consts.uint("VALUES")];
    let mut writes = [SliceMut::Real(&mut x), SliceMut::Uint(batch_labels)];
    twin(Call { consts: &consts, ..call }, reads, &mut writes);
    x
}

/// `y = activate(x·Wᵀ + b)` of the samples of this step, and their labels.
///
/// Reads images, labels, order and normaliser, as [`gather_batch`], then W: (outputs, V) and b: (outputs).
/// Writes y: (B, outputs), and the labels: (B).
pub fn gather_dense<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [y, batch_labels] = writes else { unreachable!("the kernel table binds two outputs") };
    let x = gather(gather_batch, call, &reads[..4], batch_labels.uint());
    let [batch, values, outputs] = ["BATCH", "VALUES", "OUTPUTS"].map(|name| call.consts.uint(name));
    let consts = weighted_sums(batch, outputs, values, Activation::of(call));
    let mut y = [SliceMut::Real(y.real())];
    matmul(Call { consts: &consts, ..call }, &[Slice::Real(&x), reads[4], reads[5]], &mut y);
}

pub fn gather_dense_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [y, batch_labels] = writes else { unreachable!("the kernel table binds two outputs") };
    let x = gather(gather_batch, call, &reads[..4], batch_labels.uint());
    let errors = gather(gather_batch_bound, call, &reads[..4], batch_labels.uint());
    let (weight, bias) = (reads[4].real(), reads[5].real());
    let (values, activation) = (call.consts.uint("VALUES"), Activation::of(call));
    let rows = x.chunks_exact(values).zip(errors.chunks_exact(values));
    for ((x, errors), y) in rows.zip(y.real().chunks_exact_mut(bias.len())) {
        for ((weight, bias), y) in weight.chunks_exact(values).zip(bias).zip(y) {
            let (mut sum, mut size, mut error) = (0.0, 0.0, 0.0);
            for ((x, x_error), w) in x.iter().zip(errors).zip(weight) {
                sum += x * w;
                size += (x.abs() + x_error) * w.abs();
                error += x_error * w.abs();
            }
            let error = error + sum_error(values, size);
            *y = Epilogue::Bias.error(activation, sum, error, *bias).1 + TINY;
        }
    }
}

/// x of [`gather_dense_gradient`], which needs no labels, or its errors.
fn gather_unlabelled<T: Real>(twin: Twin<T>, call: Call, reads: &[Slice<T>]) -> Vec<T> {
    let [batch, samples] = ["BATCH", "SAMPLES"].map(|name| call.consts.uint(name));
    let labels = vec![0; samples];
    gather(twin, call, &[reads[1], Slice::Uint(&labels), reads[2], reads[3]], &mut vec![0; batch])
}

/// The constants of the gradients of the same layer.
fn weighing(call: Call) -> Consts {
    let [batch, values, outputs, rows, columns, parts] =
        ["BATCH", "VALUES", "OUTPUTS", "ROWS", "COLUMNS", "PARTS"].map(|name| call.consts.uint(name));
    consts! {
        BATCH: batch, INPUTS: values, OUTPUTS: outputs, ADD: call.consts.flag("ADD"), ROWS: rows,
        COLUMNS: columns, PARTS: parts,
    }
}

/// `dW = dzᵀ·x` and `db`, with the watch over them, see [`weight_gradient`].
///
/// Reads dz: (B, outputs), then images, order and normaliser. Writes as [`weight_gradient`] does.
pub fn gather_dense_gradient<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let x = gather_unlabelled(gather_batch, call, reads);
    weight_gradient(Call { consts: &weighing(call), ..call }, &[reads[0], Slice::Real(&x)], writes);
}

pub fn gather_dense_gradient_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let x = gather_unlabelled(gather_batch, call, reads);
    let errors = gather_unlabelled(gather_batch_bound, call, reads);
    weights::bounds(Call { consts: &weighing(call), ..call }, reads[0].real(), &x, &errors, writes);
}
