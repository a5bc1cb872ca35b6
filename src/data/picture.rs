//! Pictures, read from PNG and JPEG files as images of one size.

use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits, Luma,
    LumaA, Pixel, Rgb, Rgba,
};

use super::dataset::separate_channels;
use super::limits::{MAX_SIDE, check_shape};
use super::reading::Resize;
use crate::data::files::{Unread, read_bytes};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::{joined, shown};

// The limits are far above a photograph's, and low enough that no file can exhaust memory.
/// The largest width or height of a picture, in pixels.
const MAX_PICTURE_SIDE: u32 = 16_384;
/// The largest picture in memory, in bytes.
const MAX_PICTURE_BYTES: u64 = 512 << 20;
/// The largest file of a picture, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Reads a PNG or JPEG picture as C·H·W bytes of `shape`.
///
/// - The format is detected from the content, not from the name.
/// - The picture is turned upright by its EXIF orientation.
/// - Colours become those of the shape: grey by the weights of Rec. 709 for 1 and 2 channels, RGB for 3 and 4. Samples
///   of 16 bits are rounded to 8.
/// - `invert` makes 255 − v of every grey or colour value v, for dark ink on white paper where the data set has bright
///   ink on black.
/// - Transparency becomes black for shapes without alpha (2 and 4 channels keep it as their last). Inverting comes
///   first, so inverted dark ink on a transparent ground is bright ink on black.
/// - A picture of the size of `shape` stays as it is. Any other is scaled, keeping its aspect ratio, to the largest that
///   fits (triangle filter, over the area of each new pixel when shrinking), and centred on opaque black; an odd pixel
///   of margin goes to the right or the bottom.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such file; [`Error::Data`] if it is unreadable, neither PNG nor JPEG, damaged or
/// cut short, larger than 16,384 × 16,384 pixels or 512 MiB in memory, or if `shape` is out of range.
pub fn read_picture(path: &Path, shape: &Shape, invert: bool) -> Result<Vec<u8>> {
    check_shape(shape, "the network")?;
    let bytes = read_file(path)?;
    let picture = decode(&bytes, MAX_PICTURE_BYTES).map_err(|problem| bad(path, &problem))?;
    drop(bytes);
    Ok(fit(picture, shape, invert))
}

/// Reads a picture of a data set, as it is or resized as by [`read_picture`].
///
/// Reading a picture takes at most 64 MiB and 4 times its file, so that a small file can't exhaust memory. A picture
/// with a side beyond [`MAX_SIDE`] that is not resized comes without values.
///
/// # Errors
/// As [`read_picture`], and [`Error::Data`] for a picture that needs more memory.
pub(super) fn read(path: &Path, resize: Option<Resize>) -> Result<(Shape, Vec<u8>)> {
    let bytes = read_file(path)?;
    let most = 4 * bytes.len() as u64 + (64 << 20);
    let picture = decode(&bytes, most.min(MAX_PICTURE_BYTES)).map_err(|problem| bad(path, &problem))?;
    drop(bytes);
    let channels = usize::from(picture.color().channel_count());
    let shape = match resize {
        Some(Resize { channels: given, height, width }) => {
            Shape::image(given.unwrap_or(channels), height, width)
        }
        None => Shape::image(channels, picture.height() as usize, picture.width() as usize),
    };
    let values =
        if shape.height.max(shape.width) <= MAX_SIDE { fit(picture, &shape, false) } else { Vec::new() };
    Ok((shape, values))
}

/// C·H·W bytes of `shape`, channels first.
fn fit(picture: DynamicImage, shape: &Shape, invert: bool) -> Vec<u8> {
    let size = (picture.width(), picture.height());
    let values = channel_values(picture, shape.channels, invert);
    let (width, height) = fitted(size, shape);
    let values = match shape.channels {
        1 => resize::<Luma<u8>>(values, size, (width, height)),
        2 => resize::<LumaA<u8>>(values, size, (width, height)),
        3 => resize::<Rgb<u8>>(values, size, (width, height)),
        _ => resize::<Rgba<u8>>(values, size, (width, height)),
    };
    let canvas = centre(&values, width as usize, shape);
    let mut planar = vec![0; shape.len()];
    separate_channels(shape, &canvas, &mut planar);
    planar
}

fn bad(path: &Path, problem: &str) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_bytes(path, MAX_FILE_BYTES).map_err(|why| match why {
        Unread::NotFound => Error::NotFound(format!("{} isn't there, so check the path", shown(path))),
        Unread::NotAFile => bad(path, "is not a file, so name a PNG or JPEG picture"),
        Unread::TooLong(_) => bad(path, "is larger than 256 MiB, so scale the picture down first"),
        Unread::OutOfMemory => {
            bad(path, "is larger than the memory of this machine, so scale the picture down first")
        }
        Unread::Failed(error) => {
            bad(path, &format!("can't be read ({error}), so check the path and its permissions"))
        }
    })
}

