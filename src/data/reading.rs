//! Settings for reading pictures and IDX files.

use std::fmt;
use std::str::FromStr;

use super::fitting::PictureOptions;
use super::grey::Grey;
use super::limits::{MAX_CHANNELS, MAX_SIDE};
use super::rendering::{Background, Levels, Rendering};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::shorten;

/// Settings for reading a folder of pictures or IDX files; other data sets take none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The size of all pictures; without it, all must have the same size.
    pub resize: Option<Resize>,
    /// Whether to leave out pictures that can't be read.
    ///
    /// Otherwise the first one is an error.
    pub skip_bad: bool,
    /// The ground under transparent parts, and around pictures of another aspect ratio.
    pub background: Background,
    /// The levels of 16-bit samples.
    pub levels: Levels,
    /// Inverting pictures, and fitting those of another aspect ratio.
    pub options: PictureOptions,
    /// The weights of a colour's grey; a data set of any kind hands them to its models.
    pub grey: Grey,
    /// Whether to swap rows and columns of images in IDX files; none for EMNIST's names alone.
    pub transpose: Option<bool>,
    /// The rendering of a model, in place of `background`, `levels` and `grey`.
    pub rendering: Option<Rendering>,
}

impl Reading {
    /// The rendering before anything is chosen in place of `auto`.
    pub(super) fn rendering(&self) -> Rendering {
        self.rendering.unwrap_or_else(|| Rendering::by(self.background, self.levels, self.grey))
    }

    /// The same for data of a model, whose shape and rendering hold where nothing is given.
    pub(super) fn of_model(&self, shape: &Shape, rendering: &Rendering) -> Reading {
        let rendering = rendering.with(self.background, self.levels);
        Reading { resize: Some((*shape).into()), rendering: Some(rendering), ..*self }
    }

    /// The settings that are given, which are not for all data.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let given = [
            ("resize", self.resize.is_some()),
            ("skip_bad", self.skip_bad),
            ("background", self.background != Background::Auto),
            ("levels", self.levels != Levels::Auto),
            ("transpose", self.transpose == Some(true)),
        ];
        given.into_iter().filter_map(|(key, given)| given.then_some(key)).collect()
    }
}

/// The size that pictures are resized to: `32x32` (rows × columns) or `3x32x32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// 1 for grey, 3 for RGB; with alpha 2 and 4. Without it, all pictures must have the same.
    pub channels: Option<usize>,
    /// Rows, in pixels.
    pub height: usize,
    /// Columns, in pixels.
    pub width: usize,
}

impl From<Shape> for Resize {
    fn from(shape: Shape) -> Resize {
        Resize { channels: Some(shape.channels), height: shape.height, width: shape.width }
    }
}

impl Resize {
    /// The text for no resizing in a recipe.
    pub const NONE: &str = "none";

    /// Reads `32x32`, `3x32x32` or `none`, with `x`, `X` or `×`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    pub fn parse(text: &str) -> Result<Option<Resize>> {
        if text.trim() == Resize::NONE { Ok(None) } else { text.parse().map(Some) }
    }
}

impl FromStr for Resize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Resize> {
        let sizes: Option<Vec<usize>> =
            text.trim().split(['x', 'X', '×']).map(|size| size.parse().ok()).collect();
        let (channels, height, width) = match sizes.as_deref() {
            Some(&[height, width]) => (None, height, width),
            Some(&[channels, height, width]) => (Some(channels), height, width),
            _ => (None, 0, 0),
        };
        let sides = [height, width].iter().all(|side| (1..=MAX_SIDE).contains(side));
        if !sides || !channels.is_none_or(|channels| (1..=MAX_CHANNELS).contains(&channels)) {
            return Err(Error::Usage(format!(
                "resize is “{}”, but it takes height x width with sides of 1 to {MAX_SIDE} pixels, as in \
                 32x32, or 1 to {MAX_CHANNELS} channels in front of them, as in 3x32x32",
                shorten(text)
            )));
        }
        Ok(Resize { channels, height, width })
    }
}

impl fmt::Display for Resize {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(channels) = self.channels {
            write!(f, "{channels}x")?;
        }
        write!(f, "{}x{}", self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for text in ["32x32", "3x16x8", "1x1x512"] {
            assert_eq!(text.parse::<Resize>().unwrap().to_string(), text);
        }
        let expected = Resize { channels: Some(4), height: 7, width: 9 };
        assert_eq!(Resize::parse("4×7×9").unwrap(), Some(expected));
        assert_eq!(Resize::parse("none").unwrap(), None);
    }

    #[test]
    fn other_sizes_are_refused() {
        for text in ["", "32", "0x3", "3x513", "5x8x8", "0x8x8", "1x2x3x4", "axb", "-1x3", "8 x 8", "32x"] {
            let error = Resize::parse(text).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("as in 32x32"), "{error}");
        }
    }
}
