//! Samples of known class that a trained network is measured on.

use std::path::PathBuf;

use super::dataset::{About, Dataset, Samples, with_samples};
use super::images::{self, Pictures};
use super::inspection::of_one_colour;
use super::kind::FolderFormat;
use super::location::{Location, source};
use super::missing::missing_classes;
use super::reading::Reading;
use super::rendering::Rendering;
use crate::error::{Error, Result, suggestion};
use crate::kernel::threads;
use crate::program::shape::Shape;
use crate::text::{composed, shorten, shown};

/// The most names in a sentence.
const MOST_NAMES: usize = 5;

/// Samples of known class, labelled by the classes of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The name or path that was given.
    pub name: String,
    /// Whether they are the held-out part of the data; else they are all pictures in `folder`.
    pub held_out: bool,
    /// The folder of the pictures, or of the part of them that is measured; none for a held-out part.
    pub folder: Option<PathBuf>,
    /// The samples.
    pub samples: Samples,
    /// What is to be said of them; the files are its `held_out_files`.
    pub about: About,
}

/// Loads samples to measure a network on, whose classes are `known`: classes are matched by name.
///
/// Pictures get the shape and the rendering of `model`, but for what `reading` says. Of a data set with a held-out part
/// that is measured; so is that of a folder of class folders if it `is_own`, the data that the network was trained on. Of
/// any other those in its `test` are measured, else in its `val`, else all of them; a note names the folders beside them.
///
/// # Errors
/// As [`load_with`](super::load_with), but a class may have one picture or none, and [`Error::Data`] for a class that the
/// network doesn't know.
pub fn load_labelled(
    name_or_path: &str,
    is_own: bool,
    known: &[String],
    model: (&Shape, &Rendering),
    reading: &Reading,
) -> Result<Labelled> {
    threads::start()?;
    let find = if is_own { Pictures::find } else { Pictures::find_labelled };
    let location = Location::find(name_or_path, find)?;
    location.check(name_or_path, reading.given())?;
    let reading = &reading.of_model(model.0, model.1);
    let name = name_or_path.to_owned();
    let mut labelled = match &location {
        Location::Folder(_, FolderFormat::Pictures(pictures)) if !is_own => {
            let labels = by_name(&pictures.classes_with_pictures(), known, name_or_path)?;
            let (mut samples, about) = images::labelled(pictures, reading)?;
            relabel(&mut samples, &labels);
            Labelled { name, held_out: false, folder: Some(pictures.folder().to_owned()), samples, about }
        }
        _ => {
            let dataset = location.read(name_or_path, reading)?;
            let labels =
                by_name(&with_samples(&dataset.classes, dataset.held_out.classes()), known, name_or_path)?;
            let Dataset { held_out: mut samples, mut about, .. } = dataset;
            if let Location::Folder(_, FolderFormat::Pictures(pictures)) = &location {
                // What is said of other parts.
                about.notes.retain(|note| !pictures.notes().contains(note));
            }
            relabel(&mut samples, &labels);
            if about.held_out_files.is_empty() && reading.options.invert {
                invert(&mut samples);
            }
            Labelled { name, held_out: true, folder: None, samples, about }
        }
    };
    let part = if labelled.held_out { "held-out" } else { "measured" };
    let Labelled { samples, about, .. } = &mut labelled;
    about.notes.extend(of_one_colour(part, samples, &about.held_out_files));
    about.notes.extend(missing_classes(part, samples, known));
    Ok(labelled)
}

/// Whether two names or paths lead to the same data.
pub fn is_same(one: &str, other: &str) -> bool {
    let place = |name: &str| source(name).ok()?.place();
    one == other || place(one).is_some_and(|one| Some(one) == place(other))
}

/// The network's label of each class that has samples.
///
/// # Errors
/// [`Error::Data`] naming the classes that the network doesn't know.
fn by_name(found: &[Option<&String>], known: &[String], data: &str) -> Result<Vec<u32>> {
    // Classes of the same names and order need not differ from one another.
    let is = |one: &String, other: &String| composed(one) == composed(other);
    if found.iter().zip(known).all(|(found, known)| found.is_none_or(|found| is(found, known)))
        && found.len() <= known.len()
    {
        return Ok((0..found.len() as u32).collect());
    }
    let label = |name: &String| known.iter().position(|known| is(known, name));
    let unknown: Vec<&String> =
        found.iter().flatten().copied().filter(|name| label(name).is_none()).collect();
    let Some(first) = unknown.first() else {
        let labels = found.iter().map(|name| name.and_then(label).unwrap_or_default() as u32);
        return Ok(labels.collect());
    };
    let near = suggestion(first, &known.iter().map(String::as_str).collect::<Vec<_>>());
    let (is, it) = if unknown.len() == 1 {
        ("is no class", "rename its folder or leave it out")
    } else {
        ("are no classes", "rename their folders or leave them out")
    };
    Err(Error::Data(format!(
        "{} of {} {is} of the network{near}; it knows {}, so {it}",
        listed(unknown.into_iter()),
        shown(data),
        listed(known.iter())
    )))
}

/// The first names, in quotes.
fn listed<'a>(mut names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let all = names.len();
    let shown: Vec<String> =
        names.by_ref().take(MOST_NAMES).map(|name| format!("“{}”", shorten(name))).collect();
    let others = all - shown.len();
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    shown.join(", ") + &more
}

fn relabel(samples: &mut Samples, labels: &[u32]) {
    samples.labels.iter_mut().for_each(|label| *label = labels[*label as usize]);
}

/// Swaps dark and light; alpha stays.
fn invert(samples: &mut Samples) {
    let shape = samples.shape;
    let colours = shape.channels - usize::from(shape.channels.is_multiple_of(2));
    for image in samples.pixels.chunks_exact_mut(shape.len()) {
        let plane = shape.height * shape.width;
        image[..colours * plane].iter_mut().for_each(|value| *value = 255 - *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn classes_are_matched_by_name_and_unknown_ones_are_named() {
        let known = names(&["cat", "dog", "fox"]);
        let labels = |found: &[Option<&str>]| {
            let found: Vec<Option<String>> = found.iter().map(|name| name.map(str::to_owned)).collect();
            by_name(&found.iter().map(Option::as_ref).collect::<Vec<_>>(), &known, "pets")
        };
        assert_eq!(labels(&[Some("fox"), Some("cat")]).unwrap(), [2, 0]);
        assert_eq!(labels(&[Some("cat"), None, Some("fox")]).unwrap(), [0, 1, 2]);
        let accents = |found: &str| by_name(&[Some(&found.to_owned())], &names(&["the", "café"]), "drinks");
        assert_eq!((accents("cafe\u{301}").unwrap(), accents("cafe").is_err()), (vec![1], true));
        // A class without samples may have any name.
        assert_eq!(labels(&[None, Some("dog")]).unwrap()[1], 1);
        let error = labels(&[Some("Dog"), Some("owl")]).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        let words = ["“Dog”, “owl” of pets are no classes", "did you mean “dog”?", "“cat”, “dog”, “fox”"];
        assert!(words.iter().all(|word| error.marked().contains(word)), "{error}");
        let many = names(&["1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(listed(many.iter()), "“1”, “2”, “3”, “4”, “5” and 2 more");
    }

    #[test]
    fn inverting_leaves_alpha() {
        let shape = Shape::image(2, 1, 2);
        let mut samples = Samples { shape, pixels: vec![0, 9, 7, 255], labels: vec![0] };
        invert(&mut samples);
        assert_eq!(samples.pixels, [255, 246, 7, 255]);
    }
}
