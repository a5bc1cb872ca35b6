//! All pictures below a folder.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::listing::{Listing, is_picture};
use crate::error::Result;

/// The pictures below a folder, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundPictures {
    /// The files, folder by folder.
    pub files: Vec<PathBuf>,
    /// Files that are not named like pictures.
    pub others: Vec<PathBuf>,
    /// Whether there are more.
    pub cut: bool,
}

/// Finds files named like PNG or JPEG pictures in a folder and in the folders within it, at most `most`.
///
/// Hidden files and folders are left out, and a folder that several links lead to is visited once.
///
/// # Errors
/// [`Error::Data`](crate::error::Error::Data) for a folder that can't be opened.
pub fn pictures_in(folder: &Path, most: usize) -> Result<FoundPictures> {
    let (mut found, mut visited) = (FoundPictures::default(), HashSet::new());
    // The next folder is the last.
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !visited.insert(fs::canonicalize(&folder).unwrap_or_else(|_| folder.clone())) {
            continue;
        }
        let Listing { files, folders: inner } = Listing::of(&folder)?;
        for file in files {
            if !is_picture(&file) {
                found.others.push(file);
            } else if found.files.len() < most {
                found.files.push(file);
            } else {
                found.cut = true;
                return Ok(found);
            }
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_found_in_folders_within_folders_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.png", "a/2.JPG", "a/1.jpeg", "a/deep/3.png", "c/4.png", "c/notes.txt", ".git/5.png"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        // A folder within itself.
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        let names = |found: &FoundPictures| -> Vec<String> {
            let name = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
            found.files.iter().map(name).map(|name| name.replace('\\', "/")).collect()
        };
        let all = pictures_in(folder.path(), 9).unwrap();
        assert_eq!(names(&all), ["b.png", "a/1.jpeg", "a/2.JPG", "a/deep/3.png", "c/4.png"]);
        assert_eq!((all.others.len(), all.cut), (1, false));
        assert!(!pictures_in(folder.path(), 5).unwrap().cut);
        let some = pictures_in(folder.path(), 3).unwrap();
        assert_eq!((names(&some).len(), some.cut), (3, true));
    }
}
