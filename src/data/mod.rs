//! Data sets: images of one size, each with a class, in a part to train on and a part held out.
//!
//! [`load`] takes a name or a folder ([`locate`] says where it looks). What a folder holds is told
//! from the names in it: IDX files, CIFAR-10's binary files, or a folder of pictures for each class.
//! They are read and checked against each other, and the result is a [`Dataset`]. Pixels stay bytes
//! all the way to the device, a quarter of the memory of floats; a [`Normaliser`] says how they
//! become numbers, and an [`Augmentation`](crate::kernel::Augmentation) how they are changed before
//! they are trained on.
//!
//! May depend on everything up to `engine`; knows nothing of training. Read this file first, then `kind.rs`,
//! which a new format joins.

mod augment;
mod cifar;
mod digits;
pub mod files;
mod folder;
mod idx;
mod images;
mod kind;
mod listing;
mod locate;
mod normaliser;
mod picture;
mod reading;
mod split;

pub use locate::{NAMES, Source, locate};
pub use normaliser::{Normalise, Normaliser};
pub use picture::read_picture;
pub use reading::{Reading, Resize};
pub use split::split_validation;

use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::program::shape::Shape;
use kind::FolderFormat;

/// The largest width or height of an image, in pixels.
pub const MAX_SIDE: usize = 512;
/// The largest number of channels: red, green, blue and alpha.
pub const MAX_CHANNELS: usize = 4;
/// The largest number of classes; labels run from 0 to one less.
pub const MAX_CLASSES: usize = 65_536;

/// Checks that a shape is one this crate reads: 1 to 4 channels, sides of 1 to 512 pixels.
///
/// # Errors
///
/// [`Error::Data`], a sentence that begins with `owner`, the thing whose images these are.
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

/// Copies one image from the order of picture files, H × W × C, to that of tensors, C × H × W.
/// Both slices hold [`len`](Shape::len) bytes.
fn separate_channels(shape: &Shape, interleaved: &[u8], planar: &mut [u8]) {
    let plane = shape.height * shape.width;
    for (pixel, values) in interleaved.chunks_exact(shape.channels).enumerate() {
        for (channel, value) in values.iter().enumerate() {
            planar[channel * plane + pixel] = *value;
        }
    }
}

/// Images of one size with a class each: what a run trains on or is measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// The size of every image.
    pub shape: Shape,
    /// N × C·H·W bytes, 0 to 255, images one after another, each channel by channel and row by row.
    pub pixels: Vec<u8>,
    /// N classes, in the order of the images.
    pub labels: Vec<u32>,
}

impl Samples {
    /// N, the number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The C·H·W bytes of one image.
    ///
    /// # Panics
    ///
    /// If `index` isn't below [`len`](Self::len).
    pub fn image(&self, index: usize) -> &[u8] {
        let values = self.shape.len();
        &self.pixels[index * values..][..values]
    }

    /// Copies of the samples at `indices`, in that order.
    ///
    /// # Panics
    ///
    /// If an index isn't below [`len`](Self::len).
    pub fn subset(&self, indices: &[usize]) -> Samples {
        let mut pixels = Vec::with_capacity(indices.len() * self.shape.len());
        for &index in indices {
            pixels.extend_from_slice(self.image(index));
        }
        Samples {
            shape: self.shape,
            pixels,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }
}

/// Images to train on, and images of the same size and classes that training never sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What [`load`] was asked for: a name or a path.
    pub name: String,
    /// The names of the classes, by label: of the files or folders, or `"0"`, `"1"` and so on.
    pub classes: Vec<String>,
    /// The part to train on; never empty.
    pub train: Samples,
    /// The part to measure on; never empty, and of the same image size.
    pub held_out: Samples,
    /// `sha256:` and 64 hexadecimal digits over the image size, the number of classes, and the
    /// pixels and labels of both parts: equal digests mean equal data, wherever it was read from.
    pub digest: String,
    /// Where it is from, and what was left out.
    pub about: About,
}

/// How a data set was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it was read from, such as `four IDX files`.
    pub origin: String,
    /// A sentence for each thing that was there and was not read.
    pub notes: Vec<String>,
    /// A sentence for each picture that can't be read and was skipped.
    pub skipped: Vec<String>,
    /// The files of the held-out part, in its order; none when its samples aren't files.
    pub held_out_files: Vec<PathBuf>,
}

impl Dataset {
    fn new(name: &str, classes: Vec<String>, train: Samples, held_out: Samples, about: About) -> Dataset {
        let digest = digest(classes.len(), [&train, &held_out]);
        Dataset { name: name.to_owned(), classes, train, held_out, digest, about }
    }
}

/// The names of classes that have only numbers.
fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Checks that a class's name, which is found at `place`, can be printed on one line.
fn check_class_name(place: &Path, name: &str) -> Result<()> {
    if !name.is_empty() && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::Data(format!(
        "{} names a class “{}”, but such a name is printable text in UTF-8, so rename it",
        place.to_string_lossy().escape_debug(),
        name.escape_debug()
    )))
}

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

fn digest(classes: usize, parts: [&Samples; 2]) -> String {
    let mut hash = Sha256::new();
    let number = |hash: &mut Sha256, value: usize| hash.update((value as u64).to_le_bytes());
    number(&mut hash, classes);
    for part in parts {
        let Shape { channels, height, width, .. } = part.shape;
        for value in [part.len(), channels, height, width] {
            number(&mut hash, value);
        }
        hash.update(&part.pixels);
        for label in &part.labels {
            hash.update(label.to_le_bytes());
        }
    }
    format!("sha256:{}", files::hex(hash.finalize()))
}
