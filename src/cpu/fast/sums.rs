//! Sums over rows, channels and the gradient arena.

use rayon::prelude::*;

use crate::cpu::guard::TOO_LARGE;
use crate::kernel::{Call, Slice, SliceMut};

/// `column_sums`: row by row, so that neighbours are added at once.
pub fn column_sums_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (x, sums) = (reads[0].real(), writes[0].real());
    if !call.consts.flag("ADD") {
        sums.fill(0.0);
    }
    for row in x.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
}

/// `channel_sums`: a slice of the batch on each core.
pub fn channel_sums_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [batch, channels, plane, slice] =
        ["BATCH", "CHANNELS", "PLANE", "SLICE"].map(|name| call.consts.uint(name));
    let x = reads[0].real();
    writes[0].real().par_chunks_exact_mut(channels).enumerate().for_each(|(z, sums)| {
        let (start, end) = (z * slice, ((z + 1) * slice).min(batch * plane));
        for (channel, total) in sums.iter_mut().enumerate() {
            let (mut at, mut sum) = (start, 0.0);
            // Piece by piece: a slice may begin and end within a sample.
            while at < end {
                let (sample, first) = (at / plane, at % plane);
                let length = (plane - first).min(end - at);
                let piece = &x[(sample * channels + channel) * plane + first..][..length];
                sum += piece.iter().sum::<f32>();
                at += length;
            }
            *total = sum;
        }
    });
}

/// `gradient_parts`: the arena from its beginning to its end, four gradients to each part in turn.
pub fn gradient_parts_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (gradients, parts) = (reads[0].real(), call.consts.uint("PARTS"));
    let [sums, flaws] = writes else { unreachable!("the kernel table binds two outputs") };
    let (sums, flaws) = (sums.real(), flaws.uint());
    sums.fill(0.0);
    flaws.fill(0);
    for round in gradients.chunks(4 * parts) {
        for ((four, sum), found) in round.chunks_exact(4).zip(&mut *sums).zip(&mut *flaws) {
            for g in four {
                // Written so that NaN is a flaw.
                let sound = g.abs() < TOO_LARGE as f32;
                *sum += if sound { g * g } else { 0.0 };
                *found += u32::from(!sound);
            }
        }
    }
}
