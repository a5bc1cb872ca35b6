//! Formats of data, detected from the file names in a folder.

use std::path::Path;

use super::cifar::Cifar;
use super::dataset::Dataset;
use super::folder::IdxSet;
use super::idx_names::{PARTS, holds_any, is_bare, prefixes};
use super::images::{self, Pictures};
use super::known::{EMNIST, EMNIST_SPLITS};
use super::listing::{Listing, is_picture};
use super::reading::Reading;
use super::size::DataSize;
use super::{cifar, folder};
use crate::error::{Error, Result};
use crate::text::shown;

/// The format of a folder's files.
#[derive(Debug)]
pub(super) enum FolderFormat {
    /// Four IDX files.
    Idx(IdxSet),
    /// CIFAR's binary files, with the names of all files in the folder.
    Cifar(Cifar, Vec<String>),
    /// A folder of pictures for each class.
    Pictures(Pictures),
}

impl FolderFormat {
    /// Detects the format from the names in a folder, in which `find` finds pictures. The set was asked for as `name`.
    ///
    /// IDX and CIFAR files go before class folders, because other folders may lie beside them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a folder without files of a known format; [`Error::Data`] for one with files of two;
    /// [`Error::Usage`] for one with IDX files of several sets.
    pub fn of(
        name: &str,
        folder: &Path,
        find: fn(&Path, &Listing) -> Result<Pictures>,
    ) -> Result<FolderFormat> {
        let listing = Listing::of(folder)?;
        let files = listing.names();
        let is_bare = holds_any(folder, "", &PARTS)?;
        // Files with prefixes were not read beside those without.
        let prefixes = if is_bare { vec![String::new()] } else { prefixes(&files) };
        let two = |one: &str, file: &str, other: &str| {
            let folder = shown(folder);
            Err(Error::Data(format!(
                "{folder} holds {one}, but also {file} of {other}, so give each set a folder of its own"
            )))
        };
        match (&prefixes[..], &Cifar::all_in(&files)[..]) {
            ([_, ..], [(cifar, file), ..]) => two("IDX files", file, cifar.title()),
            ([], [(one, _), (other, file), ..]) => {
                two(&format!("files of {}", one.title()), file, other.title())
            }
            ([prefix], []) => Ok(FolderFormat::Idx(IdxSet {
                prefix: prefix.clone(),
                transposed: name == EMNIST && EMNIST_SPLITS.contains(&prefix.as_str()),
            })),
            ([_, _, ..], []) => Err(several(name, folder, &prefixes)),
            ([], [(cifar, _)]) => Ok(FolderFormat::Cifar(*cifar, files)),
            ([], []) if listing.folders.is_empty() => Err(nothing(folder, &files)),
            ([], []) => find(folder, &listing).map(FolderFormat::Pictures),
        }
    }

    /// The size of the data set, where that is known before it is read.
    ///
    /// # Errors
    /// As [`FolderFormat::read`].
    pub fn size(&self, folder: &Path, reading: &Reading) -> Result<Option<DataSize>> {
        match self {
            FolderFormat::Idx(set) => folder::size(folder, set, reading).map(Some),
            FolderFormat::Cifar(cifar, files) => cifar::size(*cifar, folder, files).map(Some),
            FolderFormat::Pictures(pictures) => Ok(images::size(pictures, reading)),
        }
    }

    /// Reads the data set; `reading` is for pictures and IDX files.
    ///
    /// # Errors
    /// [`Error::NotFound`] for missing files; [`Error::Data`] for files that can't be read or don't fit together.
    pub fn read(&self, name: &str, folder: &Path, reading: &Reading) -> Result<Dataset> {
        match self {
            FolderFormat::Idx(set) => folder::dataset(name, folder, set, reading),
            FolderFormat::Cifar(cifar, files) => cifar::dataset(*cifar, name, folder, files),
            FolderFormat::Pictures(pictures) => images::dataset(name, pictures, reading),
        }
    }
}

/// Whether a folder holds files named like data, or folders, which may hold pictures.
pub(super) fn holds_data(listing: &Listing) -> bool {
    let files = listing.names();
    !listing.folders.is_empty()
        || files.iter().any(|file| is_bare(file))
        || !prefixes(&files).is_empty()
        || !Cifar::all_in(&files).is_empty()
}

/// An error that names the sets whose IDX files are in one folder.
fn several(name: &str, folder: &Path, prefixes: &[String]) -> Error {
    let names: Vec<String> = prefixes.iter().map(shown).collect();
    let (names, first) = (names.join(", "), &prefixes[0]);
    Error::Usage(if name == EMNIST {
        format!("emnist has {} splits, so name one of them: {names}", prefixes.len())
    } else {
        format!(
            "{} holds the IDX files of several data sets ({names}), so name one of them, as in {}",
            shown(folder),
            shown(Path::new(name).join(first))
        )
    })
}

/// An error that names the known formats, and what the folder may be instead.
fn nothing(folder: &Path, files: &[String]) -> Error {
    let shown = shown(folder);
    if files.iter().any(is_picture) {
        return Error::Data(format!(
            "{shown} holds pictures, but no folders that say their classes, \
             so put the pictures of each class into a folder of its own"
        ));
    }
    if files.iter().any(|file| file == "data_batch_1") {
        return Error::Data(format!(
            "{shown} holds CIFAR-10 in its Python version, so take the binary version"
        ));
    }
    if ["train", "test", "meta"].iter().all(|name| files.iter().any(|file| file == name)) {
        return Error::Data(format!(
            "{shown} holds CIFAR-100 in its Python version, so take the binary version"
        ));
    }
    Error::NotFound(format!(
        "{shown} has no files of a data set (neither IDX files such as train-images-idx3-ubyte, with or \
         without .gz, nor data_batch_1.bin or train.bin and the other files of CIFAR-10 or CIFAR-100, nor folders of PNG or JPEG \
         pictures, one for each class), so add them or name another folder"
    ))
}
