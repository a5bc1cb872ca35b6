//! Pictures, read from PNG and JPEG files as images of one size.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits};

use super::fitting::{PictureOptions, Seen, fit, is_deep, stored_channels};
use super::histogram::Histogram;
use super::limits::{MAX_SIDE, check_shape};
use super::markers::{Jpeg, damaged_chunk, is_animated};
use super::reading::{Reading, Resize};
use super::rendering::Rendering;
use crate::data::files::{Unread, read_bytes};
use crate::error::{Error, Result};
use crate::memory;
use crate::program::shape::Shape;
use crate::text::{joined, reason, shorten, shown};

// The limits are far above a photograph's, and low enough that no file can exhaust memory.
/// The largest width or height of a picture, in pixels.
const MAX_PICTURE_SIDE: u32 = 16_384;
/// The largest picture in memory, in bytes.
const MAX_PICTURE_BYTES: u64 = 512 << 20;
/// The largest file of a picture, in bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// Bytes that a picture takes without asking how much memory is left.
const SMALL: u64 = 16 << 20;

/// Reads a PNG or JPEG picture as C·H·W bytes of `shape`.
///
/// - The format is detected from the content, not from the name.
/// - The picture is turned upright by its EXIF orientation.
/// - Colours become those of the shape: grey by the weights of `rendering` for 1 and 2 channels, RGB for 3 and 4.
///   Samples of 16 bits become 8 by its levels. Gamma and colour profiles are ignored.
/// - `invert` makes 255 − v of every grey or colour value v, for dark ink on white paper where the data set has bright
///   ink on black.
/// - For shapes without alpha the picture is composed onto the ground of `rendering`; 2 and 4 channels keep alpha as
///   their last. Inverting comes first and leaves the ground: inverted dark ink on a transparent ground is bright ink
///   on black, where the ground is black.
/// - A picture of the size of `shape` stays as it is. Any other is scaled, keeping its aspect ratio, to the largest that
///   fits (triangle filter, over the area of each new pixel when shrinking), and centred on the opaque margin of
///   `rendering`; an odd pixel of margin goes to the right or the bottom.
/// - Of an animated PNG the still image is read.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such file; [`Error::Data`] if it is unreadable, empty, neither PNG nor JPEG, damaged
/// or cut short, larger than 16,384 × 16,384 pixels, 512 MiB in memory or the memory that is left, or if `shape` is out of
/// range.
pub fn read_picture(path: &Path, shape: &Shape, rendering: &Rendering, invert: bool) -> Result<Vec<u8>> {
    check_shape(shape, "the network")?;
    let picture = decoded(path, &read_file(path)?, shape)?;
    Ok(fit(picture, shape, rendering, &PictureOptions { invert, ..PictureOptions::default() }).0)
}

/// The picture in the bytes of a file, for an image of `shape`.
pub(super) fn decoded(path: &Path, bytes: &[u8], shape: &Shape) -> Result<DynamicImage> {
    let need = need(bytes, shape);
    if need > SMALL
        && let Err(shortage) = memory::check(need)
    {
        return Err(bad(path, &format!("{shortage}, so scale the picture down first")));
    }
    decode(bytes, Some(shape.channels), MAX_PICTURE_BYTES).map_err(|problem| bad(path, &problem))
}

/// The most bytes that the picture in the bytes of a file takes besides them until it is an image of `shape`; 0 if it
/// can't be decoded.
pub(super) fn need(bytes: &[u8], shape: &Shape) -> u64 {
    let of = || {
        let format = format(bytes).ok()?;
        let copies = copies(bytes, format).ok()?;
        let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().ok()?;
        let (width, height) = decoder.dimensions();
        let most = decoder.total_bytes().saturating_mul(copies);
        if width.max(height) > MAX_PICTURE_SIDE || most > MAX_PICTURE_BYTES {
            return None;
        }
        let is_upright = decoder.orientation().ok()? == Orientation::NoTransforms;
        let decoded = if is_upright { most - decoder.total_bytes() } else { most };
        // The decoder of JPEG pictures has a copy of the file.
        let copy = if format == ImageFormat::Jpeg { bytes.len() as u64 } else { 0 };
        let converted = converted_bytes(&decoder, Some(shape.channels));
        // Resizing begins with columns of the new height, four floats for each pixel; turned, the width is the height.
        let columns = u64::from(width.max(height)).saturating_mul(16 * shape.height as u64);
        let resized = (converted - decoder.total_bytes()).saturating_add(columns);
        Some((copy + decoded).max(converted).max(resized))
    };
    of().unwrap_or_default()
}

/// A picture of a data set.
pub(super) struct Fitted {
    /// Its size, which may be larger than an image may be.
    pub shape: Shape,
    /// C·H·W bytes; none when it is larger than an image may be.
    pub values: Vec<u8>,
    /// What was seen of it.
    pub seen: Seen,
}

/// Reads a picture of a data set, as it is or resized, by its `reading` but for the rendering.
///
/// Reading a picture takes at most 64 MiB and 4 times its file, so that a small file can't exhaust memory. A picture
/// with a side beyond [`MAX_SIDE`] that is not resized comes without values. The values of a 16-bit picture are counted
/// in `histogram`.
///
/// # Errors
/// As [`read_picture`], and [`Error::Data`] for a picture that needs more memory.
pub(super) fn read(
    path: &Path,
    reading: &Reading,
    rendering: &Rendering,
    histogram: Option<&Histogram>,
) -> Result<Fitted> {
    let bytes = read_file(path)?;
    let animated = is_animated(&bytes);
    let given = reading.resize.and_then(|resize| resize.channels);
    let picture = decode(&bytes, given, most_decoded(bytes.len() as u64));
    let picture = picture.map_err(|problem| bad(path, &problem))?;
    drop(bytes);
    if let Some(histogram) = histogram.filter(|_| is_deep(&picture)) {
        histogram.add(&picture);
    }
    let channels = usize::from(picture.color().channel_count());
    let shape = shaped(reading.resize, channels, picture.height() as usize, picture.width() as usize);
    if shape.height.max(shape.width) > MAX_SIDE {
        return Ok(Fitted { shape, values: Vec::new(), seen: Seen::default() });
    }
    let (values, seen) = fit(picture, &shape, rendering, &reading.options);
    Ok(Fitted { shape, values, seen: Seen { animated, ..seen } })
}

