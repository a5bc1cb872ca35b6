//! Pixels, normalised and packed for the device.

use std::borrow::Cow;

use crate::data::{Normaliser, Samples};
use crate::network::lower::words;
use crate::program::shape::Shape;

/// An image as `gather_batch` normalises it: C·H·W bytes to as many numbers.
pub fn normalise(image: &[u8], shape: &Shape, normaliser: &Normaliser) -> Vec<f32> {
    let constants = normaliser.scale_and_shift();
    let plane = shape.height * shape.width;
    let value = |(at, byte): (usize, &u8)| {
        let channel = at / plane;
        f32::from(*byte) * constants[channel] + constants[shape.channels + channel]
    };
    image.iter().enumerate().map(value).collect()
}

/// Images as the device stores them: four bytes to a word. The lowest byte comes first, and each image is padded to
/// whole words.
pub fn pack(samples: &Samples) -> Cow<'_, [u32]> {
    match pack_borrowed(samples) {
        Some(words) => Cow::Borrowed(words),
        None => Cow::Owned(packed(&samples.pixels, samples.shape.len())),
    }
}

/// The same, in pieces with the number of their first word, so that packing takes little memory.
pub(super) fn pieces(samples: &Samples) -> impl Iterator<Item = (usize, Cow<'_, [u32]>)> {
    const WORDS: usize = 1 << 20;
    let (values, row) = (samples.shape.len(), words(&samples.shape));
    let whole = match pack_borrowed(samples) {
        Some(words) => vec![(0, Cow::Borrowed(words))],
        None => Vec::new(),
    };
    let images = if whole.is_empty() { &samples.pixels[..] } else { &[] };
    let at_once = (WORDS / row).max(1);
    let packed = images
        .chunks(at_once * values)
        .enumerate()
        .map(move |(at, images)| (at * at_once * row, Cow::Owned(packed(images, values))));
    whole.into_iter().chain(packed)
}

/// The bytes as words, where they already have that layout: a copy of all images would take long.
fn pack_borrowed(samples: &Samples) -> Option<&[u32]> {
    let whole = samples.shape.len().is_multiple_of(4) && cfg!(target_endian = "little");
    bytemuck::try_cast_slice(&samples.pixels).ok().filter(|_| whole)
}

fn packed(pixels: &[u8], values: usize) -> Vec<u32> {
    let mut packed = Vec::with_capacity(pixels.len() / values * values.div_ceil(4));
    for image in pixels.chunks_exact(values) {
        for bytes in image.chunks(4) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            packed.push(u32::from_le_bytes(word));
        }
    }
    packed
}
