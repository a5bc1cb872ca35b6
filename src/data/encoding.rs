//! An image of a data set as a PNG file.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Result};
use crate::program::shape::Shape;

/// The C·H·W bytes of an image as a PNG file: grey for 1 channel, RGB for 3, with alpha for 2 and 4.
///
/// # Errors
/// [`Error::Failure`] when it can't be encoded.
pub fn png(image: &[u8], shape: &Shape) -> Result<Vec<u8>> {
    let plane = shape.height * shape.width;
    let pixel = |at: usize| (0..shape.channels).map(move |channel| image[channel * plane + at]);
    let pixels: Vec<u8> = (0..plane).flat_map(pixel).collect();
    let colours = match shape.channels {
        1 => ExtendedColorType::L8,
        2 => ExtendedColorType::La8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(&pixels, shape.width as u32, shape.height as u32, colours)
        .map_err(|error| Error::Failure(format!("an image of {shape} can't be encoded as PNG ({error})")))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_stand_together_in_the_file() {
        let image: Vec<u8> = (0..12).collect();
        let file = png(&image, &Shape::image(3, 2, 2)).unwrap();
        let read = image::load_from_memory(&file).unwrap().into_rgb8();
        assert_eq!(read.get_pixel(1, 0).0, [1, 5, 9]);
        let file = png(&image[..8], &Shape::image(2, 2, 2)).unwrap();
        assert_eq!(image::load_from_memory(&file).unwrap().into_luma_alpha8().get_pixel(0, 1).0, [2, 6]);
    }
}
