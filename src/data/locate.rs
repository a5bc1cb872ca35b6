//! Finds a data set by its name or path.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::folder;
use crate::error::{Error, Result, suggestion};
use crate::text::{reason, shown};

/// The names of data sets that [`load`](super::load) knows; anything else is a folder.
pub const NAMES: [&str; 2] = ["digits", "mnist"];

/// The source of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The built-in set.
    Digits,
    /// A folder that exists.
    Folder(PathBuf),
}

/// Finds a data set by name, or as a folder relative to `cwd`.
///
/// A name wins over a folder of the same name, which is reached as `./name`.
///
/// `mnist` is the first of these folders that holds a file named like those of MNIST: `data_folder/mnist`,
/// `data_folder`, `cwd/data/mnist`, `cwd/mnist`. `data_folder` is the value of the environment variable `WGRAD_DATA`;
/// empty counts as unset.
///
/// # Errors
///
/// [`Error::Usage`] if `name` is neither known nor a folder; [`Error::NotFound`] if MNIST is in none of these folders;
/// [`Error::Data`] if a folder can't be opened.
pub fn locate(name: &str, cwd: &Path, data_folder: Option<&OsStr>) -> Result<Source> {
    match name {
        "digits" => Ok(Source::Digits),
        "mnist" => mnist(cwd, data_folder).map(Source::Folder),
        path => existing_folder(path, cwd).map(Source::Folder),
    }
}

fn mnist(cwd: &Path, data_folder: Option<&OsStr>) -> Result<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = data_folder.filter(|folder| !folder.is_empty()) {
        let folder = cwd.join(folder);
        folders.extend([folder.join("mnist"), folder]);
    }
    folders.extend([cwd.join("data").join("mnist"), cwd.join("mnist")]);
    for folder in &folders {
        if folder::holds_any(folder, &["train", "t10k", "test"])? {
            return Ok(folder.clone());
        }
    }
    let folders: Vec<String> = folders.iter().map(shown).collect();
    Err(Error::NotFound(format!(
        "MNIST was not found in {}, so put train-images-idx3-ubyte.gz, \
         train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz \
         into one of these folders or set WGRAD_DATA to the folder that holds them \
         (the set “digits” is built in)",
        folders.join(", ")
    )))
}

fn existing_folder(path: &str, cwd: &Path) -> Result<PathBuf> {
    let folder = cwd.join(path);
    match fs::metadata(&folder) {
        Ok(found) if found.is_dir() => Ok(folder),
        Ok(_) => Err(Error::Usage(format!(
            "{path} is a file, but a data set is “digits”, “mnist” or a folder with IDX files, \
             CIFAR-10's binary files or pictures, \
             so name the folder, or end the name of a recipe in .toml",
            path = shown(path)
        ))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Error::Usage(format!(
                "there is no data set or folder “{path}”: name digits, mnist, or a folder with IDX files, CIFAR-10's \
                 binary files, or pictures in a folder for each class{}",
                suggestion(path, &NAMES),
                path = shown(path)
            )))
        }
        Err(error) => Err(Error::Data(format!(
            "{} can't be opened ({}), so check the path and its permissions",
            shown(path),
            reason(&error)
        ))),
    }
}
