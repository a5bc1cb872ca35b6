//! Twins of `softmax.wgsl`, `softmax_backward.wgsl`, `softmax_loss.wgsl` and `weighted_loss.wgsl`.

use super::{DIVISION, EPS, TINY, exp_error, log_error};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// A row's maximum, Σ exp(x - maximum), and the relative error of that sum in f32.
pub(super) struct Exponentials {
    pub maximum: f64,
    sum: f64,
    sum_error: f64,
}

impl Exponentials {
    pub fn of<T: Real>(row: &[T]) -> Exponentials {
        let maximum = row.iter().map(|x| x.f64()).fold(f64::NEG_INFINITY, f64::max);
        let terms = row.iter().map(|x| (x.f64() - maximum).exp());
        let sum: f64 = terms.clone().sum();
        let error: f64 = row.iter().zip(terms).map(|(x, term)| term * term_error(x.f64() - maximum)).sum();
        Exponentials { maximum, sum, sum_error: error / sum + row.len() as f64 * EPS }
    }

    pub fn probability(&self, x: f64) -> f64 {
        (x - self.maximum).exp() / self.sum
    }

    /// Largest error of `probability` in f32.
    fn probability_error(&self, x: f64) -> f64 {
        self.probability(x) * (term_error(x - self.maximum) + self.sum_error + DIVISION) + TINY
    }
}

/// Relative error of exp(x - maximum): the difference is rounded, then exp.
fn term_error(difference: f64) -> f64 {
    EPS * difference.abs() + exp_error(difference)
}

/// y = softmax of each row of x.   x, y: (ROWS, COLUMNS)
pub fn softmax<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let columns = call.consts.uint("COLUMNS");
    let rows = reads[0].real().chunks_exact(columns);
    for (x, y) in rows.zip(writes[0].real().chunks_exact_mut(columns)) {
        let exponentials = Exponentials::of(x);
        for (y, x) in y.iter_mut().zip(x) {
            *y = T::of(exponentials.probability(x.f64()));
        }
    }
}

pub fn softmax_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let columns = call.consts.uint("COLUMNS");
    let rows = reads[0].real().chunks_exact(columns);
    for (x, y) in rows.zip(writes[0].real().chunks_exact_mut(columns)) {
        let exponentials = Exponentials::of(x);
        for (y, x) in y.iter_mut().zip(x) {
            *y = exponentials.probability_error(*x);
        }
    }
}

/// `dx = y · (dy - Σ_j dy[j]·y[j])`, row by row.
pub fn softmax_backward<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (columns, add) = (call.consts.uint("COLUMNS"), call.consts.flag("ADD"));
    let rows = reads[0].real().chunks_exact(columns).zip(reads[1].real().chunks_exact(columns));
    for ((y, dy), dx) in rows.zip(writes[0].real().chunks_exact_mut(columns)) {
        let dot: f64 = y.iter().zip(dy).map(|(y, dy)| y.f64() * dy.f64()).sum();
        for c in 0..columns {
            let gradient = y[c].f64() * (dy[c].f64() - dot);
            dx[c] = T::of(if add { dx[c].f64() + gradient } else { gradient });
        }
    }
}

pub fn softmax_backward_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (columns, add) = (call.consts.uint("COLUMNS"), call.consts.flag("ADD"));
    let rows = reads[0].real().chunks_exact(columns).zip(reads[1].real().chunks_exact(columns));
    for ((y, dy), dx) in rows.zip(writes[0].real().chunks_exact_mut(columns)) {
        let dot: f64 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
        let size: f64 = y.iter().zip(dy).map(|(y, dy)| (y * dy).abs()).sum();
        let dot_error = (columns + 1) as f64 * (EPS * size + TINY);
        for c in 0..columns {
            let gradient = y[c] * (dy[c] - dot);
            let difference_error = dot_error + EPS * (dy[c].abs() + dot.abs());
            let error = y[c].abs() * difference_error + EPS * gradient.abs() + TINY;
            dx[c] = error + if add { EPS * (gradient.abs() + dx[c].abs()) } else { 0.0 };
        }
    }
}

/// Softmax cross-entropy of each row, its gradient with respect to the logits, and whether it is correct.
pub fn softmax_loss<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (batch, classes) = (call.consts.uint("BATCH"), call.consts.uint("CLASSES"));
    let (logits, labels) = (reads[0].real(), reads[1].uint());
    let [dlogits, metrics] = writes else { unreachable!("the kernel table binds two outputs") };
    let slot = slot_rows(call, metrics.real());
    for row in 0..batch {
        let z = &logits[row * classes..][..classes];
        let dz = &mut dlogits.real()[row * classes..][..classes];
        let label = labels[row] as usize;
        let exponentials = Exponentials::of(z);
        let weight = row_weight(call, row);
        for c in 0..classes {
            let target = if c == label { 1.0 } else { 0.0 };
            dz[c] = T::of((exponentials.probability(z[c].f64()) - target) * weight);
        }
        let loss = exponentials.sum.ln() - (z[label].f64() - exponentials.maximum);
        slot[row * 2] = T::of(loss);
        slot[row * 2 + 1] = T::of(if argmax(z) == label { 1.0 } else { 0.0 });
    }
}

