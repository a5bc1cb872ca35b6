//! The fast function that gathers the samples of a batch, a few rows on each core.

use std::hint::black_box;

use rayon::prelude::*;

use super::augment::changed;
use super::bytes::normalise;
use crate::cpu::augment::Look;
use crate::cpu::gather::GatherSource;
use crate::kernel::{Call, Slice, SliceMut};

/// Values that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 13;

/// `gather_batch`: bytes to numbers, a channel at a time.
pub fn gather_batch_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [values, plane, width, channels] =
        ["VALUES", "PLANE", "WIDTH", "CHANNELS"].map(|name| call.consts.uint(name));
    let (scale, shift) = reads[3].real().split_at(channels);
    let changes = call.consts.flag("AUGMENT");
    let [x, labels] = writes else { unreachable!("the kernel table binds two outputs") };
    let samples = GatherSource::of(call, reads);
    let rows = if changes { 1 } else { WORTH_A_THREAD.div_ceil(values) };
    let pieces = x.real().par_chunks_mut(rows * values).zip(labels.uint().par_chunks_mut(rows));
    pieces.enumerate().for_each(|(piece, (x, labels))| {
        (piece * rows..).take(labels.len()).for_each(|row| fetch(&samples, row));
        for (row, (x, label)) in (piece * rows..).zip(x.chunks_exact_mut(values).zip(labels)) {
            let Some(sample) = samples.row(row) else { continue };
            *label = sample.label;
            if let Some(change) = changes.then(|| sample.change(call)).flatten() {
                let look =
                    |channel: usize| Look { scale: scale[channel].into(), shift: shift[channel].into() };
                changed(&sample, &change, [width, plane / width], look, x);
                continue;
            }
            for (channel, x) in x.chunks_exact_mut(plane).enumerate() {
                normalise(&sample, channel * plane, (scale[channel], shift[channel]), x);
            }
        }
    });
}

/// Words of a cache line.
const LINE: usize = 16;

/// Reads a word of each cache line of a sample, to prefetch it.
///
/// Samples are anywhere in a data set that is larger than a cache.
fn fetch(samples: &GatherSource, row: usize) {
    if let Some(sample) = samples.row(row) {
        black_box(sample.words.iter().step_by(LINE).fold(0, |all, word| all ^ word));
    }
}
