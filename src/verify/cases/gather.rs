//! Batches gathered from chunks of a data set, with and without augmentation.

use super::case::Case;
use crate::kernel::consts;
use crate::kernel::{Augmentation, Step};

pub(super) fn cases() -> Vec<Case> {
    // (batch, channels, height, width, samples, first of the chunk, its length, first sample of the
    // step), and the augmentation
    let all = "shift 3, rotate 90, scale 0.5, shear 1, flip, cutout 3, brightness 0.5, contrast 0.5";
    let shapes = [
        ((1, 1, 1, 1, 1, 0, 1, 0), "none"),
        ((64, 1, 28, 28, 100, 0, 100, 36), "none"),
        ((7, 3, 5, 5, 20, 0, 20, 18), "none"),
        ((16, 1, 8, 8, 200, 64, 64, 100), "none"),
        ((65, 4, 3, 7, 300, 256, 44, 235), "none"),
        ((1, 1, 1, 1, 1, 0, 1, 0), all),
        ((64, 1, 28, 28, 100, 0, 100, 36), "shift 2, rotate 10, scale 0.1, shear 0.1"),
        ((7, 3, 5, 5, 20, 0, 20, 18), all),
        ((16, 1, 8, 8, 200, 64, 64, 100), "flip, cutout 4"),
        ((65, 4, 3, 7, 300, 256, 44, 235), "rotate 180"),
        ((9, 1, 31, 33, 9, 0, 9, 0), "shift 40, brightness 1"),
    ];
    shapes
        .map(|((batch, channels, height, width, samples, chunk_first, chunk, first), changes)| {
            let values = channels * height * width;
            let mut consts = consts! {
                BATCH: batch as usize, FIRST: batch as usize % 16, VALUES: values as usize,
                WORDS: (values as usize).div_ceil(4),
                PLANE: (height * width) as usize, WIDTH: width as usize, CHANNELS: channels as usize,
                SAMPLES: samples as usize, CHUNK_FIRST: chunk_first as usize, CHUNK_LENGTH: chunk as usize,
            };
            let changes: Augmentation = changes.parse().expect("a case's changes are right");
            consts.extend(changes.consts());
            Case { consts, step: Step { first, samples: batch as u32, seed: 5, epoch: 2, ..Step::default() } }
        })
        .to_vec()
}
