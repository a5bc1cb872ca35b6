//! The names of IDX files: `train-images-idx3-ubyte`, with `.gz` or not, and with a prefix or not.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::text::{reason, shown};

/// The parts of a set, as names have them.
pub(super) const PARTS: [&str; 3] = ["train", "t10k", "test"];

/// The prefixes of the IDX files among these names, each once, without the dash after it.
pub(super) fn prefixes(files: &[String]) -> Vec<String> {
    let prefixes: BTreeSet<&str> = files.iter().filter_map(|file| prefix(file)).collect();
    prefixes.into_iter().map(str::to_owned).collect()
}

/// Whether this is the name of an IDX file without a prefix.
pub(super) fn is_bare(file: &str) -> bool {
    PARTS
        .iter()
        .any(|part| image_names("", part).iter().chain(&label_names("", part)).any(|name| name == file))
}

/// The prefix in the name of an IDX file; none where it has none.
fn prefix(file: &str) -> Option<&str> {
    let file = file.strip_suffix(".gz").unwrap_or(file).strip_suffix("-ubyte")?;
    let kinds =
        ["-images-idx3", "-images.idx3", "-images-idx4", "-images.idx4", "-labels-idx1", "-labels.idx1"];
    let file = kinds.iter().find_map(|kind| file.strip_suffix(kind))?;
    let prefix = PARTS.iter().find_map(|part| file.strip_suffix(part)?.strip_suffix('-'))?;
    Some(prefix).filter(|prefix| !prefix.is_empty())
}

/// Whether the folder has a file of one of these parts, with this prefix if it isn't empty.
///
/// # Errors
/// As [`find`].
pub(super) fn holds_any(folder: &Path, prefix: &str, parts: &[&str]) -> Result<bool> {
    for part in parts {
        for names in [image_names(prefix, part), label_names(prefix, part)] {
            if find(folder, &names)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The names that the images of a part may have, the usual one first.
pub(super) fn image_names(prefix: &str, part: &str) -> Vec<String> {
    [3, 4].iter().flat_map(|dimensions| spellings(prefix, part, "images", *dimensions)).collect()
}

/// The names that the labels of a part may have, the usual one first.
pub(super) fn label_names(prefix: &str, part: &str) -> Vec<String> {
    spellings(prefix, part, "labels", 1)
}

/// The names that a file may have, the usual one first and plain before compressed.
fn spellings(prefix: &str, part: &str, kind: &str, dimensions: usize) -> Vec<String> {
    let dash = if prefix.is_empty() { "" } else { "-" };
    let spelling =
        |before: &str, end: &str| format!("{prefix}{dash}{part}-{kind}{before}idx{dimensions}-ubyte{end}");
    ["-", "."].iter().flat_map(|before| ["", ".gz"].map(|end| spelling(before, end))).collect()
}

/// The first of `names` that the folder has.
///
/// # Errors
/// [`Error::Data`] for a folder that may not be looked into.
pub(super) fn find(folder: &Path, names: &[String]) -> Result<Option<PathBuf>> {
    for name in names {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(_) => return Ok(Some(path)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => {
                return Err(Error::Data(format!(
                    "{} can't be opened ({}), so check the permissions of its folder",
                    shown(path),
                    reason(&error)
                )));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_what_stands_before_the_part() {
        for (file, expected) in [
            ("emnist-letters-train-images-idx3-ubyte.gz", Some("emnist-letters")),
            ("a-test-labels.idx1-ubyte", Some("a")),
            ("a-train-t10k-images.idx4-ubyte", Some("a-train")),
            ("train-images-idx3-ubyte", None),
            ("-train-images-idx3-ubyte", None),
            ("latest-images-idx3-ubyte", None),
            ("a-train-images-idx1-ubyte", None),
            ("a-train-images-idx3-ubyte.bz2", None),
            ("a-letters-images-idx3-ubyte", None),
        ] {
            assert_eq!(prefix(file), expected, "{file}");
        }
    }
}
