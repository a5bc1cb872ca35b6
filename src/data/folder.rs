//! A folder of four IDX files as a data set.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::dataset::{About, Dataset, Samples, numbered};
use super::idx::{self, Images};
use super::limits::check_memory;
use super::size::DataSize;
use crate::error::{Error, Result};
use crate::text::{reason, shown};

/// The two files of one part of a data set.
struct PartFiles {
    images: PathBuf,
    labels: PathBuf,
}

/// The files of the train part and of the held-out part.
///
/// All are found before the first is read, so that a missing one is reported at once.
fn find_parts(folder: &Path) -> Result<(PartFiles, PartFiles)> {
    // Both files of a part have the same prefix, so that images never meet the labels of another set.
    let held_out = if holds_any(folder, &["t10k"])? { "t10k" } else { "test" };
    Ok((PartFiles::find(folder, "train")?, PartFiles::find(folder, held_out)?))
}

/// The size of the set, from the headers of its images and from the labels of the train part.
///
/// # Errors
/// As [`dataset`].
pub(super) fn size(folder: &Path) -> Result<DataSize> {
    let (train_files, held_out_files) = find_parts(folder)?;
    let (train, held_out) = (Images::open(&train_files.images)?, Images::open(&held_out_files.images)?);
    let labels = idx::read_labels(&train_files.labels, train.len(), &train_files.images)?;
    Ok(DataSize {
        shape: train.shape,
        classes: labels.iter().max().map_or(0, |&label| label as usize + 1),
        train: train.len(),
        held_out: held_out.len(),
        validation: 0,
        reading: 0,
        pictures: false,
    })
}

/// Reads the four files of a folder as the set `name`.
///
/// # Errors
/// [`Error::NotFound`] for a missing file; [`Error::Data`] for files that are unreadable, damaged, don't fit together or
/// don't fit the memory.
pub(super) fn dataset(name: &str, folder: &Path) -> Result<Dataset> {
    let (train_files, held_out_files) = find_parts(folder)?;
    let (train, held_out) = (Images::open(&train_files.images)?, Images::open(&held_out_files.images)?);
    check_memory(train.bytes().saturating_add(held_out.bytes()), shown(folder))?;
    // Unpacking takes longest by far, so both parts are read at once.
    let (train, held_out) = rayon::join(|| train_files.read(train), || held_out_files.read(held_out));
    let (train, held_out) = (train?, held_out?);
    if train.shape != held_out.shape {
        return Err(Error::Data(format!(
            "{} holds images of {}, but {} holds images of {}, \
             so scale both parts of the set to one size",
            shown(&held_out_files.images),
            held_out.shape,
            shown(&train_files.images),
            train.shape
        )));
    }
    let classes = train.labels.iter().max().map_or(0, |&label| label as usize + 1);
    if let Some((index, label)) =
        held_out.labels.iter().enumerate().find(|(_, label)| **label as usize >= classes)
    {
        return Err(Error::Data(format!(
            "{} has the label {label} at index {index}, but the labels of {} end at {}, \
             and a class without a training sample can't be learnt, so leave its samples out",
            shown(&held_out_files.labels),
            shown(&train_files.labels),
            classes - 1
        )));
    }
    let about = About { origin: "four IDX files".to_owned(), ..About::default() };
    Ok(Dataset::of_files(name, numbered(classes), train, held_out, None, about))
}

/// Whether the folder has a file of one of these parts.
pub(super) fn holds_any(folder: &Path, prefixes: &[&str]) -> Result<bool> {
    for prefix in prefixes {
        for names in [image_names(prefix), label_names(prefix)] {
            if find(folder, &names)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

impl PartFiles {
    fn find(folder: &Path, prefix: &str) -> Result<PartFiles> {
        let file = |names: Vec<String>| {
            find(folder, &names)?.ok_or_else(|| {
                Error::NotFound(format!(
                    "{} has no {}, with or without .gz, so add it or name another folder",
                    shown(folder),
                    names[0]
                ))
            })
        };
        Ok(PartFiles { images: file(image_names(prefix))?, labels: file(label_names(prefix))? })
    }

    fn read(&self, images: Images) -> Result<Samples> {
        let shape = images.shape;
        let pixels = images.read()?;
        let labels = idx::read_labels(&self.labels, pixels.len() / shape.len(), &self.images)?;
        Ok(Samples { shape, pixels, labels })
    }
}

fn image_names(prefix: &str) -> Vec<String> {
    [3, 4].iter().flat_map(|dimensions| spellings(prefix, "images", *dimensions)).collect()
}

fn label_names(prefix: &str) -> Vec<String> {
    spellings(prefix, "labels", 1)
}

/// The names that a file may have, the usual one first and plain before compressed.
fn spellings(prefix: &str, kind: &str, dimensions: usize) -> Vec<String> {
    ["-", "."]
        .iter()
        .flat_map(|dash| ["", ".gz"].map(|end| format!("{prefix}-{kind}{dash}idx{dimensions}-ubyte{end}")))
        .collect()
}

/// The first of `names` that the folder has.
fn find(folder: &Path, names: &[String]) -> Result<Option<PathBuf>> {
    for name in names {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(_) => return Ok(Some(path)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => {
                return Err(Error::Data(format!(
                    "{} can't be opened ({error}), so check the permissions of its folder",
                    shown(path),
                    error = reason(&error)
                )));
            }
        }
    }
    Ok(None)
}
