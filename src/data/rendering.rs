//! How the values of a picture become bytes: the ground under transparent parts, and the levels of 16-bit samples.

use std::fmt;
use std::str::FromStr;

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};

use super::grey::Grey;
use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// Red, green and blue.
pub type Colour = [u8; 3];

/// Black, the ground of models that say none.
pub const BLACK: Colour = [0; 3];
/// White.
pub const WHITE: Colour = [255; 3];

/// The setting for the ground under transparent parts: `auto`, or a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// Black or white, whichever keeps the drawings visible.
    #[default]
    Auto,
    /// This colour.
    Colour(Colour),
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Background::Auto => f.write_str("auto"),
            Background::Colour(BLACK) => f.write_str("black"),
            Background::Colour(WHITE) => f.write_str("white"),
            Background::Colour([red, green, blue]) if red == green && green == blue => write!(f, "{red}"),
            Background::Colour([red, green, blue]) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

impl FromStr for Background {
    type Err = Error;

    fn from_str(text: &str) -> Result<Background> {
        let colour = match text.trim().to_ascii_lowercase().as_str() {
            "auto" => return Ok(Background::Auto),
            "black" => Some(BLACK),
            "white" => Some(WHITE),
            other => match other.strip_prefix('#') {
                Some(digits) => hexadecimal(digits),
                None => other.parse().ok().map(|grey: u8| [grey; 3]),
            },
        };
        colour.map(Background::Colour).ok_or_else(|| {
            Error::Usage(format!(
                "⟨background⟩ is “{}”, but it takes auto, black, white, a colour as in #ffcc00, or a grey from 0 \
                 to 255{}",
                shorten(text),
                suggestion(text.trim(), &["auto", "black", "white"])
            ))
        })
    }
}

/// The colour of six hexadecimal digits.
fn hexadecimal(digits: &str) -> Option<Colour> {
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}

/// The 16-bit values that become 0 and 255; those between are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRange {
    /// This value and those below become 0.
    pub low: u16,
    /// This value and those above become 255.
    pub high: u16,
}

impl LevelRange {
    /// All 65,536 values.
    pub const FULL: LevelRange = LevelRange { low: 0, high: u16::MAX };

    /// The byte of a 16-bit value, rounded to the nearest.
    pub fn byte(&self, value: u16) -> u8 {
        let (low, high) = (u32::from(self.low), u32::from(self.high));
        let (above, range) = (u32::from(value).clamp(low, high) - low, high - low);
        // At most 65,535 · 255 + 32,767.
        ((above * 255 + range / 2) / range) as u8
    }

    /// The picture with 8-bit samples by these levels; alpha keeps its whole range.
    ///
    /// A picture with 8-bit samples stays as it is.
    pub(super) fn apply(&self, picture: DynamicImage) -> DynamicImage {
        if *self == LevelRange::FULL {
            return picture;
        }
        let (byte, alpha) = (|value: u16| self.byte(value), |value: u16| LevelRange::FULL.byte(value));
        let (width, height) = (picture.width(), picture.height());
        match picture {
            DynamicImage::ImageLuma16(deep) => {
                let at = |x, y| Luma(deep.get_pixel(x, y).0.map(byte));
                ImageBuffer::from_fn(width, height, at).into()
            }
            DynamicImage::ImageLumaA16(deep) => {
                let at = |x, y| {
                    let LumaA([grey, a]) = *deep.get_pixel(x, y);
                    LumaA([byte(grey), alpha(a)])
                };
                ImageBuffer::from_fn(width, height, at).into()
            }
            DynamicImage::ImageRgb16(deep) => {
                let at = |x, y| Rgb(deep.get_pixel(x, y).0.map(byte));
                ImageBuffer::from_fn(width, height, at).into()
            }
            DynamicImage::ImageRgba16(deep) => {
                let at = |x, y| {
                    let Rgba([red, green, blue, a]) = *deep.get_pixel(x, y);
                    Rgba([byte(red), byte(green), byte(blue), alpha(a)])
                };
                ImageBuffer::from_fn(width, height, at).into()
            }
            shallow => shallow,
        }
    }
}

