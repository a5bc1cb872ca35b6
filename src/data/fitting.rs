//! From a decoded picture to the bytes of an image, and what was seen on the way.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};

use super::dataset::separate_channels;
use super::grey::Grey;
use super::histogram::Kept;
use super::outline::Outline;
use super::rendering::{Colour, Rendering};
use crate::error::{Error, Result, suggestion};
use crate::program::shape::Shape;
use crate::text::shorten;

/// How a picture of another aspect ratio becomes an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// All of it is scaled to fit, and gets a margin.
    #[default]
    Pad,
    /// Its middle fills the image, and the rest is cut off.
    Crop,
    /// All of it fills the image, and its proportions change.
    Stretch,
}

impl Fit {
    /// The names, in the order of the variants.
    pub const NAMES: [&str; 3] = ["pad", "crop", "stretch"];
}

impl FromStr for Fit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Fit> {
        let all = [Fit::Pad, Fit::Crop, Fit::Stretch];
        let found = Fit::NAMES.iter().position(|name| *name == text.trim());
        found.map(|at| all[at]).ok_or_else(|| {
            let near = suggestion(text.trim(), &Fit::NAMES);
            let names = Fit::NAMES.join(", ");
            Error::Usage(format!("there is no fit “{}”{near}; there are {names}", shorten(text)))
        })
    }
}

/// How a picture is handled besides the rendering of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureOptions {
    /// Whether dark and light are swapped.
    pub invert: bool,
    /// How a picture of another aspect ratio becomes an image.
    pub fit: Fit,
}

/// What was seen of a picture on its way to bytes: a few numbers, however large it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Width and height in the file, in pixels.
    pub size: (u32, u32),
    /// Width and height after resizing, without the margin.
    pub fitted: (u32, u32),
    /// Whether there is a margin around it.
    pub margin: bool,
    /// What the levels have left of its samples; none when they haven't 16 bits.
    pub kept: Option<Kept>,
    /// A hash of its pixels in the file.
    pub content: u64,
    /// Whether its pixels differ in the file.
    pub varied: bool,
    /// Whether it has transparent parts that were composed onto the ground.
    pub composed: bool,
    /// The mean grey of what is not transparent; none when nothing is, or nothing was composed.
    pub ink: Option<u8>,
    /// The outline of what is not transparent; none when there is none, or nothing was composed.
    pub outline: Option<Outline>,
    /// Whether the file is an animation.
    pub animated: bool,
    /// The mean grey along its edge, before the margin.
    pub edge: u8,
    /// The largest difference within a channel, before resizing.
    pub contrast: u8,
    /// The same in the finished image, without the margin.
    pub contrast_left: u8,
}

/// C·H·W bytes of `shape`, channels first.
pub(super) fn fit(
    picture: DynamicImage,
    shape: &Shape,
    rendering: &Rendering,
    options: &PictureOptions,
) -> (Vec<u8>, Seen) {
    let picture = if options.fit == Fit::Crop { cropped(picture, shape) } else { picture };
    let (size, channels) = ((picture.width(), picture.height()), shape.channels);
    let (width, height) = match options.fit {
        Fit::Pad => fitted(size, shape),
        Fit::Crop | Fit::Stretch => (shape.width as u32, shape.height as u32),
    };
    let mut seen = Seen {
        size,
        fitted: (width, height),
        margin: (width as usize, height as usize) != (shape.width, shape.height),
        kept: Kept::of(&picture, &rendering.levels),
        content: content(&picture),
        varied: is_varied(&picture),
        ..Seen::default()
    };
    let picture = rendering.levels.apply(picture);
    let values = channel_values(picture, channels, rendering, options.invert, &mut seen);
    seen.edge = edge(&values, size.0 as usize, channels, rendering.grey);
    seen.contrast = contrast(&values, channels);
    seen.contrast_left = seen.contrast;
    let values = if size == (width, height) {
        values
    } else {
        let values = match channels {
            1 => resize::<Luma<u8>>(values, size, (width, height)),
            2 => resize::<LumaA<u8>>(values, size, (width, height)),
            3 => resize::<Rgb<u8>>(values, size, (width, height)),
            _ => resize::<Rgba<u8>>(values, size, (width, height)),
        };
        seen.contrast_left = contrast(&values, channels);
        values
    };
    let canvas =
        centre(&values, width as usize, shape, &of_channels(rendering.margin, channels, rendering.grey));
    let mut planar = vec![0; shape.len()];
    separate_channels(shape, &canvas, &mut planar);
    (planar, seen)
}

/// Whether samples have 16 bits.
pub(super) fn is_deep(picture: &DynamicImage) -> bool {
    picture.color().bytes_per_pixel() / picture.color().channel_count() > 1
}

/// A hash of a picture's size and pixels.
fn content(picture: &DynamicImage) -> u64 {
    let mut hasher = DefaultHasher::new();
    (picture.width(), picture.height(), picture.color()).hash(&mut hasher);
    hasher.write(picture.as_bytes());
    hasher.finish()
}

/// Whether any two pixels differ.
fn is_varied(picture: &DynamicImage) -> bool {
    let pixel = usize::from(picture.color().bytes_per_pixel());
    let bytes = picture.as_bytes();
    // Each byte against that of the pixel before.
    bytes.get(pixel..).is_some_and(|rest| *rest != bytes[..bytes.len() - pixel])
}

/// The colour as images of `channels` have it: greys for 1 and 2.
fn of_channels(colour: Colour, channels: usize, grey: Grey) -> Colour {
    if channels < 3 { [grey.of(colour); 3] } else { colour }
}

