//! Folders of pictures: a folder for each class, in `train` and `test` or split here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::dataset::{About, Dataset, Samples, check_class_name};
use super::histogram::Histogram;
use super::limits::{MAX_CLASSES, MAX_SIDE, check_memory};
use super::listing::{Listing, is_picture};
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
    /// A sentence for each folder that is not read.
    notes: Vec<String>,
}

impl Pictures {
    /// Finds the class folders in `folder`, or in its folders `train` and `test`.
    ///
    /// # Errors
    /// [`Error::Data`] for a class folder without pictures, with folders in it or with a name that can't be printed, for
    /// fewer than two classes, for pictures outside all class folders, and for a class in `test` that isn't in `train`;
    /// [`Error::NotFound`] when there is `train` and no `test`.
    pub fn find(folder: &Path, listing: &Listing) -> Result<Pictures> {
        let (train, test) = (folder.join("train"), folder.join("test"));
        let has = |path: &PathBuf| listing.folders.contains(path);
        if !has(&train) || (!has(&test) && Listing::of(&train)?.folders.is_empty()) {
            let (classes, train) = class_folders(folder, listing)?;
            return Pictures { folder: folder.to_owned(), classes, train, held_out: None, notes: vec![] }
                .with_two_classes();
        }
        if !has(&test) {
            return Err(Error::NotFound(format!(
                "{} has class folders in train, but no folder test to hold out, so add one or name train itself",
                shown(folder)
            )));
        }
        let (classes, pictures) = class_folders(&train, &Listing::of(&train)?)?;
        let (names, mut held_out) = class_folders(&test, &Listing::of(&test)?)?;
        let known: HashMap<&String, usize> = classes.iter().zip(0..).collect();
        let mut labels = Vec::new();
        for name in &names {
            labels.push(*known.get(name).ok_or_else(|| {
                Error::Data(format!(
                    "{} has no counterpart in {}, and a class without a training picture can't be learnt, \
                     so add some there or leave it out",
                    shown(test.join(name)),
                    shown(&train)
                ))
            })?);
        }
        held_out.iter_mut().for_each(|picture| picture.class = labels[picture.class]);
        let others = listing.folders.iter().filter(|path| **path != train && **path != test);
        let notes = others
            .map(|path| format!("{} was not read: it lies beside train and test", shown(path)))
            .collect();
        Pictures { folder: train, classes, train: pictures, held_out: Some(held_out), notes }
            .with_two_classes()
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

/// Finds the class folders in a folder: the names of the classes, and their pictures.
fn class_folders(folder: &Path, listing: &Listing) -> Result<(Vec<String>, Vec<Picture>)> {
    let name =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if let Some(loose) = listing.files.iter().find(|file| is_picture(&name(file))) {
        return Err(Error::Data(format!(
            "{} lies outside the class folders of {}, so move it into the one of its class",
            shown(loose),
            shown(folder)
        )));
    }
    let (mut classes, mut pictures) = (Vec::new(), Vec::new());
    for path in &listing.folders {
        let class = name(path);
        check_class_name(path, &class)?;
        let inside = Listing::of(path)?;
        if let Some(deeper) = inside.folders.first() {
            return Err(Error::Data(format!(
                "{} is a folder in the class folder “{}”, which should hold pictures alone, \
                 so move its pictures up, or name a folder whose folders hold pictures",
                shown(deeper),
                shorten(&class)
            )));
        }
        if inside.files.is_empty() {
            return Err(Error::Data(format!(
                "the class folder {} is empty, so add pictures or remove it",
                shown(path)
            )));
        }
        pictures.extend(inside.files.into_iter().map(|path| Picture { path, class: classes.len() }));
        classes.push(class);
    }
    Ok((classes, pictures))
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
    let size = DataSize { shape, classes, train, held_out, reading: 0, pictures: true };
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
/// Without a folder `test`, 20 % of each class is held out, rounded to the nearest but at least one picture: those whose
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
    let mut train = read(&pictures.train, reading, &histogram, &mut about)?;
    let mut held_out =
        pictures.held_out.as_ref().map(|all| read(all, reading, &histogram, &mut about)).transpose()?;
    let shape = common_shape(train.iter().chain(held_out.iter().flatten()), reading)?;
    let all: Vec<&mut Read> = train.iter_mut().chain(held_out.iter_mut().flatten()).collect();
    render(all, &shape, reading, histogram, &mut about)?;
    let (train, held_out) = match held_out {
        Some(held_out) => {
            about.origin = "pictures in class folders, in train and test".to_owned();
            (train, held_out)
        }
        None => {
            about.origin = "pictures in class folders, 20 % of each held out".to_owned();
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
    if held_out.is_empty() {
        return Err(Error::Data(format!(
            "{} has no picture to hold out that can be read, so replace them",
            shown(name)
        )));
    }
    let files = |part: &[Read]| part.iter().map(|read| read.path.clone()).collect();
    (about.train_files, about.held_out_files) = (files(&train), files(&held_out));
    about.contents = train.iter().chain(&held_out).map(|read| read.seen.content).collect();
    Ok(Dataset::of_files(
        name,
        pictures.classes.clone(),
        samples(shape, train),
        samples(shape, held_out),
        about,
    ))
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
