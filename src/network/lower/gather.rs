//! The samples of a step, gathered by a kernel.

use super::lowered::PartViews;
use crate::kernel::consts;
use crate::kernel::{ALIGN, Augmentation, Element};
use crate::program::View;
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;

/// Words of one packed image.
pub fn words(shape: &Shape) -> usize {
    shape.len().div_ceil(4)
}

/// The settings of gathering a part's samples.
pub(crate) struct Gathering<'a> {
    pub shape: &'a Shape,
    pub batch: usize,
    /// Scale of every channel, then shift of every channel.
    pub normaliser: View,
    pub augment: Augmentation,
    /// The largest binding of the device.
    pub binding_bytes: u64,
}

/// The step's samples and their labels. There is one dispatch per chunk of the data that can be bound.
pub(crate) fn gather(recorder: &mut Recorder, part: &PartViews, how: &Gathering) -> (Tensor, View) {
    let &Gathering { shape, batch, normaliser, augment, .. } = how;
    let words = words(shape);
    // Chunks have a multiple of ALIGN samples, so that their views are aligned.
    let fitting = (how.binding_bytes / (words as u64 * 4)).min(part.samples as u64) as usize;
    let chunk = if fitting < part.samples { (fitting / ALIGN * ALIGN).max(ALIGN) } else { part.samples };
    let labels = recorder.labels();
    let x = recorder.scratch("x", Element::Real, batch * shape.len());
    for first in (0..part.samples).step_by(chunk) {
        let length = chunk.min(part.samples - first);
        let images = View { start: first * words, len: length * words, ..part.images };
        let mut consts = consts! {
            BATCH: batch, FIRST: recorder.first_row, VALUES: shape.len(), WORDS: words,
            PLANE: shape.height * shape.width, WIDTH: shape.width, CHANNELS: shape.channels,
            SAMPLES: part.samples, CHUNK_FIRST: first, CHUNK_LENGTH: length,
        };
        consts.extend(augment.consts());
        let arguments = vec![images, part.labels, part.order, normaliser, x, labels];
        recorder.dispatch(&table::GATHER_BATCH, consts, arguments, "gather samples");
    }
    (input(x, shape, batch), labels)
}

/// The network's input, which needs no gradient.
pub(crate) fn input(value: View, shape: &Shape, batch: usize) -> Tensor {
    Tensor { value, rows: batch, shape: *shape, needs_gradient: false }
}
