//! Folders of pictures: a folder for each class, in `train`, `test` and `val` or split here.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::dataset::{About, Dataset, Samples, with_samples};
use super::histogram::Histogram;
use super::limits::{MAX_CLASSES, MAX_SIDE, check_memory};
use super::listing::Listing;
use super::parts::{self, PartFolders, beside_train, class_folders};
use super::picture;
use super::reading::{Reading, Resize};
use super::rendered::{Picture, Read, read, render};
use super::size::DataSize;
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::{shorten, shown};

/// One in this many pictures of a class is held out, if the folder has no `test`.
const HELD_OUT_OF: usize = 5;

/// The pictures of a data set, found but not read.
#[derive(Debug)]
pub(super) struct Pictures {
    folder: PathBuf,
    /// Names of the classes, in order.
    classes: Vec<String>,
    train: Vec<Picture>,
    /// None when the folder doesn't say what is held out.
    held_out: Option<Vec<Picture>>,
    /// None when the folder has no validation part of its own.
    validation: Option<Vec<Picture>>,
    /// The folders of its parts, as in `train and test`; without parts, what it holds.
    origin: &'static str,
    /// A sentence about the parts, and for each folder that is not read.
    notes: Vec<String>,
}

impl Pictures {
    /// Finds the class folders in `folder`, or in its folders `train`, `test` and `val`.
    ///
    /// Without `test`, the pictures in `val` are held out; else they are the validation part.
    ///
    /// # Errors
    /// [`Error::Data`] for fewer than two classes, for a class in `test` or `val` that isn't in `train`, and as
    /// [`class_folders`]; [`Error::NotFound`] when there is `train` alone.
    pub fn find(folder: &Path, listing: &Listing) -> Result<Pictures> {
        let PartFolders { train, test, validation, others } = PartFolders::of(folder, listing)?;
        let Some(train) = train else {
            let (classes, train) = class_folders(folder, listing, false)?;
            return Pictures { classes, train, ..Pictures::of(folder, "pictures in class folders") }
                .with_two_classes();
        };
        let (classes, pictures) = class_folders(&train, &Listing::of(&train)?, false)?;
        let beside = |part: &PathBuf| beside_train(part, &classes, &train);
        let (origin, held_out, validation, note) = match (&test, &validation) {
            (Some(test), None) => ("train and test", beside(test)?, None, None),
            (Some(test), Some(part)) => {
                let (held_out, validation) = (beside(test)?, beside(part)?);
                let note = format!("{} is the validation part", parts::with_count(part, validation.len()));
                ("train, val and test", held_out, Some(validation), Some(note))
            }
            (None, Some(part)) => {
                let held_out = beside(part)?;
                let note = format!(
                    "there is no folder test, so {} is held out; ⟨validation 0.1⟩ takes a validation part out of train",
                    parts::with_count(part, held_out.len())
                );
                ("train and val", held_out, None, Some(note))
            }
            (None, None) => return Err(parts::nothing_to_measure(folder)),
        };
        let not_read = |path: &PathBuf| format!("{} was not read: it lies beside {origin}", shown(path));
        let notes = note.into_iter().chain(others.iter().map(not_read)).collect();
        let of_parts = Pictures::of(&train, origin);
        Pictures { classes, train: pictures, held_out: Some(held_out), validation, notes, ..of_parts }
            .with_two_classes()
    }

    /// Finds pictures of known class to measure a network on: the class folders in `test`, else in `val`, else in the
    /// folder itself, of any number of classes and pictures. They are the part `train`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is `train` alone, and as [`class_folders`].
    pub fn find_labelled(folder: &Path, listing: &Listing) -> Result<Pictures> {
        let PartFolders { train, test, validation, .. } = PartFolders::of(folder, listing)?;
        let test = if test.as_deref().map_or(Ok(false), parts::has_folders)? { test } else { None };
        let part = match test.or(validation) {
            Some(part) => part,
            None if train.is_some() => return Err(parts::nothing_to_measure(folder)),
            None => folder.to_owned(),
        };
        let (classes, train) = class_folders(&part, &Listing::of(&part)?, true)?;
        if train.is_empty() {
            return Err(Error::Data(format!(
                "{} has no pictures in class folders, so add some",
                shown(&part)
            )));
        }
        Ok(Pictures { classes, train, ..Pictures::of(&part, "pictures in class folders") })
    }

    fn of(folder: &Path, origin: &'static str) -> Pictures {
        let (classes, train, notes) = Default::default();
        Pictures {
            folder: folder.to_owned(),
            origin,
            classes,
            train,
            held_out: None,
            validation: None,
            notes,
        }
    }

