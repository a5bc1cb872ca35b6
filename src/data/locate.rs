//! Finds a data set by its name or path.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::folder;
use crate::error::{Error, Result, suggestion};
use crate::text::{reason, shown};

/// The names of data sets that [`load`](super::load) knows; anything else is a folder.
pub const NAMES: [&str; 6] = ["digits", "mnist", "fashion-mnist", "emnist", "cifar-10", "cifar-100"];

/// The source of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The built-in set.
    Digits,
    /// A folder that exists.
    Folder(PathBuf),
}

/// Where to look for a data set.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The folder that paths are relative to.
    pub cwd: &'a Path,
    /// The value of the environment variable `WGRAD_DATA`; empty counts as unset.
    pub variable: Option<&'a OsStr>,
    /// The user's folder for data sets.
    pub user: Option<&'a Path>,
}

/// Finds a data set by name, or as a folder relative to `cwd`.
///
/// A name wins over a folder of the same name, which is reached as `./name`.
///
/// A set other than `digits` is the first of these folders that exists: `variable/name`, `cwd/data/name`, `cwd/name`,
/// `user/name`. For `mnist` it must hold a file named like those of MNIST, and `variable` itself is the second.
///
/// # Errors
///
/// [`Error::Usage`] if `name` is neither known nor a folder; [`Error::NotFound`] if a known set is in none of these
/// folders; [`Error::Data`] if a folder can't be opened.
pub fn locate(name: &str, places: &Places) -> Result<Source> {
    match name {
        "digits" => Ok(Source::Digits),
        name if NAMES.contains(&name) => named(name, places).map(Source::Folder),
        path => existing_folder(path, places.cwd).map(Source::Folder),
    }
}

fn named(name: &str, places: &Places) -> Result<PathBuf> {
    let cwd = places.cwd;
    let is_mnist = name == "mnist";
    let mut folders = Vec::new();
    if let Some(folder) = places.variable.filter(|folder| !folder.is_empty()) {
        let folder = cwd.join(folder);
        folders.push(folder.join(name));
        folders.extend(is_mnist.then_some(folder));
    }
    folders.extend([cwd.join("data").join(name), cwd.join(name)]);
    folders.extend(places.user.map(|user| user.join(name)));
    for folder in &folders {
        if if is_mnist { folder::holds_any(folder, &["train", "t10k", "test"])? } else { folder.is_dir() } {
            return Ok(folder.clone());
        }
    }
    let folders: Vec<String> = folders.iter().map(shown).collect();
    let (title, files) = if is_mnist {
        (
            "MNIST",
            "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and \
                   t10k-labels-idx1-ubyte.gz",
        )
    } else {
        (name, "its files")
    };
    Err(Error::NotFound(format!(
        "{title} was not found in {}, so download it with ⟨download {name}⟩, or put {files} into one of these \
         folders or set WGRAD_DATA to the folder that holds them (the set “digits” is built in)",
        folders.join(", ")
    )))
}

fn existing_folder(path: &str, cwd: &Path) -> Result<PathBuf> {
    let folder = cwd.join(path);
    match fs::metadata(&folder) {
        Ok(found) if found.is_dir() => Ok(folder),
        Ok(_) => Err(Error::Usage(format!(
            "{path} is a file, but a data set is {}, or a folder with IDX files, \
             CIFAR-10's binary files or pictures, \
             so name the folder, or end the name of a recipe in .toml",
            NAMES.map(|name| format!("“{name}”")).join(", "),
            path = shown(path)
        ))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Error::Usage(format!(
                "there is no data set or folder “{path}”: name {}, or a folder with IDX files, CIFAR-10's \
                 binary files, or pictures in a folder for each class{}",
                NAMES.join(", "),
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
