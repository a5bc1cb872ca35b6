//! Picking the samples of a batch, a few rows to a core.

use rayon::prelude::*;

use super::vectorised;
use crate::cpu::gather::{gather_row, source};
use crate::kernel::{Call, Slice, SliceMut};

/// Values that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 13;

/// `gather_batch`: bytes to numbers, a channel at a time; changed samples as the twin changes them.
pub fn gather_batch_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [values, plane, channels] = ["VALUES", "PLANE", "CHANNELS"].map(|name| call.consts.uint(name));
    let (scale, shift) = reads[3].real().split_at(channels);
    let changes = call.consts.flag("AUGMENT");
    let [x, y] = writes else { unreachable!("the kernel table binds two outputs") };
    let rows = x.real().par_chunks_exact_mut(values).zip(y.uint()).enumerate();
    let rows = rows.with_min_len(if changes { 1 } else { WORTH_A_THREAD.div_ceil(values) });
    rows.for_each(|(row, (x, label))| {
        let Some(sample) = source(call, reads, row) else { return };
        *label = sample.label;
        if changes {
            return gather_row(call, reads, &sample, x);
        }
        for (channel, x) in x.chunks_exact_mut(plane).enumerate() {
            let (scale, shift) = (scale[channel], shift[channel]);
            // Little-endian whatever the machine: the first value of a word is its lowest byte.
            let first = channel * plane;
            if cfg!(target_endian = "little") {
                let bytes: &[u8] = bytemuck::cast_slice(sample.words);
                let bytes = &bytes[first..][..plane];
                vectorised(
                    #[inline(always)]
                    || {
                        x.iter_mut().zip(bytes).for_each(|(x, byte)| *x = f32::from(*byte) * scale + shift);
                    },
                );
            } else {
                x.iter_mut()
                    .enumerate()
                    .for_each(|(at, x)| *x = sample.byte(first + at) as f32 * scale + shift);
            }
        }
    });
}
