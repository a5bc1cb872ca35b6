//! Limits of images and labels: sides, channels, classes.

use std::fmt;

use crate::error::{Error, Result};
use crate::memory;
use crate::program::shape::Shape;

/// The largest width or height of an image, in pixels.
pub const MAX_SIDE: usize = 512;
/// The largest number of channels: red, green, blue and alpha.
pub const MAX_CHANNELS: usize = 4;
/// The largest number of classes; labels run from 0 to one less.
pub const MAX_CLASSES: usize = 65_536;

/// The end of a sentence about a file.
pub(super) const TOO_LARGE: &str = "is larger than the memory of this machine, so take fewer samples";

/// Checks that there is memory for `bytes` bytes of samples.
///
/// # Errors
///
/// [`Error::Data`] otherwise; its sentence begins with `owner`, which holds them.
pub(super) fn check_memory(bytes: u64, owner: impl fmt::Display) -> Result<()> {
    memory::check(bytes).map_err(|shortage| {
        Error::Data(format!("{owner} {shortage}: take fewer or smaller samples, or make room for them"))
    })
}

/// Checks that images have 1 to 4 channels, sides from 1 to 512.
///
/// # Errors
///
/// [`Error::Data`] otherwise; its sentence begins with `owner`, whose images these are.
pub fn check_shape(shape: &Shape, owner: impl fmt::Display) -> Result<()> {
    let sides = 1..=MAX_SIDE;
    let channels = 1..=MAX_CHANNELS;
    if channels.contains(&shape.channels) && sides.contains(&shape.height) && sides.contains(&shape.width) {
        return Ok(());
    }
    Err(Error::Data(format!(
        "{owner} has images of {shape}, but only 1 to {MAX_CHANNELS} channels and \
         sides of 1 to {MAX_SIDE} pixels are supported, so scale the images first"
    )))
}
