//! Finds a data set by its name or path.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::idx_names::{PARTS, holds_any, prefixes};
use super::kind::holds_data;
use super::known::{EMNIST, EMNIST_SPLITS};
use super::listing::Listing;
use crate::error::{Error, Result, suggestion};
use crate::text::{reason, shown};

/// The names of data sets that [`load`](super::load) knows; anything else is a folder.
pub const NAMES: [&str; 12] = {
    let [balanced, letters, digits, mnist, by_class, by_merge] = EMNIST_SPLITS;
    let emnist = [EMNIST, balanced, letters, digits, mnist, by_class, by_merge];
    let [a, b, c, d, e, f, g] = emnist;
    ["digits", "mnist", "fashion-mnist", a, b, c, d, e, f, g, "cifar-10", "cifar-100"]
};

/// The source of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The built-in set.
    Digits,
    /// A folder that exists.
    Folder(PathBuf),
    /// The IDX files of a folder whose names begin with a prefix.
    Split {
        /// The folder.
        folder: PathBuf,
        /// The prefix, without the dash after it.
        prefix: String,
        /// Whether the images are known to be stored with rows and columns swapped.
        transposed: bool,
    },
}

impl Source {
    /// A path that no other source has; none for a folder that has gone.
    pub(super) fn place(&self) -> Option<PathBuf> {
        match self {
            Source::Digits => Some(PathBuf::from("digits")),
            Source::Folder(folder) => fs::canonicalize(folder).ok(),
            Source::Split { folder, prefix, .. } => Some(fs::canonicalize(folder).ok()?.join(prefix)),
        }
    }
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
/// A set other than `digits` is the first of these folders that holds data: `variable/name`, `cwd/data/name`, `cwd/name`,
/// `user/name`; without one, the first that holds a file. For `mnist` it must hold a file named like those of MNIST, and `variable` itself is the second. A split
/// of EMNIST is in the first folder `emnist` of these that holds one of its files, else in a folder of its own name.
///
/// A path that ends in a prefix of IDX files in place of a folder is [`Source::Split`].
///
/// # Errors
///
/// [`Error::Usage`] if `name` is neither known nor a folder; [`Error::NotFound`] if a known set is in none of these
/// folders; [`Error::Data`] if a folder can't be opened.
pub fn locate(name: &str, places: &Places) -> Result<Source> {
    match name {
        "digits" => Ok(Source::Digits),
        name if EMNIST_SPLITS.contains(&name) => emnist_split(name, places),
        name if NAMES.contains(&name) => named(name, places).map(Source::Folder),
        path => existing(path, places.cwd),
    }
}

/// The folders in which a set is looked for, in this order.
fn folders(name: &str, places: &Places) -> Vec<PathBuf> {
    let cwd = places.cwd;
    let mut folders = Vec::new();
    if let Some(folder) = places.variable.filter(|folder| !folder.is_empty()) {
        let folder = cwd.join(folder);
        folders.push(folder.join(name));
        folders.extend((name == "mnist").then_some(folder));
    }
    folders.extend([cwd.join("data").join(name), cwd.join(name)]);
    folders.extend(places.user.map(|user| user.join(name)));
    folders
}

fn named(name: &str, places: &Places) -> Result<PathBuf> {
    let is_mnist = name == "mnist";
    let folders = folders(name, places);
    // One that holds other files is named in the error about these.
    let mut other = None;
    for folder in &folders {
        if is_mnist {
            if holds_any(folder, "", &PARTS)? {
                return Ok(folder.clone());
            }
        } else if folder.is_dir() {
            let listing = Listing::of(folder)?;
            if holds_data(&listing) {
                return Ok(folder.clone());
            }
            other = other.or_else(|| (!listing.files.is_empty()).then(|| folder.clone()));
        }
    }
    if let Some(folder) = other {
        return Ok(folder);
    }
    if is_mnist {
        let files = "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and \
                     t10k-labels-idx1-ubyte.gz";
        return Err(not_found("MNIST", name, files, &folders));
    }
    Err(not_found(name, name, "its files", &folders))
}

fn emnist_split(name: &str, places: &Places) -> Result<Source> {
    let of_all = folders(EMNIST, places);
    for folder in of_all.iter().cloned().chain(folders(name, places)) {
        if holds_any(&folder, name, &PARTS)? {
            return Ok(Source::Split { folder, prefix: name.to_owned(), transposed: true });
        }
    }
    // A folder of the user's, from before this was a name.
    let own = places.cwd.join(name);
    if own.is_dir() { Ok(Source::Folder(own)) } else { Err(not_found(name, EMNIST, "its files", &of_all)) }
}

/// The error of a known set that is in none of the folders; `download` is its name for downloading.
fn not_found(title: &str, download: &str, files: &str, folders: &[PathBuf]) -> Error {
    let folders: Vec<String> = folders.iter().map(shown).collect();
    let besides = if title == EMNIST {
        format!("its splits are {}", EMNIST_SPLITS.join(", "))
    } else {
        "the set “digits” is built in".to_owned()
    };
    Error::NotFound(format!(
        "{title} was not found in {}, so download it with ⟨download {download}⟩, or put {files} into one of these \
         folders or set WGRAD_DATA to the folder that holds them ({besides})",
        folders.join(", ")
    ))
}

fn existing(path: &str, cwd: &Path) -> Result<Source> {
    let folder = cwd.join(path);
    match fs::metadata(&folder) {
        Ok(found) if found.is_dir() => Ok(Source::Folder(folder)),
        Ok(_) => Err(Error::Usage(format!(
            "{path} is a file, but a data set is {}, or a folder with IDX files, \
             CIFAR's binary files or pictures, \
             so name the folder, or end the name of a recipe in .toml",
            NAMES.map(|name| format!("“{name}”")).join(", "),
            path = shown(path)
        ))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            prefixed(path, &folder)
        }
        Err(error) => Err(Error::Data(format!(
            "{} can't be opened ({}), so check the path and its permissions",
            shown(path),
            reason(&error)
        ))),
    }
}

/// The IDX files whose names begin with the last part of a path, in the folder before it.
fn prefixed(path: &str, whole: &Path) -> Result<Source> {
    let parent = whole.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let prefix = whole.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let there = Listing::of(folder).map_or_else(|_| Vec::new(), |listing| prefixes(&listing.names()));
    if there.iter().any(|there| there == prefix) {
        return Ok(Source::Split { folder: folder.to_owned(), prefix: prefix.to_owned(), transposed: false });
    }
    if parent.is_some() && !there.is_empty() {
        let names: Vec<&str> = there.iter().map(String::as_str).collect();
        return Err(Error::Usage(format!(
            "there is no data set “{}”: {} holds {}, so name one of them{}",
            shown(path),
            shown(folder),
            shown(there.join(", ")),
            suggestion(prefix, &names)
        )));
    }
    Err(Error::Usage(format!(
        "there is no data set or folder “{path}”: name {}, or a folder with IDX files, CIFAR's \
         binary files, or pictures in a folder for each class{}",
        NAMES.join(", "),
        suggestion(path, &NAMES),
        path = shown(path)
    )))
}
