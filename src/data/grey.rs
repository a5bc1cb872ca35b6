//! The grey of a colour, by the weights of two standards.

use std::fmt;
use std::str::FromStr;

use image::DynamicImage;

use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// The weights by which red, green and blue become grey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grey {
    /// 0.299, 0.587 and 0.114, as in Pillow; OpenCV's greys differ by 1 at the most.
    #[default]
    Rec601,
    /// 0.2126, 0.7152 and 0.0722, as wgrad did before it had a choice.
    Rec709,
}

/// The names in recipes.
const NAMES: &[&str] = &["rec601", "rec709"];

impl FromStr for Grey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Grey> {
        match text.trim() {
            "rec601" => Ok(Grey::Rec601),
            "rec709" => Ok(Grey::Rec709),
            other => Err(Error::Usage(format!(
                "⟨grey⟩ is “{}”, but it takes rec601, the weights of Pillow and OpenCV, or rec709{}",
                shorten(text),
                suggestion(other, NAMES)
            ))),
        }
    }
}

impl fmt::Display for Grey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Grey::Rec601 => "rec601",
            Grey::Rec709 => "rec709",
        })
    }
}

/// Rec. 601 in units of 1/65536, rounded to the nearest: Pillow's mode L to the bit.
fn rec601([red, green, blue]: [u32; 3]) -> u32 {
    // At most 65,535 · 65,536 + 32,768, which fits.
    (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16
}

/// The byte of a 16-bit value, rounded to the nearest.
fn byte(deep: u32) -> u8 {
    ((deep * 255 + 32_767) / 65_535) as u8
}

/// Whether each sample of a picture is a byte.
fn is_bytes(picture: &DynamicImage) -> bool {
    let colour = picture.color();
    colour.bytes_per_pixel() == colour.channel_count()
}

impl Grey {
    /// The grey of a colour.
    pub(super) fn of(self, colour: [u8; 3]) -> u8 {
        let colour @ [red, green, blue] = colour.map(u32::from);
        match self {
            Grey::Rec601 => rec601(colour) as u8,
            Grey::Rec709 => ((red * 2126 + green * 7152 + blue * 722) / 10_000) as u8,
        }
    }

    /// The grey of a colour of 16-bit samples, as a byte.
    fn of_deep(colour: [u16; 3]) -> u8 {
        byte(rec601(colour.map(u32::from)))
    }

    /// The greys of a picture, H × W bytes.
    pub(super) fn greys(self, picture: DynamicImage) -> Vec<u8> {
        match (self, &picture) {
            (Grey::Rec601, DynamicImage::ImageRgb8(colours)) => {
                colours.pixels().map(|pixel| self.of(pixel.0)).collect()
            }
            (Grey::Rec601, DynamicImage::ImageRgb16(colours)) => {
                colours.pixels().map(|pixel| Grey::of_deep(pixel.0)).collect()
            }
            (Grey::Rec601, colours) if colours.color().has_color() => {
                let deep = !is_bytes(colours);
                self.greys(if deep { picture.into_rgb16().into() } else { picture.into_rgb8().into() })
            }
            _ => picture.into_luma8().into_raw(),
        }
    }

    /// The greys of a picture with alpha, H × W × 2 bytes.
    pub(super) fn greys_and_alpha(self, picture: DynamicImage) -> Vec<u8> {
        match (self, &picture) {
            (Grey::Rec601, DynamicImage::ImageRgba8(colours)) => {
                let pixels = colours.pixels().map(|pixel| pixel.0);
                pixels.flat_map(|[red, green, blue, alpha]| [self.of([red, green, blue]), alpha]).collect()
            }
            (Grey::Rec601, DynamicImage::ImageRgba16(colours)) => {
                let pixels = colours.pixels().map(|pixel| pixel.0);
                let pair = |[red, green, blue, alpha]: [u16; 4]| {
                    [Grey::of_deep([red, green, blue]), byte(alpha.into())]
                };
                pixels.flat_map(pair).collect()
            }
            (Grey::Rec601, DynamicImage::ImageRgba32F(_)) => {
                self.greys_and_alpha(picture.into_rgba16().into())
            }
            (Grey::Rec601, colours) if colours.color().has_color() => {
                self.greys(picture).into_iter().flat_map(|grey| [grey, u8::MAX]).collect()
            }
            _ => picture.into_luma_alpha8().into_raw(),
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Rgb, Rgba};

    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for text in ["rec601", "rec709"] {
            assert_eq!(text.parse::<Grey>().unwrap().to_string(), text);
        }
        for text in ["", "rec610", "601", "luma"] {
            let error = text.parse::<Grey>().unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.marked().contains("⟨grey⟩ is"), "{error}");
        }
    }

    /// `Image.new("RGB", (1, 1), colour).convert("L")` by Pillow 13.0.0.
    #[test]
    fn rec601_is_pillows_mode_l() {
        for (colour, grey) in PILLOW {
            assert_eq!(Grey::Rec601.of(*colour), *grey, "{colour:?}");
        }
        for grey in 0..=u8::MAX {
            assert_eq!(Grey::Rec601.of([grey; 3]), grey);
        }
    }

    #[rustfmt::skip]
    const PILLOW: &[([u8; 3], u8)] = &[
        ([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([255, 255, 0], 226),
        ([1, 2, 3], 2), ([254, 255, 253], 254), ([68, 32, 130], 54), ([60, 253, 230], 193),
        ([241, 194, 107], 198), ([48, 249, 14], 162), ([199, 221, 1], 189), ([228, 136, 117], 161),
        ([52, 162, 15], 112), ([11, 13, 4], 11), ([195, 110, 216], 147), ([14, 113, 224], 96),
        ([253, 119, 176], 166), ([118, 112, 235], 128), ([148, 11, 213], 75), ([51, 95, 151], 88),
        ([61, 170, 216], 143), ([97, 155, 145], 137), ([255, 201, 17], 196), ([245, 124, 206], 170),
    ];

    #[test]
    fn rec709_leaves_pictures_to_the_image_crate() {
        for colour in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [17, 200, 99], [254, 255, 253]] {
            let picture = ImageBuffer::from_pixel(1, 1, Rgb(colour));
            let expected = DynamicImage::ImageRgb8(picture.clone()).into_luma8().into_raw();
            assert_eq!(Grey::Rec709.greys(picture.into()), expected);
            // The grey of a ground is cut off.
            assert!(expected[0] - Grey::Rec709.of(colour) <= 1);
        }
    }

    #[test]
    fn pictures_of_every_depth_have_the_same_grey() {
        let (red, green, blue) = (200, 90, 31);
        let expected = Grey::Rec601.of([red, green, blue]);
        let deep = |value: u8| u16::from(value) * 257;
        let plain: [DynamicImage; 2] = [
            ImageBuffer::from_pixel(1, 1, Rgb([red, green, blue])).into(),
            ImageBuffer::from_pixel(1, 1, Rgb([red, green, blue].map(deep))).into(),
        ];
        for picture in plain {
            assert_eq!(Grey::Rec601.greys(picture.clone()), [expected]);
            assert_eq!(Grey::Rec601.greys_and_alpha(picture), [expected, 255]);
        }
        let with_alpha: [DynamicImage; 2] = [
            ImageBuffer::from_pixel(1, 1, Rgba([red, green, blue, 77])).into(),
            ImageBuffer::from_pixel(1, 1, Rgba([red, green, blue, 77].map(deep))).into(),
        ];
        for picture in with_alpha {
            assert_eq!(Grey::Rec601.greys(picture.clone()), [expected]);
            assert_eq!(Grey::Rec601.greys_and_alpha(picture), [expected, 77]);
        }
        let real = |value: u8| f32::from(value) / 255.0;
        let reals =
            DynamicImage::ImageRgb32F(ImageBuffer::from_pixel(1, 1, Rgb([red, green, blue].map(real))));
        assert_eq!(Grey::Rec601.greys(reals), [expected]);
        let with_alpha = ImageBuffer::from_pixel(1, 1, Rgba([red, green, blue, 77].map(real)));
        assert_eq!(Grey::Rec601.greys_and_alpha(DynamicImage::ImageRgba32F(with_alpha)), [expected, 77]);
    }
}
