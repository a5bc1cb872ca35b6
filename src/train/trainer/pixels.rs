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
    let whole = samples.shape.len().is_multiple_of(4) && cfg!(target_endian = "little");
    match bytemuck::try_cast_slice(&samples.pixels) {
        // The bytes already have that layout, and a copy of all images would take long.
        Ok(words) if whole => Cow::Borrowed(words),
        _ => Cow::Owned(packed(samples)),
    }
}

fn packed(samples: &Samples) -> Vec<u32> {
    let mut packed = Vec::with_capacity(samples.len() * words(&samples.shape));
    for image in samples.pixels.chunks_exact(samples.shape.len()) {
        for bytes in image.chunks(4) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            packed.push(u32::from_le_bytes(word));
        }
    }
    packed
}