/// Decodes a PNG or JPEG file, with at most `most` bytes of memory, and turns it upright.
///
/// # Errors
/// The rest of a sentence that begins with the file.
fn decode(bytes: &[u8], most: u64) -> Result<DynamicImage, String> {
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        _ => return Err("is neither a PNG nor a JPEG picture, so convert it to one".into()),
    };
    // The picture is in memory twice: decoded, and turned or converted.
    let mut copies = 2;
    if format == ImageFormat::Jpeg {
        // The decoder would silently fill the missing part with grey.
        let cut_short = || "is a JPEG picture that is cut short, so save or copy it again".to_owned();
        let jpeg = Jpeg::of(bytes).ok_or_else(cut_short)?;
        // A progressive file also keeps all coefficients, of two bytes each, until its end.
        copies += if jpeg.progressive { 2 } else { 0 };
    }
    decode_as(bytes, format, copies, most).map_err(|error| match error {
        ImageError::Limits(_) => format!(
            "is larger than {MAX_PICTURE_SIDE} × {MAX_PICTURE_SIDE} pixels or takes more than {} MiB to \
             decode, so scale the picture down first",
            most >> 20
        ),
        error => {
            // Some of these messages have a line break at the end or two sentences.
            let error = error.to_string().trim_end().replace(". ", ": ");
            format!("is a damaged or cut short picture ({}), so save or copy it again", joined(error))
        }
    })
}

fn decode_as(bytes: &[u8], format: ImageFormat, copies: u64, most: u64) -> ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE);
    limits.max_image_height = Some(MAX_PICTURE_SIDE);
    limits.max_alloc = Some(most);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.clone().reserve(decoder.total_bytes().saturating_mul(copies))?;
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Facts from the markers of a JPEG file.
struct Jpeg {
    progressive: bool,
}

impl Jpeg {
    /// Reads the markers up to the end marker.
    ///
    /// None if the file is cut short.
    ///
    /// It goes from segment to segment, because a preview within one has an end marker of its own.
    fn of(bytes: &[u8]) -> Option<Jpeg> {
        let mut jpeg = Jpeg { progressive: false };
        let mut at = 2;
        loop {
            match *bytes.get(at..at + 2)? {
                [0xff, 0xd9] => return Some(jpeg),
                // Compressed data (its 0xff bytes are followed by 0), restart markers and fill bytes.
                [0xff, 0x00 | 0x01 | 0xd0..=0xd8] => at += 2,
                [0xff, 0xff] | [0..=0xfe, _] => at += 1,
                // A segment with its length, which includes the two bytes of the length.
                _ => {
                    jpeg.progressive |= bytes[at + 1] == 0xc2;
                    let length = bytes.get(at + 2..at + 4)?;
                    at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
                }
            }
        }
    }
}

/// The picture's H × W × `channels` bytes, inverted if asked, without alpha for 1 and 3 channels.
fn channel_values(picture: DynamicImage, channels: usize, invert: bool) -> Vec<u8> {
    let alpha = picture.color().has_alpha();
    let colours = if channels < 3 { 1 } else { 3 };
    let (mut values, stored) = match (colours, alpha || channels > colours) {
        (1, false) => (picture.into_luma8().into_raw(), 1),
        (1, true) => (picture.into_luma_alpha8().into_raw(), 2),
        (_, false) => (picture.into_rgb8().into_raw(), 3),
        (_, true) => (picture.into_rgba8().into_raw(), 4),
    };
    if invert {
        for pixel in values.chunks_exact_mut(stored) {
            pixel[..colours].iter_mut().for_each(|value| *value = 255 - *value);
        }
    }
    if stored > channels {
        let pixels = values.len() / stored;
        for pixel in 0..pixels {
            let alpha = u32::from(values[pixel * stored + channels]);
            for channel in 0..channels {
                let value = u32::from(values[pixel * stored + channel]);
                values[pixel * channels + channel] = ((value * alpha + 127) / 255) as u8;
            }
        }
        values.truncate(pixels * channels);
    }
    values
}

/// The largest width and height that keep the aspect ratio, at least one pixel each.
fn fitted((width, height): (u32, u32), shape: &Shape) -> (u32, u32) {
    let (to_width, to_height) = (shape.width as u32, shape.height as u32);
    let scaled = |side: u32, to: u32, from: u32| {
        let (side, to, from) = (u64::from(side), u64::from(to), u64::from(from));
        ((side * to + from / 2) / from).max(1) as u32
    };
    if u64::from(width) * u64::from(to_height) >= u64::from(height) * u64::from(to_width) {
        (to_width, scaled(height, to_width, width))
    } else {
        (scaled(width, to_height, height), to_height)
    }
}

fn resize<P: Pixel<Subpixel = u8> + 'static>(values: Vec<u8>, from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    if from == to {
        return values;
    }
    let picture = ImageBuffer::<P, _>::from_raw(from.0, from.1, values)
        .expect("a value for each channel of each pixel");
    imageops::resize(&picture, to.0, to.1, FilterType::Triangle).into_raw()
}

/// Centres a picture with rows of `width` pixels in one of `shape`, both H × W × C.
fn centre(values: &[u8], width: usize, shape: &Shape) -> Vec<u8> {
    let mut canvas = vec![0; shape.len()];
    if matches!(shape.channels, 2 | 4) {
        canvas.iter_mut().skip(shape.channels - 1).step_by(shape.channels).for_each(|alpha| *alpha = 255);
    }
    let row = width * shape.channels;
    let height = values.len() / row;
    let (top, left) = ((shape.height - height) / 2, (shape.width - width) / 2);
    for (y, values) in values.chunks_exact(row).enumerate() {
        let start = ((top + y) * shape.width + left) * shape.channels;
        canvas[start..start + row].copy_from_slice(values);
    }
    canvas
}
