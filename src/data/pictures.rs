//! Pictures to classify: read from files or from bytes, several at once.

use std::borrow::{Borrow, Cow};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::fitting::{PictureOptions, fit};
use super::gate::Gate;
use super::limits::check_shape;
use super::picture::{MAX_FILE_BYTES, decoded, need, read_file};
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

    fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            PictureSource::File(path) => read_file(path).map(Cow::Owned),
            PictureSource::Bytes(_, bytes) => Ok(Cow::Borrowed(bytes)),
        }
    }

    /// The bytes that are still to be taken for its file.
    fn file_bytes(&self) -> u64 {
        match self {
            PictureSource::File(path) => {
                fs::metadata(path).map_or(0, |found| found.len()).min(MAX_FILE_BYTES)
            }
            PictureSource::Bytes(..) => 0,
        }
    }

    fn read(&self, shape: &Shape, rendering: &Rendering, options: &PictureOptions) -> Result<PictureRead> {
        let bytes = self.bytes()?;
        let picture = decoded(self.path(), &bytes, shape)?;
        drop(bytes);
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

/// Reads pictures as images of `shape`, as many at once as half of the memory that is left takes, each with a result of
/// its own, in their order.
///
/// # Errors
/// [`Error::Data`](crate::error::Error::Data) for a shape that is out of range, and
/// [`Error::Failure`](crate::error::Error::Failure) when no thread can be made. Those of a picture are as for
/// [`read_picture`](super::read_picture).
pub fn read_pictures(
    sources: &[impl Borrow<PictureSource> + Sync],
    shape: &Shape,
    rendering: &Rendering,
    options: &PictureOptions,
) -> Result<Vec<Result<PictureRead>>> {
    check_shape(shape, "the network")?;
    threads::start()?;
    let gate = Gate::for_half();
    let read = |source: &PictureSource| {
        // The header of a JPEG picture is found in a copy of its file. A file is read twice rather than kept while it
        // waits, because the others may be waiting for that memory.
        let file = source.file_bytes();
        let need = gate.pass(2 * file, || source.bytes().map(|bytes| need(&bytes, shape)))?;
        gate.pass(file.saturating_add(need), || source.read(shape, rendering, options))
    };
    Ok(sources.par_iter().map(|source| read(source.borrow())).collect())
}
