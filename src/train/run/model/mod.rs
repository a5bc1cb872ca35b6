//! A trained network as a safetensors file, with PyTorch's names and layouts.
//!
//! The tensors are those of the network's [`Arena`]. The rest is in the file's metadata, as strings: `format`, `format_version`, `network` (text form), `loss`, `data`,
//! and, as JSON, `shape` (channels, height, width), `classes`, `mean` and `std`; what its pixels mean (`pixels.rs`);
//! `brightness` and `contrast`, the least and the greatest of the images trained on; and the file's `checksum`. So `torch.nn.Sequential(…).load_state_dict(safetensors.torch.load_file(path))` works.

mod pixels;
mod read;

use std::borrow::Borrow;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::data::files::{unwritten, write_with};
use crate::data::held::HeldFolder;
use crate::data::{
    Normaliser, PictureOptions, PictureRead, PictureSource, Rendering, Tones, check_shape, read_picture,
    read_pictures,
};
use crate::error::{Error, Result};
use crate::kernel::Slice;
use crate::network::Network;
use crate::network::loss::Loss;
use crate::program::params::{Arena, Param};
use crate::program::shape::Shape;
use crate::text::shown;
use crate::train::run::seal;
use crate::train::run::tensors::{self, Entry};

/// The name of the model's file in a run directory.
pub const FILE: &str = "model.safetensors";
/// The value of `format` in the metadata.
pub const FORMAT: &str = "wgrad";
/// The newest `format_version` that is read, and the one that is written.
pub const FORMAT_VERSION: u32 = 1;
/// The longest text form of a network in a file, in bytes.
pub const MAX_NETWORK_TEXT: usize = 1 << 20;

/// A network with its parameters, and all that classifying a picture takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its layers.
    pub network: Network,
    /// The loss it was trained with. It says how outputs become probabilities.
    pub loss: Loss,
    /// The size of the images it takes.
    pub shape: Shape,
    /// The names of the classes, by label.
    pub classes: Vec<String>,
    /// The normalisation from pixels to the network's input.
    pub normaliser: Normaliser,
    /// How pictures become bytes.
    pub rendering: Rendering,
    /// Brightness and contrast of the images that it was trained on; none in models of earlier versions.
    pub tones: Option<Tones>,
    /// The whole arena; the padding between parameters is zero.
    pub parameters: Vec<f32>,
    /// The data set it was trained on: a name or a path.
    pub data: String,
}

impl Model {
    /// Names, shapes and offsets of the parameters.
    ///
    /// # Panics
    /// If the network doesn't fit the images. The network of a loaded or trained model does.
    pub fn arena(&self) -> Arena {
        arena(&self.network, &self.shape).expect("the network of a model fits its images")
    }

    /// A picture in the size and colours of the model's images.
    ///
    /// With `invert`, dark ink on white paper becomes bright ink on black.
    ///
    /// # Errors
    /// As [`read_picture`].
    pub fn read_picture(&self, path: impl AsRef<Path>, invert: bool) -> Result<Vec<u8>> {
        read_picture(path.as_ref(), &self.shape, &self.rendering, invert)
    }

    /// Pictures in the size and colours of the model's images, each with a result of its own.
    ///
    /// # Errors
    /// As [`read_pictures`].
    pub fn read_pictures(
        &self,
        sources: &[impl Borrow<PictureSource> + Sync],
        options: &PictureOptions,
    ) -> Result<Vec<Result<PictureRead>>> {
        read_pictures(sources, &self.shape, &self.rendering, options)
    }

    /// What is usual in the images that it was trained on, estimated where the model doesn't have it.
    pub fn usual_tones(&self) -> Option<Tones> {
        self.tones.or_else(|| Tones::estimated(&self.normaliser))
    }

