//! CIFAR's binary formats: files of records, and a text file with the names of the classes.
//!
//! A record of CIFAR-10 is one byte for the class and 3 × 32 × 32 for the image. One of CIFAR-100 has the byte of a coarse
//! class in front.

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
/// The file with the names of CIFAR-100's coarse classes, which need not be there.
const COARSE: &str = "coarse_label_names.txt";
/// The most bytes of names: a label is a byte, so there are at most 256.
const MOST_NAMES: u64 = 1 << 16;
/// The most files of the train part; CIFAR-10 itself has 5.
const MOST_BATCHES: usize = 1000;

/// A set in a binary format of CIFAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cifar {
    /// CIFAR-10.
    Ten,
    /// CIFAR-100, with its fine classes.
    Hundred,
}

impl Cifar {
    /// The sets with files among these names, each with one of them.
    pub fn all_in(files: &[String]) -> Vec<(Cifar, &String)> {
        let ten =
            files.iter().find(|file| Cifar::Ten.files().contains(&file.as_str()) || number(file).is_some());
        // Other sets may call a file train.bin or test.bin, but not both.
        let [train, test, names] = ["train.bin", "test.bin", "fine_label_names.txt"];
        let find = |name: &str| files.iter().find(|file| *file == name);
        let hundred = find(names).or(find(COARSE)).or(find(train).and(find(test)));
        let sets = [(Cifar::Ten, ten), (Cifar::Hundred, hundred)];
        sets.into_iter().filter_map(|(set, file)| Some((set, file?))).collect()
    }

    /// The name of the set.
    pub fn title(self) -> &'static str {
        match self {
            Cifar::Ten => "CIFAR-10",
            Cifar::Hundred => "CIFAR-100",
        }
    }

    /// The file of the held-out part, and the file with the names of the classes.
    fn files(self) -> [&'static str; 2] {
        match self {
            Cifar::Ten => ["test_batch.bin", "batches.meta.txt"],
            Cifar::Hundred => ["test.bin", "fine_label_names.txt"],
        }
    }

    /// The names of the files of the train part.
    fn train(self, files: &[String]) -> Vec<String> {
        let last = files.iter().filter_map(|file| number(file)).max().unwrap_or(1).max(1);
        match self {
            Cifar::Ten => (1..=last).map(batch).collect(),
            Cifar::Hundred => vec!["train.bin".to_owned()],
        }
    }

    /// Bytes in front of an image, the last of which is its class.
    fn labels(self) -> usize {
        match self {
            Cifar::Ten => 1,
            Cifar::Hundred => 2,
        }
    }

    /// Bytes of the labels and the image.
    fn record(self) -> usize {
        self.labels() + SHAPE.len()
    }
}

/// The name of a file of CIFAR-10's train part, counted from 1.
fn batch(number: usize) -> String {
    format!("data_batch_{number}.bin")
}

/// The number of a file of CIFAR-10's train part.
fn number(name: &str) -> Option<usize> {
    let number = name.strip_prefix("data_batch_")?.strip_suffix(".bin")?.parse().ok()?;
    (batch(number) == name && number <= MOST_BATCHES).then_some(number)
}

/// The files of a set, found but not read.
struct Files {
    train: Vec<PathBuf>,
    held_out: PathBuf,
    names: PathBuf,
    /// The names of coarse classes, if they are there.
    coarse: Option<PathBuf>,
}

impl Files {
    /// Finds all files before the first is read, so that a missing one is reported at once.
    fn find(cifar: Cifar, folder: &Path, files: &[String]) -> Result<Files> {
        let found = |file: &str| files.iter().any(|found| found == file).then(|| folder.join(file));
        let find = |file: &str| {
            found(file).ok_or_else(|| {
                let (folder, title) = (shown(folder), cifar.title());
                Error::NotFound(format!(
                    "{folder} has no {file}, so copy the whole set in {title}'s binary version"
                ))
            })
        };
        let train = cifar.train(files).iter().map(|file| find(file)).collect::<Result<_>>()?;
        let [held_out, names] = cifar.files();
        let coarse = if cifar == Cifar::Hundred { found(COARSE) } else { None };
        Ok(Files { train, held_out: find(held_out)?, names: find(names)?, coarse })
    }
}

