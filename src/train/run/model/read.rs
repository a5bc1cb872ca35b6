//! Reading a model. Everything in the file is checked before it is used.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use safetensors::Dtype;

use super::{FILE, FORMAT, FORMAT_VERSION, MAX_NETWORK_TEXT, Model, pixels};
use crate::data::{Normaliser, Tones};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::network::loss::Loss;
use crate::program::params::Arena;
use crate::program::shape::Shape;
use crate::text::{reason, shorten, shown};
use crate::train::run::tensors::{Advice, Tensors, is_counter};

/// Advice about a file that was a model once.
const DAMAGED: &str = "so take another copy of it or train again";
/// Advice about a file that never was a model.
const FOREIGN: &str =
    "so name a run directory or a model.safetensors that wgrad wrote, or import it as a model first";

impl Model {
    /// Reads a model from a file or a run directory.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a file that is missing, [`Error::Data`] for one that is damaged, or not a model of this program, and for
    /// weights that are not finite.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        let path = &file_of(path.as_ref())?;
        read(path).map_err(|problem| Error::Data(format!("{} {problem}", shown(path))))
    }
}

/// The file itself, or the one in a run directory.
fn file_of(path: &Path) -> Result<PathBuf> {
    let shown = shown(path);
    let problem = match fs::metadata(path) {
        Ok(found) if found.is_file() => return Ok(path.to_owned()),
        Ok(found) if found.is_dir() => {
            let file = path.join(FILE);
            match fs::metadata(&file) {
                Ok(found) if found.is_file() => return Ok(file),
                _ => {
                    return Err(Error::NotFound(format!(
                        "{shown} has no {FILE}, as when a run hasn't finished, \
                         so train again or name the directory of another run"
                    )));
                }
            }
        }
        Ok(_) => format!("{shown} is neither a file nor a directory, {FOREIGN}"),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(Error::NotFound(format!("{shown} doesn't exist, {FOREIGN}")));
        }
        Err(error) => format!(
            "{shown} can't be read ({error}), so check the path and its permissions",
            error = reason(&error)
        ),
    };
    Err(Error::Data(problem))
}

/// The model in a file. An error is the end of a sentence.
fn read(path: &Path) -> Result<Model, String> {
    let mut file = Tensors::open(path, Advice { damaged: DAMAGED, foreign: FOREIGN })?;
    file.check_sum(&super::order())?;
    file.check_format(FORMAT, FORMAT_VERSION)?;
    let mut model = describe(&file)?;
    let arena = super::arena(&model.network, &model.shape).map_err(|error| unusable(&error))?;
    check_tensors(&file, &arena)?;

    // The file has as many bytes, but it may be larger than the memory.
    let too_large = |_| format!("needs {} bytes of memory, more than there are", 4 * arena.len());
    model.parameters.try_reserve_exact(arena.len()).map_err(too_large)?;
    model.parameters.resize(arena.len(), 0.0);
    for param in &arena.params {
        let values = &mut model.parameters[param.start..][..param.len()];
        file.read(&param.name, bytemuck::cast_slice_mut(values))?;
        super::check_finite(&param.name, values).map_err(|problem| format!("{problem}, {DAMAGED}"))?;
    }
    Ok(model)
}

/// All of the model but its parameters, from the metadata.
fn describe(metadata: &Tensors) -> Result<Model, String> {
    let text = metadata.text("network")?;
    if text.len() > MAX_NETWORK_TEXT {
        let length = text.len();
        return Err(format!(
            "has a network of {length} bytes of text, and {MAX_NETWORK_TEXT} are allowed, {DAMAGED}"
        ));
    }
    let network: Network = text.parse().map_err(|error| unusable(&error))?;
    let loss: Loss = metadata.text("loss")?.parse().map_err(|error| unusable(&error))?;
    let [channels, height, width] = metadata.json("shape")?;
    let shape = Shape::image(channels, height, width);
    let classes: Vec<String> = metadata.json("classes")?;
    let normaliser = Normaliser { mean: metadata.json("mean")?, std: metadata.json("std")? };
    super::check_description(&network, loss, &shape, &classes, &normaliser)
        .map_err(|problem| format!("{problem}, {DAMAGED}"))?;
    let data = metadata.text("data")?.to_owned();
    let (rendering, tones) = (pixels::read(metadata, &shape)?, tones(metadata)?);
    Ok(Model { network, loss, shape, classes, normaliser, rendering, tones, parameters: Vec::new(), data })
}

/// Brightness and contrast of the images trained on. Models of earlier versions have neither.
fn tones(metadata: &Tensors) -> Result<Option<Tones>, String> {
    if metadata.text("brightness").is_err() {
        return Ok(None);
    }
    let tones = Tones { brightness: metadata.json("brightness")?, contrast: metadata.json("contrast")? };
    let is_range =
        |[least, greatest]: [f32; 2]| least <= greatest && greatest.is_finite() && least.is_finite();
    match is_range(tones.brightness) && is_range(tones.contrast) {
        true => Ok(Some(tones)),
        false => Err(format!("has a brightness or a contrast in its metadata that is no range, {DAMAGED}")),
    }
}

/// Checks that the file has the network's tensors and no others.
fn check_tensors(header: &Tensors, arena: &Arena) -> Result<(), String> {
    for param in &arena.params {
        let name = &param.name;
        let Some(info) = header.info(name) else {
            return Err(format!("has no tensor “{name}”, which its network needs, {DAMAGED}"));
        };
        if info.dtype != Dtype::F32 {
            return Err(format!(
                "has the tensor “{name}” as {}, where F32 is expected, {DAMAGED}",
                info.dtype
            ));
        }
        if info.shape != param.shape {
            let (got, expected) = (sizes(&info.shape), sizes(&param.shape));
            return Err(format!(
                "has the tensor “{name}” of shape {got}, where its network needs {expected}, {DAMAGED}"
            ));
        }
    }
    let known: HashSet<&str> = arena.params.iter().map(|param| param.name.as_str()).collect();
    match header.names().iter().find(|name| !known.contains(name.as_str()) && !is_counter(name)) {
        Some(name) => {
            let name = shorten(name);
            Err(format!("has a tensor “{name}”, for which its network has no use, {DAMAGED}"))
        }
        None => Ok(()),
    }
}

fn unusable(error: &Error) -> String {
    format!("has metadata that can't be used ({}), {DAMAGED}", error.marked())
}

fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().take(8).map(usize::to_string).collect();
    if sizes.is_empty() { "()".to_owned() } else { sizes.join("×") }
}