/// The largest difference between the values of a channel.
fn contrast(values: &[u8], channels: usize) -> u8 {
    let (mut least, mut most) = ([u8::MAX; 4], [0; 4]);
    for pixel in values.chunks_exact(channels) {
        for (channel, value) in pixel.iter().enumerate() {
            least[channel] = least[channel].min(*value);
            most[channel] = most[channel].max(*value);
        }
    }
    (0..channels).map(|channel| most[channel].saturating_sub(least[channel])).max().unwrap_or_default()
}

/// The mean grey of the pixels along the edge.
fn edge(values: &[u8], width: usize, channels: usize, by: Grey) -> u8 {
    let row = width * channels;
    let grey =
        |pixel: &[u8]| u64::from(if channels < 3 { pixel[0] } else { by.of([pixel[0], pixel[1], pixel[2]]) });
    let (mut sum, mut count) = (0, 0);
    let last = (values.len() / row).saturating_sub(1);
    for (y, row) in values.chunks_exact(row).enumerate() {
        let inner = y != 0 && y != last;
        let step = if inner { (width - 1).max(1) } else { 1 };
        for pixel in row.chunks_exact(channels).step_by(step) {
            sum += grey(pixel);
            count += 1;
        }
    }
    sum.checked_div(count).unwrap_or_default() as u8
}

/// The channels of a picture on its way to `channels`: its alpha is composed onto the ground at last.
pub(super) fn stored_channels(channels: usize, alpha: bool) -> usize {
    let colours = if channels < 3 { 1 } else { 3 };
    if alpha || channels > colours { colours + 1 } else { colours }
}

/// The picture's H × W × `channels` bytes, inverted if asked, without alpha for 1 and 3 channels.
fn channel_values(
    picture: DynamicImage,
    channels: usize,
    rendering: &Rendering,
    invert: bool,
    seen: &mut Seen,
) -> Vec<u8> {
    let (stored, width) = (stored_channels(channels, picture.color().has_alpha()), picture.width() as usize);
    let mut values = match stored {
        1 => rendering.grey.greys(picture),
        2 => rendering.grey.greys_and_alpha(picture),
        3 => picture.into_rgb8().into_raw(),
        _ => picture.into_rgba8().into_raw(),
    };
    let colours = if channels < 3 { 1 } else { 3 };
    if invert {
        for pixel in values.chunks_exact_mut(stored) {
            pixel[..colours].iter_mut().for_each(|value| *value = 255 - *value);
        }
    }
    if stored > channels {
        let ground = of_channels(rendering.ground, channels, rendering.grey);
        seen.outline = Outline::of(&values, width, channels, &ground);
        compose(&mut values, channels, &ground, rendering.grey, seen);
    }
    values
}

/// Composes pixels of `channels` colours and alpha onto the ground, and drops alpha.
fn compose(values: &mut Vec<u8>, channels: usize, ground: &Colour, by: Grey, seen: &mut Seen) {
    let (stored, mut ink, mut cover, mut clear) = (channels + 1, 0, 0, 0);
    let pixels = values.len() / stored;
    for pixel in 0..pixels {
        let start = pixel * stored;
        let alpha = values[start + channels];
        let grey = match channels {
            1 => values[start],
            _ => by.of([values[start], values[start + 1], values[start + 2]]),
        };
        ink += u64::from(alpha) * u64::from(grey);
        cover += u64::from(alpha);
        clear += u64::from(alpha < 255);
        for (channel, ground) in ground.iter().enumerate().take(channels) {
            let (value, alpha) = (u32::from(values[start + channel]), u32::from(alpha));
            let composed = value * alpha + u32::from(*ground) * (255 - alpha);
            values[pixel * channels + channel] = ((composed + 127) / 255) as u8;
        }
    }
    values.truncate(pixels * channels);
    seen.composed = clear > 0;
    seen.ink = ink.checked_div(cover).filter(|_| seen.composed).map(|ink| ink as u8);
}

/// The largest part around the middle that has the aspect ratio of the shape.
fn cropped(picture: DynamicImage, shape: &Shape) -> DynamicImage {
    let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
    let (to_width, to_height) = (shape.width as u64, shape.height as u64);
    let part = |side: u64, to: u64, from: u64| ((side * to + from / 2) / from).max(1);
    let (across, down) = if width * to_height > height * to_width {
        (part(height, to_width, to_height).min(width), height)
    } else {
        (width, part(width, to_height, to_width).min(height))
    };
    if (across, down) == (width, height) {
        return picture;
    }
    let [left, top, across, down] =
        [(width - across) / 2, (height - down) / 2, across, down].map(|side| side as u32);
    picture.crop_imm(left, top, across, down)
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
    let picture = ImageBuffer::<P, _>::from_raw(from.0, from.1, values)
        .expect("a value for each channel of each pixel");
    imageops::resize(&picture, to.0, to.1, FilterType::Triangle).into_raw()
}

/// Centres a picture with rows of `width` pixels in one of `shape`, both H × W × C. The margin is opaque.
fn centre(values: &[u8], width: usize, shape: &Shape, margin: &Colour) -> Vec<u8> {
    let [red, green, blue] = *margin;
    let pixel: &[u8] = match shape.channels {
        1 => &[red],
        2 => &[red, 255],
        3 => margin,
        _ => &[red, green, blue, 255],
    };
    let mut canvas = pixel.repeat(shape.height * shape.width);
    let row = width * shape.channels;
    let height = values.len() / row;
    let (top, left) = ((shape.height - height) / 2, (shape.width - width) / 2);
    for (y, values) in values.chunks_exact(row).enumerate() {
        let start = ((top + y) * shape.width + left) * shape.channels;
        canvas[start..start + row].copy_from_slice(values);
    }
    canvas
}
