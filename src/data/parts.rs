//! The parts of a folder of pictures: class folders in `train`, `test` and `val`, or directly.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::dataset::check_class_name;
use super::listing::{Listing, is_picture};
use super::rendered::Picture;
use super::walk::pictures_in;
use crate::error::{Error, Result};
use crate::text::{composed, shorten, shown};

/// The names that the folder of a validation part may have.
const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// The folders of parts that lie in a folder.
pub(super) struct PartFolders {
    pub train: Option<PathBuf>,
    pub test: Option<PathBuf>,
    pub validation: Option<PathBuf>,
    /// The folders beside them.
    pub others: Vec<PathBuf>,
}

impl PartFolders {
    /// Finds the parts in a folder.
    ///
    /// A folder `train` without folders in it is a class, unless `test` lies beside it. The folder of a validation part
    /// has folders in it.
    ///
    /// # Errors
    /// [`Error::Data`] for two folders of a validation part, and for a folder that can't be opened.
    pub fn of(folder: &Path, listing: &Listing) -> Result<PartFolders> {
        let there = |name: &str| Some(folder.join(name)).filter(|path| listing.folders.contains(path));
        let mut validation = Vec::new();
        for path in VALIDATION.iter().filter_map(|name| there(name)) {
            if has_folders(&path)? {
                validation.push(path);
            }
        }
        if let [one, other, ..] = &validation[..] {
            return Err(Error::Data(format!(
                "{} and {} are both named like a validation part, so leave one of them",
                shown(one),
                shown(other)
            )));
        }
        let (test, mut train) = (there("test"), there("train"));
        if test.is_none() && !train.as_deref().map_or(Ok(false), has_folders)? {
            train = None;
        }
        let validation = validation.pop();
        let is_part =
            |path: &PathBuf| [&train, &test, &validation].into_iter().flatten().any(|part| part == path);
        let is_other = |path: &&PathBuf| !is_part(path);
        let others = listing.folders.iter().filter(is_other).cloned().collect();
        Ok(PartFolders { train, test, validation, others })
    }
}

/// Whether a folder has folders in it.
pub(super) fn has_folders(folder: &Path) -> Result<bool> {
    Ok(!Listing::of(folder)?.folders.is_empty())
}

/// The name of a part's folder, with the number of its pictures.
pub(super) fn with_count(part: &Path, count: usize) -> String {
    let name = part.file_name().map_or_else(String::new, shown);
    format!("{name} with its {count} {}", if count == 1 { "picture" } else { "pictures" })
}

/// A sentence about the folders beside a part that is measured alone; none where there are none.
///
/// # Errors
/// [`Error::Data`] for a folder that can't be opened.
pub(super) fn not_measured(part: &Path, beside: &[&PathBuf]) -> Result<Option<String>> {
    /// The most folders in the sentence.
    const MOST: usize = 5;
    let counted = beside.iter().take(MOST).map(|folder| {
        let pictures = pictures_in(folder, usize::MAX)?.files.len();
        Ok(with_count(folder, pictures))
    });
    let counted: Vec<String> = counted.collect::<Result<_>>()?;
    let is = match beside {
        [] => return Ok(None),
        [_] => "is",
        _ => "are",
    };
    let others = beside.len() - counted.len();
    let more = if others > 0 { format!(" and {others} other folders") } else { String::new() };
    let name = part.file_name().map_or_else(String::new, shown);
    Ok(Some(format!("only {name} is measured: {}{more} {is} not", counted.join(", "))))
}

/// An error about a folder with `train` alone.
pub(super) fn nothing_to_measure(folder: &Path) -> Error {
    Error::NotFound(format!(
        "{} has class folders in train, but no folder test or val to hold out, so add one or name train itself",
        shown(folder)
    ))
}

/// The pictures of a part beside `train`, whose classes are `known`.
///
/// # Errors
/// [`Error::Data`] for a class that isn't in `train`, and as [`class_folders`].
pub(super) fn beside_train(part: &Path, known: &[String], train: &Path) -> Result<Vec<Picture>> {
    let (names, mut pictures) = class_folders(part, &Listing::of(part)?, false)?;
    let known: HashMap<Cow<str>, usize> = known.iter().map(|name| composed(name)).zip(0..).collect();
    let mut labels = Vec::new();
    for name in &names {
        labels.push(*known.get(&composed(name)).ok_or_else(|| {
            Error::Data(format!(
                "{} has no counterpart in {}, and a class without a training picture can't be learnt, \
                 so add some there or leave it out",
                shown(part.join(name)),
                shown(train)
            ))
        })?);
    }
    pictures.iter_mut().for_each(|picture| picture.class = labels[picture.class]);
    Ok(pictures)
}

/// Finds the class folders in a folder: the names of the classes, and their pictures.
///
/// # Errors
/// [`Error::Data`] for a class folder without pictures unless it `may_be_empty`, with folders in it or with a name that
/// can't be printed, and for pictures outside all class folders.
pub(super) fn class_folders(
    folder: &Path,
    listing: &Listing,
    may_be_empty: bool,
) -> Result<(Vec<String>, Vec<Picture>)> {
    let name =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if let Some(loose) = listing.files.iter().find(|file| is_picture(file)) {
        return Err(Error::Data(format!(
            "{} lies outside the class folders of {}, so move it into the one of its class",
            shown(loose),
            shown(folder)
        )));
    }
    let (mut classes, mut pictures, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    for path in &listing.folders {
        let class = name(path);
        check_class_name(path, &class)?;
        if let Some(other) = seen.insert(composed(&class).into_owned(), path) {
            return Err(Error::Data(format!(
                "{} and {} are one name, written with Unicode's characters in two ways, so move the pictures of one into \
                 the other",
                shown(other),
                shown(path)
            )));
        }
        let inside = Listing::of(path)?;
        if let Some(deeper) = inside.folders.first() {
            return Err(Error::Data(format!(
                "{} is a folder in the class folder “{}”, which should hold pictures alone, \
                 so move its pictures up, or name a folder whose folders hold pictures",
                shown(deeper),
                shorten(&class)
            )));
        }
        if inside.files.is_empty() && !may_be_empty {
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