/// The most bytes that decoding a file of this length takes.
fn most_decoded(length: u64) -> u64 {
    (4 * length + (64 << 20)).min(MAX_PICTURE_BYTES)
}

/// The most bytes that [`read`] takes.
pub(super) fn cost(path: &Path) -> u64 {
    let length = fs::metadata(path).map_or(0, |found| found.len()).min(MAX_FILE_BYTES);
    length + most_decoded(length)
}

/// The size of a picture as [`read`] would return it, and the bytes that decoding takes, from its header alone.
///
/// None for a file that can't be read, which [`read`] will say.
pub(super) fn header(path: &Path, resize: Option<Resize>) -> Option<(Shape, u64)> {
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut decoder = ImageReader::open(path).ok()?.with_guessed_format().ok()?.into_decoder().ok()?;
    let upright = !matches!(
        decoder.orientation().ok()?,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (width, height) = decoder.dimensions();
    let (width, height) =
        if upright { (width as usize, height as usize) } else { (height as usize, width as usize) };
    let shape = shaped(resize, usize::from(decoder.color_type().channel_count()), height, width);
    let converted = converted_bytes(&decoder, Some(shape.channels));
    Some((shape, decoder.total_bytes().saturating_mul(2).max(converted)))
}

/// The size of a picture of a data set, which may be resized.
fn shaped(resize: Option<Resize>, channels: usize, height: usize, width: usize) -> Shape {
    match resize {
        Some(Resize { channels: given, height, width }) => {
            Shape::image(given.unwrap_or(channels), height, width)
        }
        None => Shape::image(channels, height, width),
    }
}

fn bad(path: &Path, problem: &str) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_bytes(path, MAX_FILE_BYTES).map_err(|why| match why {
        Unread::NotFound => Error::NotFound(format!("{} isn't there, so check the path", shown(path))),
        Unread::NotAFile => bad(path, "is not a file, so name a PNG or JPEG picture"),
        Unread::TooLong(_) => bad(path, "is larger than 256 MiB, so scale the picture down first"),
        Unread::OutOfMemory => {
            bad(path, "is larger than the memory of this machine, so scale the picture down first")
        }
        Unread::Failed(error) => {
            bad(path, &format!("can't be read ({}), so check the path and its permissions", reason(&error)))
        }
    })
}

/// Decodes a PNG or JPEG file and turns it upright, with at most `most` bytes of memory for that and for its conversion
/// to `channels` channels, if given.
///
/// # Errors
/// The rest of a sentence that begins with the file.
fn decode(bytes: &[u8], channels: Option<usize>, most: u64) -> Result<DynamicImage, String> {
    let format = format(bytes)?;
    let copies = copies(bytes, format)?;
    if let Some(kind) = damaged_chunk(bytes).filter(|_| format == ImageFormat::Png) {
        return Err(format!(
            "is a damaged picture (the checksum of its chunk “{}” doesn't match), so save or copy it again",
            shorten(&String::from_utf8_lossy(kind))
        ));
    }
    decode_as(bytes, format, channels, copies, most).map_err(|error| match error {
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

/// The format of a picture, from its content.
///
/// # Errors
/// As [`decode`].
fn format(bytes: &[u8]) -> Result<ImageFormat, String> {
    match image::guess_format(bytes) {
        _ if bytes.is_empty() => Err("is empty, so save or copy it again".into()),
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        _ => Err("is neither a PNG nor a JPEG picture, so convert it to one".into()),
    }
}

/// How often a picture is in memory while it is decoded.
///
/// # Errors
/// As [`decode`], for a JPEG picture that is cut short.
fn copies(bytes: &[u8], format: ImageFormat) -> Result<u64, String> {
    // Decoded, and turned.
    const COPIES: u64 = 2;
    if format != ImageFormat::Jpeg {
        return Ok(COPIES);
    }
    // The decoder would silently fill the missing part with grey.
    let cut_short = || "is a JPEG picture that is cut short, so save or copy it again".to_owned();
    let jpeg = Jpeg::of(bytes).ok_or_else(cut_short)?;
    // A progressive file also keeps all coefficients, of two bytes each, until its end.
    Ok(COPIES + if jpeg.progressive { 2 } else { 0 })
}

fn decode_as(
    bytes: &[u8],
    format: ImageFormat,
    channels: Option<usize>,
    copies: u64,
    most: u64,
) -> ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE);
    limits.max_image_height = Some(MAX_PICTURE_SIDE);
    limits.max_alloc = Some(most);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.clone().reserve(decoder.total_bytes().saturating_mul(copies))?;
    limits.clone().reserve(converted_bytes(&decoder, channels))?;
    limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(limits)?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The bytes of a picture together with its 8-bit values for `channels` channels; without, for its own.
fn converted_bytes(decoder: &impl ImageDecoder, channels: Option<usize>) -> u64 {
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    let stored = match channels {
        Some(channels) => stored_channels(channels, colour.has_alpha()),
        None => usize::from(colour.channel_count()),
    };
    let values = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(stored as u64);
    decoder.total_bytes().saturating_add(values)
}
