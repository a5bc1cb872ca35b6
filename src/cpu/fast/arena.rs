//! Kernels over a whole arena around its update, and between the products of Muon.

use super::updates::{alone, each};
use crate::cpu::arena::clipping;
use crate::cpu::muon::norm_of;
use crate::kernel::{Call, Slice, SliceMut};

/// `ema`: a = a + (1 - ema_decay) · (w - a)
pub fn ema_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let rest = 1.0 - call.step.ema_decay;
    each(
        reads,
        writes,
        #[inline(always)]
        move |w, [a]| [a + rest * (w - a)],
    );
}

/// `muon_momentum`: v = momentum · v + (1 - momentum) · g   u = momentum · v + (1 - momentum) · g
pub fn muon_momentum_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let momentum = call.step.momentum;
    each(
        reads,
        writes,
        #[inline(always)]
        move |g, [v, _]| {
            let velocity = momentum * v + (1.0 - momentum) * g;
            [velocity, momentum * velocity + (1.0 - momentum) * g]
        },
    );
}

/// `frobenius_normalise`: x = u / max(√Σ sums, 1e-7)
pub fn frobenius_normalise_fast(_: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let norm = norm_of(reads[1].real()) as f32;
    each(
        reads,
        writes,
        #[inline(always)]
        move |u, [_]| [u / norm],
    );
}

/// `newton_schulz`: y = P · x + Q · y
pub fn newton_schulz_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [p, q] = ["P", "Q"].map(|name| call.consts.float(name) as f32);
    each(
        reads,
        writes,
        #[inline(always)]
        move |x, [y]| [p * x + q * y],
    );
}

/// `muon`: w = w - learning_rate · (SCALE · x + DECAY · w)
pub fn muon_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [scale, decay] = ["SCALE", "DECAY"].map(|name| call.consts.float(name) as f32);
    let rate = call.step.learning_rate;
    each(
        reads,
        writes,
        #[inline(always)]
        move |x, [w]| [w - rate * (scale * x + decay * w)],
    );
}

/// `clip_norm`: g = g · min(1, MOST / (norm + 1e-6))
pub fn clip_norm_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let factor = clipping(call.consts.float("MOST"), reads[0].real()[0].into()) as f32;
    if factor < 1.0 {
        alone(
            writes[0].real(),
            #[inline(always)]
            move |g| g * factor,
        );
    }
}

/// `clip_value`: g = min(max(g, -MOST), MOST)
pub fn clip_value_fast(call: Call, _: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let most = call.consts.float("MOST") as f32;
    alone(
        writes[0].real(),
        #[inline(always)]
        move |g| g.clamp(-most, most),
    );
}
