//! Twins of `gradient_parts.wgsl` and `guard.wgsl`: the norm of the gradients, and the count of non-finite values.

use super::{EPS, SQRT, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// Words of a step's row in the history: the norm of its gradients, and its non-finite count.
pub const HISTORY: usize = 2;

/// The size from which a gradient counts as non-finite, 2⁴⁸.
///
/// So the squares of a whole arena fit f32.
pub const TOO_LARGE: f64 = (1_u64 << 48) as f64;

/// Parts of the sum over an arena of `length` words.
///
/// They are enough to keep a GPU busy, and few enough for one workgroup to add up.
pub fn parts(length: usize) -> usize {
    (length / 64).next_multiple_of(64).clamp(64, 8_192)
}

/// Whether a gradient is NaN, infinite, or so large that its square overflows.
pub fn is_non_finite(gradient: f64) -> bool {
    gradient.is_nan() || gradient.abs() >= TOO_LARGE
}

/// The elements of part `part`: every `parts`-th group of four.
pub fn elements<T>(values: &[T], part: usize, parts: usize) -> impl Iterator<Item = &T> {
    values.chunks(4).skip(part).step_by(parts).flatten()
}

/// `sums[p] = Σ g[i]²` over the finite g, and the number of the others, over every part p.
pub fn gradient_parts<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (gradients, parts) = (reads[0].real(), call.consts.uint("PARTS"));
    let [sums, non_finite] = writes else { unreachable!("the kernel table binds two outputs") };
    for part in 0..parts {
        let (mut sum, mut found) = (0.0, 0);
        for g in elements(gradients, part, parts).map(|g| g.f64()) {
            if is_non_finite(g) { found += 1 } else { sum += g * g }
        }
        sums.real()[part] = T::of(sum);
        non_finite.uint()[part] = found;
    }
}

pub fn gradient_parts_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let gradients = reads[0].real();
    let parts = call.consts.uint("PARTS");
    // A product for every element, and a sum for every one but the first.
    let roundings = 2.0 * gradients.len().div_ceil(parts) as f64 + 8.0;
    gradient_parts(call, reads, writes);
    for sum in writes[0].real() {
        *sum = roundings * (EPS * *sum + TINY);
    }
    // Counts are exact.
    writes[1].uint().fill(0);
}

/// The non-finite count of a step: that of the parts, and of its losses.
pub fn all_non_finite<T: Real>(call: Call, non_finite: &[u32], report: &[T]) -> u32 {
    let [batch, rows_at] = ["BATCH", "ROWS_AT"].map(|name| call.consts.uint(name));
    let (slot, samples) = (call.step.slot as usize, call.step.samples as usize);
    let rows = report[rows_at + slot * batch * 2..][..samples * 2].chunks_exact(2);
    let losses = rows.filter(|row| !row[0].f64().is_finite()).count();
    non_finite.iter().sum::<u32>() + losses as u32
}

/// norm = √Σ sums, the step's row of the history = (norm, count), and gates = 0 if count > 0.
///
/// The history is the first of the report; behind it are rows of (loss, correct), whose non-finite losses count too.
pub fn guard<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let sum: f64 = reads[0].real().iter().map(|sum| sum.f64()).sum();
    let [norm, gates, report] = writes else { unreachable!("the kernel table binds three outputs") };
    let non_finite = all_non_finite(call, reads[1].uint(), report.real());
    norm.real()[0] = T::of(sum.sqrt());
    if non_finite > 0 {
        gates.uint().fill(0);
    }
    let row = &mut report.real()[call.step.slot as usize * HISTORY..][..HISTORY];
    (row[0], row[1]) = (T::of(sum.sqrt()), T::of(non_finite.into()));
}

pub fn guard_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let sum: f64 = reads[0].real().iter().sum();
    let non_finite = all_non_finite(call, reads[1].uint(), writes[2].real());
    // The root halves the relative error of a sum of positive terms.
    let terms = reads[0].real().len() as f64;
    let error = sum.sqrt() * (0.5 * terms * EPS + SQRT) + (terms * TINY).sqrt();
    writes[0].real()[0] = error;
    writes[1].uint().fill(0);
    writes[2].real().fill(0.0);
    let row = &mut writes[2].real()[call.step.slot as usize * HISTORY..][..HISTORY];
    // The count is a whole number, rounded once beyond 2²⁴.
    (row[0], row[1]) = (error, f64::from(non_finite) * EPS);
}
