//! Four IDX files of a folder as a data set.

use std::path::{Path, PathBuf};

use super::dataset::{About, Dataset, Samples};
use super::idx::{self, Images};
use super::idx_names::{find, holds_any, image_names, label_names};
use super::known::EMNIST_SPLITS;
use super::limits::check_memory;
use super::mapping;
use super::reading::Reading;
use super::size::DataSize;
use super::transposed::transposed;
use crate::error::{Error, Result};
use crate::text::shown;

/// The files of one set in a folder.
#[derive(Debug)]
pub(super) struct IdxSet {
    /// The prefix of their names, without the dash after it; empty for most sets.
    pub prefix: String,
    /// Whether rows and columns are swapped unless the settings say otherwise.
    pub transposed: bool,
}

impl IdxSet {
    fn transposes(&self, reading: &Reading) -> bool {
        reading.transpose.unwrap_or(self.transposed)
    }

    /// The parts to train on and to hold out, as the names of their files begin.
    fn parts(&self, folder: &Path) -> Result<[&'static str; 2]> {
        // Both files of a part have the same prefix, so that images never meet the labels of another set.
        Ok(["train", if holds_any(folder, &self.prefix, &["t10k"])? { "t10k" } else { "test" }])
    }

    /// All files, found before the first is read, so that a missing one is reported at once.
    fn files(&self, folder: &Path) -> Result<[PartFiles; 2]> {
        let [train, held_out] = self.parts(folder)?;
        let find = |part| PartFiles::find(folder, &self.prefix, part);
        Ok([find(train)?, find(held_out)?])
    }

    /// Sentences about files that aren't read, and about images that are transposed.
    fn notes(&self, folder: &Path, reading: &Reading) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        if self.parts(folder)?[1] == "t10k" && holds_any(folder, &self.prefix, &["test"])? {
            notes.push("the files of “test” are not read, because those of “t10k” are held out".to_owned());
        }
        match reading.transpose {
            None if self.transposed => notes.push(
                "EMNIST's images are stored with rows and columns swapped, so these are swapped back"
                    .to_owned(),
            ),
            None if EMNIST_SPLITS.contains(&self.prefix.as_str()) => notes.push(
                "EMNIST's images are stored with rows and columns swapped: ⟨transpose⟩ swaps them back"
                    .to_owned(),
            ),
            _ => {}
        }
        Ok(notes)
    }
}

/// The two files of one part of a data set.
struct PartFiles {
    images: PathBuf,
    labels: PathBuf,
}

/// The size of the set, from the headers of its images and from the labels of the train part.
///
/// # Errors
/// As [`dataset`].
pub(super) fn size(folder: &Path, set: &IdxSet, reading: &Reading) -> Result<DataSize> {
    let [train_files, held_out_files] = set.files(folder)?;
    let (train, held_out) = (Images::open(&train_files.images)?, Images::open(&held_out_files.images)?);
    let labels = idx::read_labels(&train_files.labels, train.len(), &train_files.images)?;
    Ok(DataSize {
        shape: if set.transposes(reading) { transposed(&train.shape) } else { train.shape },
        classes: labels.iter().max().map_or(0, |&label| label as usize + 1),
        train: train.len(),
        held_out: held_out.len(),
        validation: 0,
        reading: 0,
        pictures: false,
    })
}

/// Reads the four files of a set as the set `name`.
///
/// # Errors
/// [`Error::NotFound`] for a missing file; [`Error::Data`] for files that are unreadable, damaged, don't fit together or
/// don't fit the memory.
pub(super) fn dataset(name: &str, folder: &Path, set: &IdxSet, reading: &Reading) -> Result<Dataset> {
    let [train_files, held_out_files] = set.files(folder)?;
    let (train, held_out) = (Images::open(&train_files.images)?, Images::open(&held_out_files.images)?);
    check_memory(train.bytes().saturating_add(held_out.bytes()), shown(folder))?;
    // Unpacking takes longest by far, so both parts are read at once.
    let (train, held_out) = rayon::join(|| train_files.read(train), || held_out_files.read(held_out));
    let (mut train, mut held_out) = (train?, held_out?);
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
    let names = mapping::class_names(folder, &set.prefix, classes, [&train, &held_out])?;
    let transposes = set.transposes(reading);
    if transposes {
        train.transpose();
        held_out.transpose();
    }
    let origin = if transposes { "four IDX files, transposed" } else { "four IDX files" };
    let notes = set.notes(folder, reading)?;
    let about = About { origin: origin.to_owned(), notes, transposed: transposes, ..About::default() };
    Ok(Dataset::of_files(name, names, train, held_out, None, about))
}

impl PartFiles {
    fn find(folder: &Path, prefix: &str, part: &str) -> Result<PartFiles> {
        let file = |names: Vec<String>| {
            find(folder, &names)?.ok_or_else(|| {
                Error::NotFound(format!(
                    "{} has no {}, with or without .gz, so add it or name another folder",
                    shown(folder),
                    shown(&names[0])
                ))
            })
        };
        Ok(PartFiles { images: file(image_names(prefix, part))?, labels: file(label_names(prefix, part))? })
    }

    fn read(&self, images: Images) -> Result<Samples> {
        let shape = images.shape;
        let pixels = images.read()?;
        let labels = idx::read_labels(&self.labels, pixels.len() / shape.len(), &self.images)?;
        Ok(Samples { shape, pixels, labels })
    }
}
