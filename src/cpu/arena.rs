//! Twins of `square_sums.wgsl`, `clip_norm.wgsl`,
//! `clip_value.wgsl` and `ema.wgsl`: kernels over a whole arena around its update.

use super::guard::elements;
use super::tracked::{Number, Tracked};
use super::{DIVISION, EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// `sums[p] = Σ_i x[p + i·PARTIALS]²` in words of four
pub fn square_sums<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let partials = call.consts.uint("PARTIALS");
    for (at, sum) in writes[0].real().iter_mut().enumerate() {
        *sum = T::of(squares(reads[0].real(), partials, at));
    }
}

/// The terms of partial sum `at`: every PARTIALS-th group of four.
fn squares<T: Real>(x: &[T], partials: usize, at: usize) -> f64 {
    elements(x, at, partials).map(|x| x.f64() * x.f64()).sum()
}

pub fn square_sums_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [partials, length] = ["PARTIALS", "LENGTH"].map(|name| call.consts.uint(name));
    // Terms of a sum, each with its product.
    let terms = (length.div_ceil(partials) + 5) as f64;
    for (at, sum) in writes[0].real().iter_mut().enumerate() {
        *sum = terms * (EPS * squares(reads[0].real(), partials, at) + TINY);
    }
}

/// Added to a norm before the division, as in PyTorch's `clip_grad_norm_`.
const LEAST: f64 = 1e-6;

/// The factor for gradients of this norm, so that their norm is at most `most`.
pub fn clipping(most: f64, norm: f64) -> f64 {
    (most / (norm + LEAST)).min(1.0)
}

/// g = g · min(1, MOST / (norm + 1e-6))
pub fn clip_norm<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let factor = clipping(call.consts.float("MOST"), reads[0].real()[0].f64());
    writes[0].real().iter_mut().for_each(|g| *g = T::of(g.f64() * factor));
}

pub fn clip_norm_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let factor = clipping(call.consts.float("MOST"), reads[0].real()[0]);
    for g in writes[0].real() {
        // The sum, the division, the product, and 1e-6 as f32 has it.
        *g = (3.0 * EPS + DIVISION) * (*g * factor).abs() + TINY;
    }
}

/// g = min(max(g, -MOST), MOST)
pub fn clip_value<T: Real>(call: Call, _: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let most = call.consts.float("MOST");
    writes[0].real().iter_mut().for_each(|g| *g = T::of(g.f64().clamp(-most, most)));
}

pub fn clip_value_bound(_: Call, _: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    writes[0].real().fill(0.0);
}

/// a + (1 - ema_decay) · (w - a), see [`ema`].
fn moved<N: Number>(call: Call, a: N, w: N) -> N {
    a + (N::exact(1.0) - N::exact(call.step.ema_decay.into())) * (w - a)
}

/// a = a + (1 - ema_decay) · (w - a)
pub fn ema<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    for (a, w) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *a = T::of(moved(call, a.f64(), w.f64()));
    }
}

pub fn ema_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    for (a, w) in writes[0].real().iter_mut().zip(reads[0].real()) {
        *a = moved(call, Tracked::exact(*a), Tracked::exact(*w)).error;
    }
}
