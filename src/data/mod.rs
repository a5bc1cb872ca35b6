//! Data sets: images of one size, each with a class, in a part to train on and a part held out.
//!
//! [`load`] takes a name or a folder ([`locate`] says where it looks). What a folder holds is told
//! from the names in it: IDX files, CIFAR-10's binary files, or a folder of pictures for each class.
//! They are read and checked against each other, and the result is a [`Dataset`]. Pixels stay bytes
//! all the way to the device, a quarter of the memory of floats; a [`Normaliser`] says how they
//! become numbers, and an [`Augmentation`](crate::kernel::Augmentation) how they are changed before
//! they are trained on.
//!
//! May depend on `kernel`, `cpu` and `program`; knows nothing of training. Read this file and `dataset.rs`
//! first, then `kind.rs`, which a new format joins.

mod augment;
mod cifar;
mod dataset;
mod digits;
pub mod files;
mod folder;
mod idx;
mod images;
mod kind;
mod limits;
mod listing;
mod locate;
mod normaliser;
mod picture;
pub(crate) mod platform;
mod reading;
mod split;

pub use dataset::{About, Dataset, Samples};
pub use limits::{MAX_CHANNELS, MAX_CLASSES, MAX_SIDE, check_shape};
pub use locate::{NAMES, Source, locate};
pub use normaliser::{Normalise, Normaliser};
pub use picture::read_picture;
pub use reading::{Reading, Resize};
pub use split::split_validation;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::program::shape::Shape;
use kind::FolderFormat;

/// Loads a data set: `digits` (built in), `mnist`, or a folder.
///
/// Where `mnist` is looked for is said at [`locate`]. A folder holds one of these:
///
/// - Four IDX files, images and labels for each part: `train-images-idx3-ubyte`,
///   `train-labels-idx1-ubyte`, and the same for the held-out part with `t10k` or `test` in place of
///   `train`. Each may be compressed and end in `.gz`, `.idx` may stand for `-idx`, and `idx4` files
///   hold N × H × W × C images.
/// - CIFAR-10's binary version: `data_batch_1.bin` and so on to train on, `test_batch.bin` to hold
///   out, and the names of the classes in `batches.meta.txt`.
/// - A folder of PNG or JPEG pictures for each class, named like the class, in the folders `train`
///   and `test`; or directly, and then a fifth of each class is held out, which by the names of the
///   files alone. Classes are numbered in the order of their names.
///
/// # Errors
///
/// [`Error::Usage`] for a name that is neither known nor a folder; [`Error::Data`] for files that
/// are missing, unreadable, damaged, or at odds with each other.
pub fn load(name_or_path: &str) -> Result<Dataset> {
    load_with(name_or_path, &Reading::default())
}

impl Dataset {
    /// [`load`].
    ///
    /// # Errors
    ///
    /// As [`load`].
    pub fn load(name_or_path: &str) -> Result<Dataset> {
        load(name_or_path)
    }
}

/// [`load`], with a say in how pictures are read.
///
/// # Errors
///
/// As [`load`], and [`Error::Usage`] for a wish that only pictures can fulfil.
pub fn load_with(name_or_path: &str, reading: &Reading) -> Result<Dataset> {
    let location = Location::find(name_or_path)?;
    location.check(name_or_path, "resize", reading.resize.is_some())?;
    location.check(name_or_path, "skip-bad", reading.skip_bad)?;
    location.read(name_or_path, reading)
}

/// [`load`], with pictures brought to the size of a network's images, as when they are predicted.
///
/// # Errors
///
/// As [`load_with`].
pub fn load_as(name_or_path: &str, shape: &Shape, skip_bad: bool) -> Result<Dataset> {
    let location = Location::find(name_or_path)?;
    location.check(name_or_path, "skip-bad", skip_bad)?;
    location.read(name_or_path, &Reading { resize: Some((*shape).into()), skip_bad })
}

/// Where a data set is, and what it is.
enum Location {
    Digits,
    Folder(PathBuf, FolderFormat),
}

impl Location {
    fn find(name_or_path: &str) -> Result<Location> {
        let data_folder = std::env::var_os("WGRAD_DATA");
        Ok(match locate(name_or_path, Path::new(""), data_folder.as_deref())? {
            Source::Digits => Location::Digits,
            Source::Folder(folder) => {
                let format = FolderFormat::of(&folder)?;
                Location::Folder(folder, format)
            }
        })
    }

    /// Refuses what only pictures can fulfil.
    fn check(&self, name: &str, flag: &str, wanted: bool) -> Result<()> {
        if !wanted || matches!(self, Location::Folder(_, FolderFormat::Pictures(_))) {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "--{flag} is for folders of pictures, which {name} is not, so leave it out"
        )))
    }

    fn read(&self, name: &str, reading: &Reading) -> Result<Dataset> {
        match self {
            Location::Digits => digits::dataset(),
            Location::Folder(folder, format) => format.read(name, folder, reading),
        }
    }
}
