//! A data set in memory: a train part and a held-out part, class names, and a digest.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::files::hex;
use super::limits::check_shape;
use super::rendering::{Background, Levels, Rendering};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::{shorten, shown, unfit_for_a_name};

/// Images of one size, each with a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// The size of every image, C × H × W.
    pub shape: Shape,
    /// N × C·H·W bytes, 0 to 255: image by image, channel by channel, row by row.
    pub pixels: Vec<u8>,
    /// N classes from 0, in the order of the images.
    pub labels: Vec<u32>,
}

impl Samples {
    /// N, the number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The C·H·W bytes of one image.
    ///
    /// # Panics
    ///
    /// If `index` isn't below [`len`](Self::len).
    pub fn image(&self, index: usize) -> &[u8] {
        let values = self.shape.len();
        &self.pixels[index * values..][..values]
    }

    /// The labels as indices of classes.
    pub(super) fn classes(&self) -> impl Iterator<Item = usize> {
        self.labels.iter().map(|label| *label as usize)
    }

    /// Copies of the samples at `indices`, in that order.
    ///
    /// # Panics
    ///
    /// If an index isn't below [`len`](Self::len).
    pub fn subset(&self, indices: &[usize]) -> Samples {
        let mut pixels = Vec::with_capacity(indices.len() * self.shape.len());
        for &index in indices {
            pixels.extend_from_slice(self.image(index));
        }
        Samples {
            shape: self.shape,
            pixels,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// Keeps the samples at `indices`, which ascend, and gives back the memory of the others.
    pub(super) fn keep(&mut self, indices: &[usize]) {
        let values = self.shape.len();
        for (to, &from) in indices.iter().enumerate() {
            self.pixels.copy_within(from * values..(from + 1) * values, to * values);
            self.labels[to] = self.labels[from];
        }
        self.pixels.truncate(indices.len() * values);
        self.pixels.shrink_to_fit();
        self.labels.truncate(indices.len());
    }
}

/// A data set: a part to train on, and a held-out part that training never sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The name or path that [`load`](super::load) was given.
    pub name: String,
    /// The names of the classes, by label.
    ///
    /// `"0"`, `"1"` … where the files have none.
    pub classes: Vec<String>,
    /// The part to train on; never empty.
    pub train: Samples,
    /// The part to measure on; never empty, and of the same image size.
    pub held_out: Samples,
    /// The validation part of data that have one of their own, of the same image size.
    ///
    /// It takes the place of one that is split off the train part.
    pub validation: Option<Samples>,
    /// A digest of the content: `sha256:` and 64 hexadecimal digits.
    ///
    /// It covers the image size, the number of classes, and the pixels and labels of all parts. Equal digests mean
    /// equal data, wherever they were read from.
    pub digest: String,
    /// Its origin, and the files that were left out.
    pub about: About,
}

/// The origin of a data set, and the files that were not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The files that it was read from, such as `four IDX files`.
    pub origin: String,
    /// A sentence for each file or folder that was not read, and for what reading chose or lost, with settings marked.
    pub notes: Vec<String>,
    /// A sentence for each skipped picture, with settings marked.
    pub skipped: Vec<String>,
    /// The files of the training samples, in order; none when samples aren't files.
    pub train_files: Vec<PathBuf>,
    /// The files of the held-out samples, in order; none when samples aren't files.
    pub held_out_files: Vec<PathBuf>,
    /// A hash of the pixels of each file, those of the training samples first; none when samples aren't files.
    pub contents: Vec<u64>,
    /// The setting for the ground of pictures: a colour where one was chosen in place of `auto`.
    pub background: Background,
    /// The setting for 16-bit samples: a range where one was chosen in place of `auto`.
    pub levels: Levels,
    /// Whether rows and columns of the images were swapped.
    pub transposed: bool,
    /// How pictures became bytes, which a model needs for those to come.
    pub rendering: Rendering,
}

impl Dataset {
    /// A data set of samples in memory: N × C·H·W bytes and N labels for each part.
    ///
    /// # Errors
    /// As [`Dataset::check`].
    pub fn new(name: &str, classes: Vec<String>, train: Samples, held_out: Samples) -> Result<Dataset> {
        let about = About { origin: "memory".to_owned(), ..About::default() };
        let dataset = Dataset::of_files(name, classes, train, held_out, None, about);
        dataset.check().map(|()| dataset)
    }

