//! Bytes of packed samples as numbers.

use super::vectorised;
use crate::cpu::gather::SampleRow;

/// The bytes of a channel, from the byte `first` on, as numbers.
pub fn normalise(sample: &SampleRow, first: usize, (scale, shift): (f32, f32), x: &mut [f32]) {
    if cfg!(target_endian = "big") {
        let bytes = first..first + x.len();
        return x.iter_mut().zip(bytes).for_each(|(x, at)| *x = sample.byte(at) as f32 * scale + shift);
    }
    // The lowest byte of a word comes first, as in memory.
    let bytes: &[u8] = &bytemuck::cast_slice(sample.words)[first..][..x.len()];
    vectorised(
        #[inline(always)]
        || {
            for (x, byte) in x.iter_mut().zip(bytes) {
                *x = f32::from(*byte) * scale + shift;
            }
        },
    );
}
