//! Pictures to classify: read from files or from bytes, several at once.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::fitting::{PictureOptions, fit};
use super::gate::Gate;
use super::limits::check_shape;
use super::picture::{cost, decoded, read_file};
use super::rendering::Rendering;
use crate::error::Result;
use crate::kernel::threads;
use crate::program::shape::Shape;

/// The source of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureSource {
    /// A file.
    File(PathBuf),
    /// The bytes of a file, with a name for messages.
    Bytes(PathBuf, Vec<u8>),
}

impl PictureSource {
    /// The file, or the name of the bytes.
    pub fn path(&self) -> &Path {
        match self {
            PictureSource::File(path) | PictureSource::Bytes(path, _) => path,
        }
    }

    fn read(&self, shape: &Shape, rendering: &Rendering, options: &PictureOptions) -> Result<PictureRead> {
        let bytes = match self {
            PictureSource::File(path) => read_file(path)?,
            PictureSource::Bytes(_, bytes) => bytes.clone(),
        };
        let picture = decoded(self.path(), bytes, shape.channels)?;
        let size = (picture.width(), picture.height());
        let (image, _) = fit(picture, shape, rendering, options);
        Ok(PictureRead { image, size })
    }
}

/// A picture as an image of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureRead {
    /// Its C·H·W bytes.
    pub image: Vec<u8>,
    /// Width and height in the file, in pixels and upright.
    pub size: (u32, u32),
}

impl PictureRead {
    /// Whether its aspect ratio is another than that of the shape, by a factor of 3:2 or more.
    pub fn is_of_another_shape(&self, shape: &Shape) -> bool {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let ratio = width * shape.height as f64 / (height * shape.width as f64);
        ratio.max(1.0 / ratio) >= 1.5
    }
}

/// Reads pictures as images of `shape`, several at once and each with a result of its own, in their order.
///
/// # Errors
/// [`Error::Data`](crate::error::Error::Data) for a shape that is out of range, and
/// [`Error::Failure`](crate::error::Error::Failure) when no thread can be made. Those of a picture are as for
/// [`read_picture`](super::read_picture).
pub fn read_pictures(
    sources: &[PictureSource],
    shape: &Shape,
    rendering: &Rendering,
    options: &PictureOptions,
) -> Result<Vec<Result<PictureRead>>> {
    check_shape(shape, "the network")?;
    threads::start()?;
    let gate = Gate::for_half();
    let read =
        |source: &PictureSource| gate.pass(cost(source.path()), || source.read(shape, rendering, options));
    Ok(sources.par_iter().map(read).collect())
}