pub fn softmax_loss_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (batch, classes) = (call.consts.uint("BATCH"), call.consts.uint("CLASSES"));
    let (logits, labels) = (reads[0].real(), reads[1].uint());
    let [dlogits, metrics] = writes else { unreachable!("the kernel table binds two outputs") };
    // The other slots stay as they are.
    metrics.real().fill(0.0);
    let slot = slot_rows(call, metrics.real());
    for row in 0..batch {
        let z = &logits[row * classes..][..classes];
        let dz = &mut dlogits.real()[row * classes..][..classes];
        let label = labels[row] as usize;
        let exponentials = Exponentials::of(z);
        let weight = row_weight(call, row);
        for c in 0..classes {
            let target = if c == label { 1.0 } else { 0.0 };
            let difference = exponentials.probability(z[c]) - target;
            // Rounded: the difference, the weight's division, the product.
            let rounding = difference.abs() * (2.0 * EPS + DIVISION);
            dz[c] = weight * (exponentials.probability_error(z[c]) + rounding) + TINY;
        }
        let margin = z[label] - exponentials.maximum;
        let log = exponentials.sum.ln();
        slot[row * 2] =
            exponentials.sum_error + log_error(log) + EPS * margin.abs() + EPS * (log - margin).abs() + TINY;
    }
}

/// The smoothed target of class `c`, times its weight, for a row with this label.
fn wanted<T: Real>(call: Call, weights: &[T], c: usize, label: usize) -> f64 {
    let smoothing = call.consts.float("SMOOTHING");
    let hot = if c == label { 1.0 - smoothing } else { 0.0 };
    weights[c].f64() * (hot + smoothing / weights.len() as f64)
}

/// Softmax cross-entropy of each row with class weights and label smoothing, its gradient, and whether it is correct.
pub fn weighted_loss<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (batch, classes) = (call.consts.uint("BATCH"), call.consts.uint("CLASSES"));
    let (logits, labels, weights) = (reads[0].real(), reads[1].uint(), reads[2].real());
    let [dlogits, metrics] = writes else { unreachable!("the kernel table binds two outputs") };
    let slot = slot_rows(call, metrics.real());
    for row in 0..batch {
        let z = &logits[row * classes..][..classes];
        let dz = &mut dlogits.real()[row * classes..][..classes];
        let label = labels[row] as usize;
        let exponentials = Exponentials::of(z);
        let total: f64 = (0..classes).map(|c| wanted(call, weights, c, label)).sum();
        let mut loss = 0.0;
        for c in 0..classes {
            let own = wanted(call, weights, c, label);
            loss += own * (exponentials.sum.ln() - (z[c].f64() - exponentials.maximum));
            dz[c] = T::of((exponentials.probability(z[c].f64()) * total - own) * row_weight(call, row));
        }
        slot[row * 2] = T::of(loss);
        slot[row * 2 + 1] = T::of(if argmax(z) == label { 1.0 } else { 0.0 });
    }
}

pub fn weighted_loss_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    // The target of a class: 1 - SMOOTHING, a division, a sum and a product.
    const WANTED: f64 = 3.0 * EPS + DIVISION;
    let (batch, classes) = (call.consts.uint("BATCH"), call.consts.uint("CLASSES"));
    let (logits, labels, weights) = (reads[0].real(), reads[1].uint(), reads[2].real());
    let [dlogits, metrics] = writes else { unreachable!("the kernel table binds two outputs") };
    // The other slots stay as they are.
    metrics.real().fill(0.0);
    let slot = slot_rows(call, metrics.real());
    for row in 0..batch {
        let z = &logits[row * classes..][..classes];
        let dz = &mut dlogits.real()[row * classes..][..classes];
        let label = labels[row] as usize;
        let exponentials = Exponentials::of(z);
        let all: Vec<f64> = (0..classes).map(|c| wanted(call, weights, c, label)).collect();
        let (total, size) = (all.iter().sum::<f64>(), all.iter().map(|own| own.abs()).sum::<f64>());
        let total_error = (classes as f64 * EPS + WANTED) * size + TINY;
        let (log, weight) = (exponentials.sum.ln(), row_weight(call, row));
        let (mut error, mut sum) = (0.0, 0.0);
        for c in 0..classes {
            let (own, margin) = (all[c].abs(), z[c] - exponentials.maximum);
            let surprise = (log - margin).abs();
            let surprise_error =
                exponentials.sum_error + log_error(log) + EPS * (margin.abs() + surprise) + TINY;
            error += own * surprise_error + (WANTED + EPS) * own * surprise + 2.0 * TINY;
            sum += own * surprise;
            let probability = exponentials.probability(z[c]);
            let product_error = exponentials.probability_error(z[c]) * (total.abs() + total_error)
                + probability * total_error;
            let difference = probability * total.abs() + own;
            // Rounded: the product, the difference, the weight's division, the product with it.
            let rounding = (3.0 * EPS + DIVISION) * difference + WANTED * own;
            dz[c] = weight * (product_error + rounding) + TINY;
        }
        slot[row * 2] = error + classes as f64 * EPS * sum;
    }
}

/// This batch's rows of (loss, correct) in the metrics of its step.
pub fn slot_rows<'a, T>(call: Call, metrics: &'a mut [T]) -> &'a mut [T] {
    let [batch, pitch, first] = ["BATCH", "PITCH", "FIRST"].map(|name| call.consts.uint(name));
    &mut metrics[(call.step.slot as usize * pitch + first) * 2..][..batch * 2]
}

/// The factor of a row's gradient: 1 / samples, or 0 past the end of the data.
pub fn row_weight(call: Call, row: usize) -> f64 {
    let samples = call.step.samples as usize;
    if call.consts.uint("FIRST") + row < samples { 1.0 / samples as f64 } else { 0.0 }
}

/// Index of the first largest value.
pub fn argmax<T: Real>(row: &[T]) -> usize {
    let mut best = 0;
    for (c, value) in row.iter().enumerate() {
        if value.f64() > row[best].f64() {
            best = c;
        }
    }
    best
}