    /// A sentence about the parts, and for each folder that is not read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The classes in order, none for one without pictures.
    pub fn classes_with_pictures(&self) -> Vec<Option<&String>> {
        with_samples(&self.classes, self.train.iter().map(|picture| picture.class))
    }

    fn with_two_classes(self) -> Result<Pictures> {
        let problem = match &self.classes[..] {
            [] => "has no class folders".to_owned(),
            [one] => format!("has only one class folder, “{one}”", one = shorten(one)),
            all if all.len() > MAX_CLASSES => format!("has {} class folders", all.len()),
            _ => return Ok(self),
        };
        Err(Error::Data(format!(
            "{} {problem}, but 2 to {MAX_CLASSES} classes are needed, \
             so name a folder with a folder of pictures for each class",
            shown(&self.folder)
        )))
    }
}

/// The size of the set, from the header of its first picture. None when that can't be read.
pub(super) fn size(pictures: &Pictures, reading: &Reading) -> Option<DataSize> {
    let (shape, decoded) = picture::header(&pictures.train.first()?.path, reading.resize)?;
    if shape.height.max(shape.width) > MAX_SIDE {
        return None;
    }
    let classes = pictures.classes.len();
    let held_out = pictures.held_out.as_ref().map_or_else(
        || {
            let mut members = vec![0; classes];
            pictures.train.iter().for_each(|picture| members[picture.class] += 1);
            members.into_iter().map(held_out_of).sum()
        },
        Vec::len,
    );
    let train = pictures.train.len() - if pictures.held_out.is_some() { 0 } else { held_out };
    let validation = pictures.validation.as_ref().map_or(0, Vec::len);
    let size = DataSize { shape, classes, train, held_out, validation, reading: 0, pictures: true };
    // Pictures are joined when all have been read.
    let threads = rayon::current_num_threads() as u64;
    Some(DataSize { reading: size.bytes().saturating_add(threads.saturating_mul(decoded)), ..size })
}

/// The number of pictures of a class that are held out.
fn held_out_of(members: usize) -> usize {
    ((members + HELD_OUT_OF / 2) / HELD_OUT_OF).max(1)
}

/// Reads all pictures as the set `name`.
///
/// Without a folder `test` or `val`, 20 % of each class is held out, rounded to the nearest but at least one picture: those whose
/// file names have the least SHA-256. The choice depends on no seed, and an added picture moves at most one other to
/// the other part.
///
/// # Errors
/// [`Error::Data`] for a picture that can't be read (unless those are skipped), for sizes or channels that differ, and
/// for a class that is left with too few pictures.
pub(super) fn dataset(name: &str, pictures: &Pictures, reading: &Reading) -> Result<Dataset> {
    if let Some(size) = size(pictures, reading) {
        check_memory(size.bytes().saturating_add(size.reading), shown(&pictures.folder))?;
    }
    let mut about = About { notes: pictures.notes.clone(), ..About::default() };
    let histogram = Histogram::default();
    let mut read_all = |all: &[Picture]| read(all, reading, &histogram, &mut about);
    let mut train = read_all(&pictures.train)?;
    let mut held_out = pictures.held_out.as_deref().map(&mut read_all).transpose()?;
    let mut validation = pictures.validation.as_deref().map(&mut read_all).transpose()?;
    let parts = || train.iter().chain(held_out.iter().flatten()).chain(validation.iter().flatten());
    let shape = common_shape(parts(), reading)?;
    let beside_train = held_out.iter_mut().chain(&mut validation).flatten();
    let all: Vec<&mut Read> = train.iter_mut().chain(beside_train).collect();
    render(all, &shape, reading, histogram, &mut about)?;
    let (train, held_out) = match held_out {
        Some(held_out) => {
            about.origin = format!("pictures in class folders, in {}", pictures.origin);
            (train, held_out)
        }
        None => {
            about.origin = format!("{}, 20 % of each held out", pictures.origin);
            split(train, pictures)?
        }
    };
    if let Some(class) = members(&train, pictures).iter().position(Vec::is_empty) {
        return Err(Error::Data(format!(
            "none of the pictures of the class “{}” in {} can be read, so replace them or remove the class",
            shorten(&pictures.classes[class]),
            shown(&pictures.folder)
        )));
    }
    for (part, to) in [(Some(&held_out), "hold out"), (validation.as_ref(), "validate on")] {
        if part.is_some_and(Vec::is_empty) {
            return Err(Error::Data(format!(
                "{} has no picture to {to} that can be read, so replace them",
                shown(name)
            )));
        }
    }
    (about.train_files, about.held_out_files) = (files(&train), files(&held_out));
    about.contents = train.iter().chain(&held_out).map(|read| read.seen.content).collect();
    let validation = validation.map(|part| samples(shape, part));
    let (train, held_out) = (samples(shape, train), samples(shape, held_out));
    Ok(Dataset::of_files(name, pictures.classes.clone(), train, held_out, validation, about))
}

