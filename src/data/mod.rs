//! Data sets: images of one size with a class each, in a train part and a held-out part.
//!
//! [`load`] takes a name or a folder ([`locate`] says where it looks). The format of a folder is detected from its file
//! names: IDX files, CIFAR's binary files, or a folder of pictures for each class. They are read and checked against
//! each other, and the result is a [`Dataset`]. Pixels stay bytes all the way to the device, a quarter of the memory of
//! floats; a [`Normaliser`] makes numbers of them, and an [`Augmentation`](crate::kernel::Augmentation) augments them.
//!
//! May depend on `memory`, `kernel`, `cpu` and `program`; knows nothing of training. Read this file and `dataset.rs`
//! first, then `kind.rs`, which a new format joins.

mod augment;
mod cifar;
mod dataset;
mod descriptor;
mod digits;
#[cfg(feature = "download")]
mod download;
mod encoding;
mod equal;
pub mod files;
mod fitting;
mod folder;
mod gate;
mod grey;
pub mod held;
mod histogram;
mod idx;
mod idx_names;
mod images;
mod inspection;
mod kind;
mod known;
mod labelled;
mod limits;
mod listing;
mod locate;
mod location;
mod mapping;
mod markers;
mod missing;
mod normaliser;
mod outline;
mod parts;
mod picture;
mod pictures;
pub(crate) mod platform;
mod reading;
mod rendered;
mod rendering;
mod size;
mod split;
mod survey;
mod temporary;
mod tones;
mod transposed;
mod unread;
mod walk;

pub use dataset::{About, Dataset, Samples};
#[cfg(feature = "download")]
pub use download::{Downloaded, Received, download};
pub use encoding::png;
pub use fitting::{Fit, PictureOptions};
pub use grey::Grey;
pub use inspection::{Inspection, is_constant, repeated};
pub use known::{EMNIST_SPLITS, Form, KNOWN, Known, Published, Version, known, user_folder};
pub use labelled::{Labelled, is_same, load_labelled};
pub use limits::{MAX_CHANNELS, MAX_CLASSES, MAX_SIDE, check_shape};
pub use locate::{NAMES, Places, Source, locate};
pub use missing::missing_classes;
pub use normaliser::{Normalise, Normaliser};
pub use picture::{MAX_FILE_BYTES, read_picture};
pub use pictures::{PictureRead, PictureSource, read_pictures};
pub use reading::{Reading, Resize};
pub use rendering::{BLACK, Background, Colour, LevelRange, Levels, Rendering, WHITE};
pub use size::DataSize;
pub use split::split_validation;
pub use tones::{Oddity, Tone, Tones};
pub use walk::{FoundPictures, pictures_in};

use crate::error::Result;
use crate::kernel::threads;
use crate::program::shape::Shape;
use images::Pictures;
use location::Location;

/// Loads a data set: `digits` (built in), one of the other [`NAMES`], or a folder.
///
/// [`locate`] says where a name is looked for. A folder holds one of these:
///
/// - Four IDX files, images and labels for each part: `train-images-idx3-ubyte`,
///   `train-labels-idx1-ubyte`, and the same for the held-out part with `t10k` or `test` in place of
///   `train`. Each may be compressed and end in `.gz`, `.idx` is read like `-idx`, and `idx4` files
///   hold N × H × W × C images. All names may begin with the same prefix and a dash; of several
///   prefixes one is named by `FOLDER/PREFIX`. The labels of a prefix have the names in
///   `PREFIX-mapping.txt`, if there is one.
/// - CIFAR-10's binary version: `data_batch_1.bin` and so on to train on, `test_batch.bin` to hold
///   out, and the names of the classes in `batches.meta.txt`. CIFAR-100's: `train.bin`, `test.bin`
///   and `fine_label_names.txt`.
/// - A folder of PNG or JPEG pictures for each class, named like the class, in the folders `train` and `test`; or
///   directly, and then 20 % of each class is held out, chosen by a hash of the file name. Classes are numbered in the
///   order of their names. A folder `val`, `valid` or `validation` beside `train` and `test` is the validation part;
///   without `test` it is held out.
///
/// # Errors
///
/// [`Error::Usage`] for a name that is neither known nor a folder; [`Error::NotFound`] for missing files;
/// [`Error::Data`] for files that are unreadable, damaged, or don't fit together; [`Error::Failure`] when no thread can
/// be made.
///
/// [`Error::Data`]: crate::error::Error::Data
/// [`Error::Failure`]: crate::error::Error::Failure
/// [`Error::NotFound`]: crate::error::Error::NotFound
/// [`Error::Usage`]: crate::error::Error::Usage
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

/// [`load`], with settings for reading pictures and IDX files.
///
/// # Errors
///
/// As [`load`], and [`Error::Setting`] for a setting that is not for data of this kind.
///
/// [`Error::Setting`]: crate::error::Error::Setting
pub fn load_with(name_or_path: &str, reading: &Reading) -> Result<Dataset> {
    let location = Location::find(name_or_path, Pictures::find)?;
    location.check(name_or_path, reading.given())?;
    location.read(name_or_path, reading)
}

/// Whether a name or path leads to the files of a data set, whatever these are.
pub fn leads_to_data(name_or_path: &str) -> bool {
    location::source(name_or_path).is_ok()
}

/// The size of the data set that [`load_with`] would read, where that is known before it is read.
///
/// # Errors
///
/// As [`load`].
pub fn size(name_or_path: &str, reading: &Reading) -> Result<Option<DataSize>> {
    threads::start()?;
    match Location::find(name_or_path, Pictures::find)? {
        Location::Digits => Ok(Some(digits::SIZE)),
        Location::Folder(folder, format) => format.size(&folder, reading),
    }
}

/// [`load_with`] for a run that is resumed, which began with data of this `digest`.
///
/// Settings that are not for data of this kind are no error. A validation part that the run doesn't know is left out, as by the
/// versions that read none.
///
/// # Errors
///
/// As [`load`].
pub fn load_again(name_or_path: &str, reading: &Reading, digest: &str) -> Result<Dataset> {
    let dataset = Location::find(name_or_path, Pictures::find)?.read(name_or_path, reading)?;
    Ok(dataset.or_without_validation(digest))
}

/// [`load_with`], with pictures resized to `shape` and rendered as a model's, but for what `reading` says.
///
/// # Errors
///
/// As [`load_with`].
pub fn load_as(
    name_or_path: &str,
    shape: &Shape,
    rendering: &Rendering,
    reading: &Reading,
) -> Result<Dataset> {
    let location = Location::find(name_or_path, Pictures::find)?;
    location.check(name_or_path, reading.given())?;
    location.read(name_or_path, &reading.of_model(shape, rendering))
}