/// The setting for the levels of 16-bit samples: `auto`, `full`, or a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Levels {
    /// The range of the data set's own values where that keeps more of them apart, else the full one.
    #[default]
    Auto,
    /// These.
    Range(LevelRange),
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Levels::Auto => f.write_str("auto"),
            Levels::Range(LevelRange::FULL) => f.write_str("full"),
            Levels::Range(LevelRange { low, high }) => write!(f, "{low}-{high}"),
        }
    }
}

impl FromStr for Levels {
    type Err = Error;

    fn from_str(text: &str) -> Result<Levels> {
        let range = |text: &str| {
            let (low, high) = text.split_once('-')?;
            let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
            (low < high).then_some(LevelRange { low, high })
        };
        match text.trim() {
            "auto" => Ok(Levels::Auto),
            "full" => Ok(Levels::Range(LevelRange::FULL)),
            other => range(other).map(Levels::Range).ok_or_else(|| {
                Error::Usage(format!(
                    "⟨levels⟩ is “{}”, but it takes auto, full, or the lowest and the highest 16-bit value, as in \
                     0-4000",
                    shorten(text)
                ))
            }),
        }
    }
}

/// How pictures become bytes, as chosen for a data set and kept in its models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The ground under transparent parts.
    pub ground: Colour,
    /// The ground around a picture of another aspect ratio.
    pub margin: Colour,
    /// The levels of 16-bit samples.
    pub levels: LevelRange,
    /// The weights of a colour's grey.
    pub grey: Grey,
}

impl Default for Rendering {
    fn default() -> Rendering {
        Rendering { ground: BLACK, margin: BLACK, levels: LevelRange::FULL, grey: Grey::default() }
    }
}

impl Rendering {
    /// That of models and recipes of versions that had no choice.
    pub const FORMER: Rendering =
        Rendering { ground: BLACK, margin: BLACK, levels: LevelRange::FULL, grey: Grey::Rec709 };

    /// The same on another ground, around the picture as well.
    pub fn on(self, ground: Colour) -> Rendering {
        Rendering { ground, margin: ground, ..self }
    }

    /// The same with the settings that are given.
    pub fn with(self, background: Background, levels: Levels) -> Rendering {
        let rendering = match background {
            Background::Auto => self,
            Background::Colour(ground) => self.on(ground),
        };
        match levels {
            Levels::Auto => rendering,
            Levels::Range(levels) => Rendering { levels, ..rendering },
        }
    }

    /// The rendering by settings, before anything is chosen in place of `auto`.
    pub(super) fn by(background: Background, levels: Levels, grey: Grey) -> Rendering {
        Rendering { grey, ..Rendering::default() }.with(background, levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grounds_are_read_and_written() {
        for text in ["auto", "black", "white", "128", "#ffcc00"] {
            assert_eq!(text.parse::<Background>().unwrap().to_string(), text);
        }
        for (text, same) in [("0", "black"), (" White", "white"), ("#FFFFFF", "white"), ("#070707", "7")] {
            assert_eq!(text.parse::<Background>().unwrap().to_string(), same);
        }
        for text in ["", "256", "-1", "#fff", "#12345g", "#+12345", "blakc", "0x10"] {
            let error = text.parse::<Background>().unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.marked().contains("⟨background⟩ is"), "{error}");
        }
    }

    #[test]
    fn levels_are_read_and_written() {
        for text in ["auto", "full", "0-4000", "1000-1300"] {
            assert_eq!(text.parse::<Levels>().unwrap().to_string(), text);
        }
        assert_eq!("0 - 65535".parse::<Levels>().unwrap(), Levels::Range(LevelRange::FULL));
        for text in ["", "4000", "7-7", "9-3", "-4", "0-65536", "a-b"] {
            assert_eq!(text.parse::<Levels>().unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn full_levels_are_what_a_picture_is_rounded_to() {
        for value in 0..=u16::MAX {
            let deep = ImageBuffer::from_pixel(1, 1, Luma([value]));
            let rounded = DynamicImage::ImageLuma16(deep).into_luma8().get_pixel(0, 0).0[0];
            assert_eq!(LevelRange::FULL.byte(value), rounded);
        }
        let levels = LevelRange { low: 1000, high: 1300 };
        assert_eq!([0, 1000, 1150, 1300, 9999].map(|value| levels.byte(value)), [0, 0, 128, 255, 255]);
    }
}
