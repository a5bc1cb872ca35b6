//! Formats of data, detected from the file names in a folder.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::images::{self, Pictures};
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
    Idx,
    /// CIFAR-10's binary files, with the names of all files in the folder.
    Cifar(Vec<String>),
    /// A folder of pictures for each class.
    Pictures(Pictures),
}

impl FolderFormat {
    /// Detects the format from the names in a folder, in which `find` finds pictures.
    ///
    /// IDX and CIFAR files go before class folders, because other folders may lie beside them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a folder without files of a known format; [`Error::Data`] for one with files of two.
    pub fn of(folder: &Path, find: fn(&Path, &Listing) -> Result<Pictures>) -> Result<FolderFormat> {
        let listing = Listing::of(folder)?;
        let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        let files: Vec<String> = listing.files.iter().filter_map(name).collect();
        let cifar = files.iter().find(|file| cifar::is_part(file));
        match (folder::holds_any(folder, &["train", "t10k", "test"])?, cifar) {
            (true, None) => Ok(FolderFormat::Idx),
            (false, Some(_)) => Ok(FolderFormat::Cifar(files)),
            (true, Some(file)) => Err(Error::Data(format!(
                "{} holds IDX files, but also {file} of CIFAR-10, so give each set a folder of its own",
                shown(folder)
            ))),
            (false, None) if listing.folders.is_empty() => Err(nothing(folder, &files)),
            (false, None) => find(folder, &listing).map(FolderFormat::Pictures),
        }
    }

    /// The size of the data set, where that is known before it is read.
    ///
    /// # Errors
    /// As [`FolderFormat::read`].
    pub fn size(&self, folder: &Path, reading: &Reading) -> Result<Option<DataSize>> {
        match self {
            FolderFormat::Idx => folder::size(folder).map(Some),
            FolderFormat::Cifar(files) => cifar::size(folder, files).map(Some),
            FolderFormat::Pictures(pictures) => Ok(images::size(pictures, reading)),
        }
    }

    /// Reads the data set; `reading` is for pictures.
    ///
    /// # Errors
    /// [`Error::NotFound`] for missing files; [`Error::Data`] for files that can't be read or don't fit together.
    pub fn read(&self, name: &str, folder: &Path, reading: &Reading) -> Result<Dataset> {
        match self {
            FolderFormat::Idx => folder::dataset(name, folder),
            FolderFormat::Cifar(files) => cifar::dataset(name, folder, files),
            FolderFormat::Pictures(pictures) => images::dataset(name, pictures, reading),
        }
    }
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
    Error::NotFound(format!(
        "{shown} has no files of a data set (neither IDX files such as train-images-idx3-ubyte, with or \
         without .gz, nor data_batch_1.bin and the other files of CIFAR-10, nor folders of PNG or JPEG \
         pictures, one for each class), so add them or name another folder"
    ))
}
