//! CIFAR-10's binary format: files of records, and a text file with the names of the classes.
//!
//! A record is one byte for the class and 3 × 32 × 32 for the image.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::dataset::{About, Dataset, Samples, check_class_name};
use super::limits::{TOO_LARGE, check_memory};
use super::size::DataSize;
use crate::data::files::{Unread, read_bytes};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::{reason, shorten, shown};

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

/// The files of a set, found but not read.
struct Files {
    train: Vec<PathBuf>,
    held_out: PathBuf,
    names: PathBuf,
}

impl Files {
    /// Finds all files before the first is read, so that a missing one is reported at once.
    fn find(folder: &Path, files: &[String]) -> Result<Files> {
        let last = files.iter().filter_map(|file| number(file)).max().unwrap_or(1).max(1);
        let find = |file: &str| {
            if files.iter().any(|found| found == file) {
                return Ok(folder.join(file));
            }
            Err(Error::NotFound(format!(
                "{} has no {file}, so copy the whole set in CIFAR-10's binary version",
                shown(folder)
            )))
        };
        let train = (1..=last).map(|number| find(&batch(number))).collect::<Result<_>>()?;
        Ok(Files { train, held_out: find(TEST)?, names: find(NAMES)? })
    }
}

/// The size of the set, from the lengths of its files.
///
/// # Errors
/// As [`dataset`].
pub(super) fn size(folder: &Path, files: &[String]) -> Result<DataSize> {
    let files = Files::find(folder, files)?;
    Ok(DataSize {
        shape: SHAPE,
        classes: read_names(&files.names)?.len(),
        train: files.train.iter().map(|path| records(path)).sum::<Result<_>>()?,
        held_out: records(&files.held_out)?,
        validation: 0,
        reading: 0,
        pictures: false,
    })
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
/// without a name, and for files that don't fit the memory.
pub(super) fn dataset(name: &str, folder: &Path, files: &[String]) -> Result<Dataset> {
    check_memory(size(folder, files)?.bytes(), shown(folder))?;
    let files = Files::find(folder, files)?;
    let classes = read_names(&files.names)?;
    let train = read_part(&files.train, classes.len())?;
    let held_out = read_part(&[files.held_out], classes.len())?;
    let about = About { origin: "CIFAR-10's binary files".to_owned(), ..About::default() };
    Ok(Dataset::of_files(name, classes, train, held_out, None, about))
}

/// Reads the names of the classes, one on each line.
///
/// Empty lines are skipped.
fn read_names(path: &Path) -> Result<Vec<String>> {
    let bytes = read_bytes(path, MOST_NAMES).map_err(|why| unread(path, why))?;
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

/// The number of records in a file, from its length.
fn records(path: &Path) -> Result<usize> {
    let found = fs::metadata(path).map_err(|error| unread(path, error.into()))?;
    if !found.is_file() {
        return Err(unread(path, Unread::NotAFile));
    }
    let length = usize::try_from(found.len()).map_err(|_| unread(path, Unread::OutOfMemory))?;
    if length == 0 || !length.is_multiple_of(RECORD) {
        return Err(bad(
            path,
            format!(
                "has {length} bytes, but it takes one or more whole records of {RECORD} bytes \
                 (a class and 3×32×32 values), so copy or download it again"
            ),
        ));
    }
    Ok(length / RECORD)
}

/// Reads the records of several files, one after another.
fn read_part(paths: &[PathBuf], classes: usize) -> Result<Samples> {
    let mut samples = Samples { shape: SHAPE, pixels: Vec::new(), labels: Vec::new() };
    let counts: Vec<usize> = paths.iter().map(|path| records(path)).collect::<Result<_>>()?;
    let all: usize = counts.iter().sum();
    let reserved =
        samples.labels.try_reserve_exact(all).and(samples.pixels.try_reserve_exact(all * SHAPE.len()));
    reserved.map_err(|_| unread(&paths[0], Unread::OutOfMemory))?;
    for (path, count) in paths.iter().zip(counts) {
        let file = File::open(path).map_err(|error| unread(path, error.into()))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut record = [0; RECORD];
        for index in 0..count {
            file.read_exact(&mut record).map_err(|error| unread(path, Unread::Failed(error)))?;
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

/// The error of a file that was not read.
fn unread(path: &Path, why: Unread) -> Error {
    match why {
        Unread::NotFound => {
            Error::NotFound(format!("{} isn't there any more, so copy the whole set again", shown(path)))
        }
        Unread::NotAFile => bad(path, "is not a regular file, so copy or download it again".to_owned()),
        Unread::TooLong(length) => bad(
            path,
            format!("has {length} bytes, but it takes at most {MOST_NAMES}, so copy or download it again"),
        ),
        Unread::OutOfMemory => bad(path, TOO_LARGE.to_owned()),
        Unread::Failed(error) => bad(
            path,
            format!("can't be read ({error}), so check the file and its permissions", error = reason(&error)),
        ),
    }
}

fn bad(path: &Path, problem: String) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}