/// The size of the set, from the lengths of its files.
///
/// # Errors
/// As [`dataset`].
pub(super) fn size(cifar: Cifar, folder: &Path, files: &[String]) -> Result<DataSize> {
    let files = Files::find(cifar, folder, files)?;
    Ok(DataSize {
        shape: SHAPE,
        classes: read_names(&files.names)?.len(),
        train: files.train.iter().map(|path| records(cifar, path)).sum::<Result<_>>()?,
        held_out: records(cifar, &files.held_out)?,
        validation: 0,
        reading: 0,
        pictures: false,
    })
}

/// Reads a folder of CIFAR's binary files as the set `name`.
///
/// `files` are the names in the folder.
///
/// `data_batch_1.bin` to the last file of that kind are CIFAR-10's train part, `test_batch.bin` is held out, and
/// `batches.meta.txt` has the name of a class on each line; `train.bin`, `test.bin` and `fine_label_names.txt` are these
/// of CIFAR-100. The files may have any number of records.
///
/// # Errors
/// [`Error::NotFound`] for a missing file; [`Error::Data`] for a file that is unreadable, cut short, or has a label
/// without a name, and for files that don't fit the memory.
pub(super) fn dataset(cifar: Cifar, name: &str, folder: &Path, files: &[String]) -> Result<Dataset> {
    check_memory(size(cifar, folder, files)?.bytes(), shown(folder))?;
    let files = Files::find(cifar, folder, files)?;
    let classes = read_names(&files.names)?;
    let mut known = vec![(cifar.files()[1], classes.len())];
    if let Some(coarse) = &files.coarse {
        // The order of the bytes in a record.
        known.insert(0, (COARSE, read_names(coarse)?.len()));
    }
    let train = read_part(cifar, &files.train, &known)?;
    let held_out = read_part(cifar, &[files.held_out], &known)?;
    let about = About { origin: format!("{}'s binary files", cifar.title()), ..About::default() };
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
fn records(cifar: Cifar, path: &Path) -> Result<usize> {
    let found = fs::metadata(path).map_err(|error| unread(path, error.into()))?;
    if !found.is_file() {
        return Err(unread(path, Unread::NotAFile));
    }
    let length = usize::try_from(found.len()).map_err(|_| unread(path, Unread::OutOfMemory))?;
    let record = cifar.record();
    if length == 0 || !length.is_multiple_of(record) {
        let labels = ["a class", "two classes"][cifar.labels() - 1];
        return Err(bad(
            path,
            format!(
                "has {length} bytes, but it takes one or more whole records of {record} bytes \
                 ({labels} and 3×32×32 values), so copy or download it again"
            ),
        ));
    }
    Ok(length / record)
}

/// Reads the records of several files, one after another.
///
/// `known` has a file with names and their number for each of the last bytes in front of an image.
fn read_part(cifar: Cifar, paths: &[PathBuf], known: &[(&str, usize)]) -> Result<Samples> {
    let mut samples = Samples { shape: SHAPE, pixels: Vec::new(), labels: Vec::new() };
    let counts: Vec<usize> = paths.iter().map(|path| records(cifar, path)).collect::<Result<_>>()?;
    let all: usize = counts.iter().sum();
    let reserved =
        samples.labels.try_reserve_exact(all).and(samples.pixels.try_reserve_exact(all * SHAPE.len()));
    reserved.map_err(|_| unread(&paths[0], Unread::OutOfMemory))?;
    for (path, count) in paths.iter().zip(counts) {
        let file = File::open(path).map_err(|error| unread(path, error.into()))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut record = vec![0; cifar.record()];
        for index in 0..count {
            file.read_exact(&mut record).map_err(|error| unread(path, Unread::Failed(error)))?;
            let (labels, image) = record.split_at(cifar.labels());
            let mut checked = labels[labels.len() - known.len()..].iter().zip(known);
            let unknown = checked.find(|(label, (_, classes))| usize::from(**label) >= *classes);
            if let Some((label, (names, classes))) = unknown {
                return Err(bad(
                    path,
                    format!(
                        "has the label {label} at index {index}, but {names} names only {classes} classes, \
                         so copy or download both again"
                    ),
                ));
            }
            samples.labels.push(labels[labels.len() - 1].into());
            samples.pixels.extend_from_slice(image);
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
        Unread::Failed(error) => {
            bad(path, format!("can't be read ({}), so check the file and its permissions", reason(&error)))
        }
    }
}

fn bad(path: &Path, problem: String) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}
