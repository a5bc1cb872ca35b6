//! What lies in a folder, by the names in it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Whether a file is named like a picture.
pub(super) fn is_picture(name: &str) -> bool {
    let end = Path::new(name).extension().and_then(|end| end.to_str()).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| end.eq_ignore_ascii_case(known))
}

/// The files and folders in a folder, each in the order of their names, byte by byte. Hidden ones,
/// whose names begin with a dot, are left out: systems leave their own notes in such files.
pub(super) struct Listing {
    pub files: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
}

impl Listing {
    /// Looks into a folder.
    ///
    /// # Errors
    /// [`Error::Data`] for one that can't be looked into.
    pub fn of(folder: &Path) -> Result<Listing> {
        let problem = |error| {
            let shown = folder.display();
            Error::Data(format!(
                "{shown} can't be looked into ({error}), so check the path and its permissions"
            ))
        };
        let mut listing = Listing { files: Vec::new(), folders: Vec::new() };
        for entry in fs::read_dir(folder).map_err(problem)? {
            let path = entry.map_err(problem)?.path();
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            // Of a link, what it leads to; one that leads nowhere is a file that can't be read.
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
}