    /// Writes the model to a file, whole or not at all. Equal models make equal files.
    ///
    /// # Errors
    /// [`Error::Failure`] when the file can't be written, or for a model that
    /// [`Model::load`] would refuse, such as one with weights that are not finite.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        self.check().map_err(|problem| {
            Error::Failure(format!("{} was not written, because the model {problem}", shown(path)))
        })?;
        write_with(path, &mut |file| self.write(file).map(drop))
    }

    /// Writes the model into a folder, under the name [`FILE`]. Returns the checksum of the file.
    ///
    /// # Errors
    /// As [`Model::save`].
    pub(super) fn save_in(&self, folder: &HeldFolder) -> Result<String> {
        let (mut sum, path) = (String::new(), folder.path().join(FILE));
        self.check().map_err(|problem| {
            Error::Failure(format!("{} was not written, because the model {problem}", shown(&path)))
        })?;
        let mut fill = |file: &mut dyn Write| {
            sum = self.write(file)?;
            Ok(())
        };
        folder.write(FILE, &mut fill).map_err(|error| unwritten(&path, &error))?;
        Ok(sum)
    }

    /// Checks the model. An error is the end of a sentence.
    fn check(&self) -> Result<(), String> {
        check_description(&self.network, self.loss, &self.shape, &self.classes, &self.normaliser)?;
        let text = self.network.to_string();
        if text.len() > MAX_NETWORK_TEXT || text.parse::<Network>().ok().as_ref() != Some(&self.network) {
            return Err("has a network that can't be written as text".to_owned());
        }
        let arena = self.arena();
        if self.parameters.len() != arena.len() {
            let (got, expected) = (self.parameters.len(), arena.len());
            return Err(format!("has {got} words of parameters where its network has {expected}"));
        }
        for param in &arena.params {
            check_finite(&param.name, &self.parameters[param.start..][..param.len()])?;
        }
        Ok(())
    }

    /// Returns the checksum of what it wrote.
    fn write(&self, file: &mut dyn Write) -> io::Result<String> {
        let arena = self.arena();
        let Shape { channels, height, width, .. } = self.shape;
        let mut metadata = json!({
            "format": FORMAT,
            "format_version": FORMAT_VERSION.to_string(),
            "network": self.network.to_string(),
            "loss": self.loss.to_string(),
            "data": self.data,
            "shape": text(&[channels, height, width]),
            "classes": text(&self.classes),
            "mean": text(&self.normaliser.mean),
            "std": text(&self.normaliser.std),
        });
        if let Some(Tones { brightness, contrast }) = self.tones {
            metadata["brightness"] = text(&brightness).into();
            metadata["contrast"] = text(&contrast).into();
        }
        pixels::write(&self.rendering, &self.shape, &mut metadata);
        let entry = |param: &'_ Param| Slice::Real(&self.parameters[param.start..][..param.len()]);
        let entries: Vec<Entry> = arena
            .params
            .iter()
            .map(|param| Entry { name: &param.name, shape: &param.shape, values: entry(param) })
            .collect();
        tensors::write(metadata, &entries, file)
    }
}

/// The keys of the metadata, in the order in which they are written.
fn order() -> Vec<&'static str> {
    let first = ["format", "format_version", "network", "loss", "data", "shape", "classes", "mean", "std"];
    let tones = ["brightness", "contrast"];
    first.into_iter().chain(tones).chain(pixels::KEYS).chain([seal::KEY]).collect()
}

/// A list as JSON. Numbers are as short as they can be read back the same.
fn text<T: Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("numbers and strings are JSON")
}

/// The parameters of a network on images of this shape.
fn arena(network: &Network, shape: &Shape) -> Result<Arena> {
    network.arena(shape)
}

/// Checks all of a model but its parameters. An error is the end of a sentence.
fn check_description(
    network: &Network,
    loss: Loss,
    shape: &Shape,
    classes: &[String],
    normaliser: &Normaliser,
) -> Result<(), String> {
    let sentence = |error: Error| format!("is not one that can be used ({})", error.marked());
    check_shape(shape, "its metadata").map_err(sentence)?;
    let shapes = network.shapes(shape).map_err(sentence)?;
    let outputs = shapes.last().map_or(0, Shape::len);
    loss.check(outputs, classes.len()).map_err(sentence)?;
    let Normaliser { mean, std } = normaliser;
    if mean.len() != shape.channels || std.len() != shape.channels {
        return Err(format!(
            "has {} means and {} stds for {} channels",
            mean.len(),
            std.len(),
            shape.channels
        ));
    }
    if !mean.iter().all(|mean| mean.is_finite()) || !std.iter().all(|std| std.is_finite() && *std > 0.0) {
        return Err("has a mean that is not finite or a std that is not above 0".to_owned());
    }
    Ok(())
}

/// Checks that all values are finite. An error is the end of a sentence.
fn check_finite(name: &str, values: &[f32]) -> Result<(), String> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(format!("has the value {} at index {at} of “{name}”", values[at])),
        None => Ok(()),
    }
}
