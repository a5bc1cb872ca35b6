//! The names of the files and folders in a folder.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::text::{reason, shown};

/// Names of files and folders that Windows, macOS and storage devices put among one's own, in small letters.
const OF_SYSTEMS: [&str; 8] = [
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
];

fn is_of_a_system(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
        || OF_SYSTEMS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a file is named like a picture.
pub(super) fn is_picture(name: impl AsRef<Path>) -> bool {
    let end = name.as_ref().extension().and_then(|end| end.to_str()).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| end.eq_ignore_ascii_case(known))
}

/// The files and folders in a folder, each sorted by name, byte by byte.
///
/// Those that systems keep for themselves are left out: hidden ones, whose names begin with a dot, and those of
/// [`OF_SYSTEMS`].
pub(super) struct Listing {
    pub files: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
}

impl Listing {
    /// Lists a folder.
    ///
    /// # Errors
    /// [`Error::Data`] for a folder that can't be opened.
    pub fn of(folder: &Path) -> Result<Listing> {
        let problem = |error| {
            let shown = shown(folder);
            Error::Data(format!(
                "{shown} can't be opened ({}), so check the path and its permissions",
                reason(&error)
            ))
        };
        let mut listing = Listing { files: Vec::new(), folders: Vec::new() };
        for entry in fs::read_dir(folder).map_err(problem)? {
            let path = entry.map_err(problem)?.path();
            if path.file_name().is_some_and(is_of_a_system) {
                continue;
            }
            // A link counts as its target; one that leads nowhere counts as a file that can't be read.
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() => listing.folders.push(path),
                Ok(_) => listing.files.push(path),
                Err(error) if error.kind() == ErrorKind::NotFound => listing.files.push(path),
                Err(error) => return Err(problem(error)),
            }
        }
        listing.files.sort();
        listing.folders.sort();
        Ok(listing)
    }

    /// The names of the files that are text.
    pub fn names(&self) -> Vec<String> {
        let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        self.files.iter().filter_map(name).collect()
    }
}
