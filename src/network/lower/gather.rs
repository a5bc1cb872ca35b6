//! The samples of a step: picked by a kernel of their own, or by the first layer.

use super::{PartViews, words};
use crate::consts;
use crate::cpu::activation::Activation;
use crate::data::ImageShape;
use crate::kernel::{ALIGN, Augmentation, Element};
use crate::network::layers::Dims;
use crate::program::View;
use crate::program::record::{Pixels, Recorder, Tensor};
use crate::table;

/// What of a part is picked, and for whom.
pub(crate) struct Picking<'a> {
    pub shape: &'a ImageShape,
    pub batch: usize,
    /// Scale of every channel, then shift of every channel.
    pub normaliser: View,
    pub augment: Augmentation,
    /// What can be bound at once.
    pub binding_bytes: u64,
    /// Outputs of the first layer, where it is a dense one that takes the data as they come.
    pub dense_first: Option<usize>,
}

/// The step's samples and their labels: pixels for a first layer that picks them itself, else picked here,
/// by one dispatch per chunk of the data that can be bound.
pub(crate) fn gather(recorder: &mut Recorder, part: &PartViews, how: &Picking) -> (Tensor, View) {
    let &Picking { shape, batch, normaliser, augment, .. } = how;
    let words = words(shape);
    // Chunks of a multiple of ALIGN samples start where a view may start.
    let fitting = (how.binding_bytes / (words as u64 * 4)).min(part.samples as u64) as usize;
    let chunk = if fitting < part.samples { (fitting / ALIGN * ALIGN).max(ALIGN) } else { part.samples };
    let targets = recorder.labels();
    let pixels = Pixels {
        images: part.images,
        labels: part.labels,
        order: part.order,
        normaliser,
        targets,
        channels: shape.channels,
    };
    if augment.is_none() && chunk == part.samples && taken(recorder, &pixels, how) {
        return (Tensor { pixels: Some(pixels), ..input(part.images, shape, batch) }, targets);
    }
    let x = recorder.scratch("x", Element::Real, batch * shape.values());
    for first in (0..part.samples).step_by(chunk) {
        let length = chunk.min(part.samples - first);
        let images = View { start: first * words, len: length * words, ..part.images };
        let mut consts = consts! {
            BATCH: batch, FIRST: recorder.first_row, VALUES: shape.values(), WORDS: words,
            PLANE: shape.height * shape.width, WIDTH: shape.width, CHANNELS: shape.channels,
            SAMPLES: part.samples, CHUNK_FIRST: first, CHUNK_LENGTH: length,
        };
        consts.extend(augment.consts());
        let arguments = vec![images, part.labels, part.order, normaliser, x, targets];
        recorder.dispatch(&table::GATHER_BATCH, consts, arguments, "pick samples");
    }
    (input(x, shape, batch), targets)
}

/// Whether the first layer picks its samples itself.
fn taken(recorder: &Recorder, pixels: &Pixels, how: &Picking) -> bool {
    let fits = |outputs| {
        let sizes = pixels.sizes(how.batch, recorder.first_row, how.shape.values(), outputs);
        recorder.versions.takes_pixels(&sizes)
    };
    recorder.fuse && how.dense_first.is_some_and(fits)
}

/// The network's input: nothing learns through it.
pub(crate) fn input(value: View, shape: &ImageShape, batch: usize) -> Tensor {
    Tensor {
        value,
        rows: batch,
        dims: Dims { channels: shape.channels, height: shape.height, width: shape.width },
        made_by: Activation::Identity,
        needs_gradient: false,
        pixels: None,
    }
}
