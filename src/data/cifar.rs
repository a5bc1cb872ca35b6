//! CIFAR-10's binary format: files of records, and a text file with the names of the classes.
//!
//! A record is one byte for the class and 3 × 32 × 32 for the image.

use std::path::{Path, PathBuf};

use super::dataset::{About, Dataset, Samples, check_class_name};
use crate::data::files::{Unread, read_bytes};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::{shorten, shown};

/// The size of every image.
const SHAPE: Shape = Shape::image(3, 32, 32);
/// Bytes of a class and its image.
const RECORD: usize = 1 + 3 * 32 * 32;
/// The file of the held-out part.
pub(super) const TEST: &str = "test_batch.bin";
/// The file with the names of the classes.
pub(super) const NAMES: &str = "batches.meta.txt";
/// The most bytes of names: a label is a byte, so there are at most 256.
const MOST_NAMES: u64 = 1 << 16;
/// The most files of the train part; CIFAR-10 itself has 5.
const MOST_BATCHES: usize = 1000;

/// The name of a file of the train part, counted from 1.
pub(super) fn batch(number: usize) -> String {
    format!("data_batch_{number}.bin")
}

/// Whether the name is that of one of CIFAR-10's files.
pub(super) fn is_part(name: &str) -> bool {
    name == TEST || name == NAMES || number(name).is_some()
}

/// The number of a file of the train part.
fn number(name: &str) -> Option<usize> {
    let number = name.strip_prefix("data_batch_")?.strip_suffix(".bin")?.parse().ok()?;
    (batch(number) == name && number <= MOST_BATCHES).then_some(number)
}

/// Reads a folder of CIFAR-10's binary files as the set `name`.
///
/// `files` are the names in the folder.
///
/// `data_batch_1.bin` to the last file of that kind are the train part, `test_batch.bin` is held out, and
/// `batches.meta.txt` has the name of a class on each line. The files may have any number of records.
///
/// # Errors
/// [`Error::NotFound`] for a missing file; [`Error::Data`] for a file that is unreadable, cut short, or has a label
/// without a name.
pub(super) fn dataset(name: &str, folder: &Path, files: &[String]) -> Result<Dataset> {
    let last = files.iter().filter_map(|file| number(file)).max().unwrap_or(1);
    // All files are found before the first is read, so that a missing one is reported at once.
    let mut batches: Vec<PathBuf> = Vec::new();
    for file in (1..=last.max(1)).map(batch).chain([TEST.to_owned(), NAMES.to_owned()]) {
        if !files.contains(&file) {
            return Err(Error::NotFound(format!(
                "{} has no {file}, so copy the whole set in CIFAR-10's binary version",
                shown(folder)
            )));
        }
        batches.push(folder.join(file));
    }
    let classes = read_names(&folder.join(NAMES))?;
    batches.truncate(last);
    let train = read_part(&batches, classes.len())?;
    let held_out = read_part(&[folder.join(TEST)], classes.len())?;
    let about = About { origin: "CIFAR-10's binary files".to_owned(), ..About::default() };
    Ok(Dataset::of_files(name, classes, train, held_out, about))
}

/// Reads the names of the classes, one on each line.
///
/// Empty lines are skipped.
fn read_names(path: &Path) -> Result<Vec<String>> {
    let bytes = read(path, MOST_NAMES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| bad(path, "is not UTF-8 text, so save it as such".to_owned()))?;
    let names: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if !(2..=256).contains(&names.len()) {
        let problem =
            format!("has {} names of classes, but 2 to 256 are needed, one on each line", names.len());
        return Err(bad(path, format!("{problem}, so copy or download it again")));
    }
    for (at, name) in names.iter().enumerate() {
        check_class_name(path, name)?;
        if names[..at].contains(name) {
            return Err(bad(
                path,
                format!("has the class “{name}” twice, so rename one", name = shorten(name)),
            ));
        }
    }
    Ok(names)
}

/// Reads the records of several files, one after another.
fn read_part(paths: &[PathBuf], classes: usize) -> Result<Samples> {
    let mut samples = Samples { shape: SHAPE, pixels: Vec::new(), labels: Vec::new() };
    for path in paths {
        let bytes = read(path, u64::MAX)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
            return Err(bad(
                path,
                format!(
                    "has {} bytes, but it takes one or more whole records of {RECORD} bytes \
                     (a class and 3×32×32 values), so copy or download it again",
                    bytes.len()
                ),
            ));
        }
        let images = bytes.len() / RECORD * SHAPE.len();
        samples.pixels.try_reserve_exact(images).map_err(|_| too_large(path))?;
        for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
            let label = record[0];
            if usize::from(label) >= classes {
                return Err(bad(
                    path,
                    format!(
                        "has the label {label} at index {index}, but {NAMES} names only {classes} classes, \
                         so copy or download both again"
                    ),
                ));
            }
            samples.labels.push(label.into());
            samples.pixels.extend_from_slice(&record[1..]);
        }
    }
    Ok(samples)
}

/// Reads all of a file of at most `most` bytes.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    read_bytes(path, most).map_err(|why| match why {
        Unread::NotFound => {
            Error::NotFound(format!("{} isn't there any more, so copy the whole set again", shown(path)))
        }
        Unread::NotAFile => bad(path, "is not a regular file, so copy or download it again".to_owned()),
        Unread::TooLong(length) => bad(
            path,
            format!("has {length} bytes, but it takes at most {most}, so copy or download it again"),
        ),
        Unread::OutOfMemory => too_large(path),
        Unread::Failed(error) => {
            bad(path, format!("can't be read ({error}), so check the file and its permissions"))
        }
    })
}

fn too_large(path: &Path) -> Error {
    bad(path, "is larger than the memory of this machine, so take fewer samples".to_owned())
}

fn bad(path: &Path, problem: String) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}