    /// Checks that the parts go together: both with samples, of one size, with a class for each label.
    ///
    /// # Errors
    /// [`Error::Data`] naming the part.
    pub fn check(&self) -> Result<()> {
        let problem = |what: String| Err(Error::Data(format!("the data set {} {what}", shown(&self.name))));
        if self.classes.is_empty() {
            return problem("has no classes: name at least one".to_owned());
        }
        if let Some(unfit) = self.classes.iter().find_map(|name| unfit(name)) {
            return problem(format!("has a class {unfit}: rename it"));
        }
        let shape = self.train.shape;
        check_shape(&shape, format!("the data set {}", shown(&self.name)))?;
        let validation = self.validation.as_ref().map(|samples| ("validation", "to validate on", samples));
        let beside = [("held-out", "held out", &self.held_out)].into_iter().chain(validation);
        if let Some((_, what, samples)) = beside.clone().find(|(.., samples)| samples.shape != shape) {
            return problem(format!(
                "has images of {shape} to train on and of {} {what}: bring them to one size",
                samples.shape
            ));
        }
        for (part, _, samples) in [("train", "", &self.train)].into_iter().chain(beside) {
            let (labels, bytes) = (samples.labels.len(), samples.pixels.len());
            if labels == 0 {
                return problem(format!("has no samples in its {part} part: give it at least one"));
            }
            if labels.checked_mul(shape.len()) != Some(bytes) {
                return problem(format!(
                    "has {bytes} bytes of pixels for {labels} labels in its {part} part: an image of {shape} takes {}, so give as many for each label",
                    shape.len()
                ));
            }
            let classes = self.classes.len();
            if let Some(label) = samples.labels.iter().find(|label| **label as usize >= classes) {
                return problem(format!(
                    "has the label {label} in its {part} part, but only {classes} classes, so name more classes or change it"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn of_files(
        name: &str,
        classes: Vec<String>,
        train: Samples,
        held_out: Samples,
        validation: Option<Samples>,
        about: About,
    ) -> Dataset {
        let digest = digest(classes.len(), [Some(&train), Some(&held_out), validation.as_ref()]);
        Dataset { name: name.to_owned(), classes, train, held_out, validation, digest, about }
    }

    /// The same without its validation part, if its digest is `wanted` then.
    pub(super) fn or_without_validation(self, wanted: &str) -> Dataset {
        if self.validation.is_none() || self.digest == wanted {
            return self;
        }
        let digest = digest(self.classes.len(), [Some(&self.train), Some(&self.held_out), None]);
        if digest == wanted { Dataset { validation: None, digest, ..self } } else { self }
    }
}

/// Whether each class has a sample among these labels.
pub(super) fn has_samples(classes: usize, labels: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut has = vec![false; classes];
    labels.for_each(|label| has[label] = true);
    has
}

/// The classes in order, none for one without a sample among these labels.
pub(super) fn with_samples(classes: &[String], labels: impl Iterator<Item = usize>) -> Vec<Option<&String>> {
    let has = has_samples(classes.len(), labels);
    classes.iter().zip(has).map(|(class, has)| has.then_some(class)).collect()
}

fn digest(classes: usize, parts: [Option<&Samples>; 3]) -> String {
    let mut hash = Sha256::new();
    let number = |hash: &mut Sha256, value: usize| hash.update((value as u64).to_le_bytes());
    number(&mut hash, classes);
    for part in parts.into_iter().flatten() {
        let Shape { channels, height, width, .. } = part.shape;
        for value in [part.len(), channels, height, width] {
            number(&mut hash, value);
        }
        hash.update(&part.pixels);
        for label in &part.labels {
            hash.update(label.to_le_bytes());
        }
    }
    format!("sha256:{}", hex(hash.finalize()))
}

/// Numbers as the names of classes: `"0"`, `"1"` and so on.
pub(super) fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Checks that the name of a class is text on one line, in one direction.
///
/// `path` is where it was found.
pub(super) fn check_class_name(path: &Path, name: &str) -> Result<()> {
    if name.is_empty() {
        let problem = "has no name for a class, which is printable text in UTF-8, so rename it";
        return Err(Error::Data(format!("{} {problem}", shown(path))));
    }
    unfit(name).map_or(Ok(()), |problem| {
        Err(Error::Data(format!("{} names a class {problem}, so rename it", shown(path))))
    })
}

/// Why a text can't be the name of a class, with the name in front.
fn unfit(name: &str) -> Option<String> {
    let letter = unfit_for_a_name(name)?;
    Some(format!(
        "“{}”, but such a name is printable text in UTF-8, without line breaks or controls such as U+{:04X}",
        shorten(name),
        u32::from(letter)
    ))
}

/// Copies an image from the order of picture files, H × W × C, to C × H × W.
///
/// Both slices hold [`len`](Shape::len) bytes.
pub(super) fn separate_channels(shape: &Shape, interleaved: &[u8], planar: &mut [u8]) {
    let plane = shape.height * shape.width;
    for (pixel, values) in interleaved.chunks_exact(shape.channels).enumerate() {
        for (channel, value) in values.iter().enumerate() {
            planar[channel * plane + pixel] = *value;
        }
    }
}
