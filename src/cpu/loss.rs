//! Twins of `bce_loss.wgsl` and `squared_error.wgsl`.

use super::softmax::{argmax, row_weight, slot_rows};
use super::{DIVISION, EPS, TINY, exp_error, log_error};
use crate::kernel::{Activation, Call, Real, Slice, SliceMut};

/// One row's outputs, targets and gradient, handed to `each`, which returns the loss.
fn for_each_row<T: Real>(
    call: Call,
    reads: &[Slice<T>],
    writes: &mut [SliceMut<T>],
    threshold: Option<f64>,
    each: impl Fn(&[T], &[T], &mut [T], f64) -> f64,
) {
    let (batch, classes) = (call.consts.uint("BATCH"), call.consts.uint("CLASSES"));
    let (outputs, targets) = (reads[0].real(), reads[1].real());
    let [gradients, metrics] = writes else { unreachable!("the kernel table binds two outputs") };
    let slot = slot_rows(call, metrics.real());
    for row in 0..batch {
        let z = &outputs[row * classes..][..classes];
        let t = &targets[row * classes..][..classes];
        let dz = &mut gradients.real()[row * classes..][..classes];
        slot[row * 2] = T::of(each(z, t, dz, row_weight(call, row)));
        // A single output is compared with the threshold; bounds have none, and that of `correct` is 0.
        let correct = threshold.is_some_and(|threshold| {
            if classes == 1 { (z[0].f64() > threshold) == (t[0].f64() > 0.5) } else { argmax(z) == argmax(t) }
        });
        slot[row * 2 + 1] = T::of(if correct { 1.0 } else { 0.0 });
    }
}

/// Binary cross-entropy on logits, mean over the outputs; its gradient; whether it is correct.
pub fn bce_loss<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let classes = call.consts.uint("CLASSES") as f64;
    for_each_row(call, reads, writes, Some(0.0), |z, t, dz, weight| {
        let mut loss = 0.0;
        for c in 0..z.len() {
            let (z, t) = (z[c].f64(), t[c].f64());
            loss += z.max(0.0) - z * t + (-z.abs()).exp().ln_1p();
            dz[c] = T::of((Activation::Sigmoid.apply(z) - t) * weight / classes);
        }
        loss / classes
    });
}

pub fn bce_loss_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let classes = call.consts.uint("CLASSES") as f64;
    // The other slots stay as they are.
    writes[1].real().fill(0.0);
    for_each_row(call, reads, writes, None, |z, t, dz, weight| {
        let (mut size, mut error) = (0.0, 0.0);
        for c in 0..z.len() {
            let (z, t) = (z[c], t[c]);
            let e = (-z.abs()).exp();
            let log = e.ln_1p();
            size += z.abs() + (z * t).abs() + log;
            // exp, the addition of one, log; the product z·t.
            error += e * exp_error(z) / (1.0 + e) + EPS + log_error(log) + EPS * (z * t).abs();
            let difference = Activation::Sigmoid.apply(z) - t;
            // Rounded: the difference, two factors and a division in the weight, the product.
            let rounding = difference.abs() * (3.0 * EPS + DIVISION);
            let sigmoid_error = Activation::Sigmoid.apply_error(z, 0.0);
            dz[c] = weight / classes * (sigmoid_error + rounding) + TINY;
        }
        // Three additions per output, then the division.
        (error + (3.0 * classes * EPS + DIVISION) * size) / classes + TINY
    });
}

/// Squared error times SCALE, its gradient with FACTOR for the 2, and whether it is correct.
pub fn squared_error<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (factor, scale) = (call.consts.float("FACTOR"), call.consts.float("SCALE"));
    for_each_row(call, reads, writes, Some(0.5), |p, t, dp, weight| {
        let mut sum = 0.0;
        for c in 0..p.len() {
            let delta = p[c].f64() - t[c].f64();
            sum += delta * delta;
            dp[c] = T::of(factor * scale * delta * weight);
        }
        scale * sum
    });
}

pub fn squared_error_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (factor, scale) = (call.consts.float("FACTOR"), call.consts.float("SCALE"));
    // The other slots stay as they are.
    writes[1].real().fill(0.0);
    for_each_row(call, reads, writes, None, |p, t, dp, weight| {
        let mut sum = 0.0;
        for c in 0..p.len() {
            let delta = p[c] - t[c];
            sum += delta * delta;
            // Rounded: the difference, three products, the weight's division.
            dp[c] = (factor * scale * delta * weight).abs() * (4.0 * EPS + DIVISION) + TINY;
        }
        // The difference counts twice in its square; the sum, the product with SCALE.
        (scale * sum).abs() * (p.len() as f64 + 4.0) * EPS + (p.len() as f64 + 1.0) * TINY
    });
}
