//! A data set in memory: samples of one size in two parts, the names of the classes, and a digest.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::files::hex;
use crate::error::{Error, Result};
use crate::program::shape::Shape;

/// Images of one size with a class each: what a run trains on or is measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// The size of every image.
    pub shape: Shape,
    /// N × C·H·W bytes, 0 to 255, images one after another, each channel by channel and row by row.
    pub pixels: Vec<u8>,
    /// N classes, in the order of the images.
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
}

/// Images to train on, and images of the same size and classes that training never sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What [`load`](super::load) was asked for: a name or a path.
    pub name: String,
    /// The names of the classes, by label: of the files or folders, or `"0"`, `"1"` and so on.
    pub classes: Vec<String>,
    /// The part to train on; never empty.
    pub train: Samples,
    /// The part to measure on; never empty, and of the same image size.
    pub held_out: Samples,
    /// `sha256:` and 64 hexadecimal digits over the image size, the number of classes, and the
    /// pixels and labels of both parts: equal digests mean equal data, wherever it was read from.
    pub digest: String,
    /// Where it is from, and what was left out.
    pub about: About,
}

/// How a data set was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it was read from, such as `four IDX files`.
    pub origin: String,
    /// A sentence for each thing that was there and was not read.
    pub notes: Vec<String>,
    /// A sentence for each picture that can't be read and was skipped.
    pub skipped: Vec<String>,
    /// The files of the held-out part, in its order; none when its samples aren't files.
    pub held_out_files: Vec<PathBuf>,
}

impl Dataset {
    pub(super) fn new(
        name: &str,
        classes: Vec<String>,
        train: Samples,
        held_out: Samples,
        about: About,
    ) -> Dataset {
        let digest = digest(classes.len(), [&train, &held_out]);
        Dataset { name: name.to_owned(), classes, train, held_out, digest, about }
    }
}

fn digest(classes: usize, parts: [&Samples; 2]) -> String {
    let mut hash = Sha256::new();
    let number = |hash: &mut Sha256, value: usize| hash.update((value as u64).to_le_bytes());
    number(&mut hash, classes);
    for part in parts {
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

/// The names of classes that have only numbers.
pub(super) fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Checks that a class's name, which is found at `place`, can be printed on one line.
pub(super) fn check_class_name(place: &Path, name: &str) -> Result<()> {
    if !name.is_empty() && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::Data(format!(
        "{} names a class “{}”, but such a name is printable text in UTF-8, so rename it",
        place.to_string_lossy().escape_debug(),
        name.escape_debug()
    )))
}

/// Copies one image from the order of picture files, H × W × C, to that of tensors, C × H × W.
/// Both slices hold [`len`](Shape::len) bytes.
pub(super) fn separate_channels(shape: &Shape, interleaved: &[u8], planar: &mut [u8]) {
    let plane = shape.height * shape.width;
    for (pixel, values) in interleaved.chunks_exact(shape.channels).enumerate() {
        for (channel, value) in values.iter().enumerate() {
            planar[channel * plane + pixel] = *value;
        }
    }
}