/// Reads all pictures of [`Pictures::find_labelled`], and what is to be said of them.
///
/// # Errors
/// [`Error::Data`] for a picture that can't be read (unless those are skipped), and for a set without any.
pub(super) fn labelled(pictures: &Pictures, reading: &Reading) -> Result<(Samples, About)> {
    if let Some(size) = size(pictures, reading) {
        check_memory(size.bytes().saturating_add(size.reading), shown(&pictures.folder))?;
    }
    let (mut about, histogram) = (About::default(), Histogram::default());
    let mut all = read(&pictures.train, reading, &histogram, &mut about)?;
    let shape = common_shape(all.iter(), reading)?;
    render(all.iter_mut().collect(), &shape, reading, histogram, &mut about)?;
    about.held_out_files = files(&all);
    Ok((samples(shape, all), about))
}

fn files(part: &[Read]) -> Vec<PathBuf> {
    part.iter().map(|read| read.path.clone()).collect()
}

/// The one size of all pictures.
fn common_shape<'a>(mut all: impl Iterator<Item = &'a Read>, reading: &Reading) -> Result<Shape> {
    let Some(first) = all.next() else {
        return Err(Error::Data("none of the pictures can be read, so name another folder".to_owned()));
    };
    let sides = |read: &Read| (read.shape.height, read.shape.width);
    let (mut other, mut large) = (None, (!fits(first)).then_some(first));
    for read in all {
        other = other.or((read.shape != first.shape).then_some(read));
        large = large.or((!fits(read)).then_some(read));
    }
    let example = Resize { channels: None, height: 32, width: 32 };
    if let Some(large) = large {
        return Err(Error::Data(format!(
            "{} is {}, but images have sides of 1 to {MAX_SIDE} pixels, \
             so have all pictures resized, as with ⟨resize {example}⟩",
            shown(&large.path),
            large.shape
        )));
    }
    let Some(other) = other else { return Ok(first.shape) };
    // Three channels hold grey as well as colours.
    let with_channels = |resize: Resize| Resize { channels: Some(3), ..resize };
    let size = match (reading.resize, sides(first) == sides(other)) {
        (Some(resize), _) => with_channels(resize),
        (None, true) => Resize { channels: Some(3), height: first.shape.height, width: first.shape.width },
        (None, false) if first.shape.channels == other.shape.channels => example,
        (None, false) => with_channels(example),
    };
    Err(Error::Data(format!(
        "{} is {}, but {} is {} (channels × rows × columns), so have all pictures brought to one size, \
         as with ⟨resize {size}⟩",
        shown(&other.path),
        other.shape,
        shown(&first.path),
        first.shape
    )))
}

fn fits(read: &Read) -> bool {
    read.shape.height <= MAX_SIDE && read.shape.width <= MAX_SIDE
}

/// The indices of the pictures of each class.
fn members(all: &[Read], pictures: &Pictures) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); pictures.classes.len()];
    all.iter().enumerate().for_each(|(at, read)| members[read.class].push(at));
    members
}

/// Splits pictures into the train part and the held-out part, in this order.
fn split(all: Vec<Read>, pictures: &Pictures) -> Result<(Vec<Read>, Vec<Read>)> {
    let mut held_out = vec![false; all.len()];
    for (name, mut members) in pictures.classes.iter().zip(members(&all, pictures)) {
        if members.len() == 1 {
            return Err(Error::Data(format!(
                "the class “{name}” in {} has one picture that can be read, but it takes two: \
                 one to train on and one to hold out, so add one or remove the class",
                shown(&pictures.folder),
                name = shorten(name)
            )));
        }
        let hash = |at: &usize| {
            let name = all[*at].path.file_name().unwrap_or_default();
            Sha256::digest(name.as_encoded_bytes()).to_vec()
        };
        members.sort_by_cached_key(hash);
        members.iter().take(held_out_of(members.len())).for_each(|&at| held_out[at] = true);
    }
    let (out, train): (Vec<_>, Vec<_>) = all.into_iter().zip(held_out).partition(|(_, out)| *out);
    let reads = |part: Vec<(Read, bool)>| part.into_iter().map(|(read, _)| read).collect();
    Ok((reads(train), reads(out)))
}

fn samples(shape: Shape, all: Vec<Read>) -> Samples {
    let mut samples =
        Samples { shape, pixels: Vec::with_capacity(all.len() * shape.len()), labels: Vec::new() };
    for read in all {
        samples.pixels.extend(read.values);
        samples.labels.push(read.class as u32);
    }
    samples
}
