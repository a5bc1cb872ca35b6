//! Reading a model: nothing in the file is believed before it is checked, and memory is taken only
//! for what the file really holds.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::de::DeserializeOwned;

use super::{FILE, FORMAT, FORMAT_VERSION, MAX_NETWORK_TEXT, Model};
use crate::data::{ImageShape, Normaliser};
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::params::Arena;

/// The longest header that the safetensors format allows, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// What to do about a file that was a model once.
const DAMAGED: &str = "so take another copy of it or train again";
/// What to do about a file that never was one.
const FOREIGN: &str = "so name a run directory or a model.safetensors that wgrad wrote";

/// See [`Model::load`].
pub(super) fn load(path: &Path) -> Result<Model> {
    let path = &file_of(path)?;
    read(path).map_err(|problem| Error::Data(format!("{} {problem}", path.display())))
}

/// The file itself, or the one in a run directory.
fn file_of(path: &Path) -> Result<PathBuf> {
    let shown = path.display();
    let problem = match fs::metadata(path) {
        Ok(found) if found.is_file() => return Ok(path.to_owned()),
        Ok(found) if found.is_dir() => {
            let file = path.join(FILE);
            match fs::metadata(&file) {
                Ok(found) if found.is_file() => return Ok(file),
                _ => format!(
                    "{shown} has no {FILE}, as when a run hasn't finished, \
                     so train again or name the directory of another run"
                ),
            }
        }
        Ok(_) => format!("{shown} is neither a file nor a directory, {FOREIGN}"),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            format!("{shown} doesn't exist, {FOREIGN}")
        }
        Err(error) => format!("{shown} can't be read ({error}), so check the path and its permissions"),
    };
    Err(Error::Data(problem))
}

/// The model in a file, or what is wrong with it as the end of a sentence.
fn read(path: &Path) -> Result<Model, String> {
    let unreadable = |error: io::Error| format!("can't be read ({error}), {DAMAGED}");
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let header = read_header(&mut file, length)?;
    let mut model = describe(&header)?;
    let arena = super::arena(&model.network, &model.shape).map_err(|error| unusable(&error))?;
    check_tensors(&header, &arena)?;

    // As many bytes as the file has, by now; but the file may be larger than the memory.
    let too_large = |_| format!("needs {} bytes of memory, more than there are", 4 * arena.len());
    model.parameters.try_reserve_exact(arena.len()).map_err(too_large)?;
    model.parameters.resize(arena.len(), 0.0);
    let start = length - header.data_len() as u64;
    for param in &arena.params {
        let info = header.info(&param.name).expect("check_tensors found it");
        let values = &mut model.parameters[param.start..][..param.len()];
        file.seek(SeekFrom::Start(start + info.data_offsets.0 as u64)).map_err(unreadable)?;
        file.read_exact(bytemuck::cast_slice_mut(values)).map_err(unreadable)?;
        // The file is little-endian; this does nothing where the machine is as well.
        values.iter_mut().for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
        super::check_finite(&param.name, values).map_err(|problem| format!("{problem}, {DAMAGED}"))?;
    }
    Ok(model)
}

/// The header of a safetensors file, which the crate checks: tensors neither overlap nor leave gaps,
/// and have the length that their shape says. Here it is checked against the file's length.
fn read_header(file: &mut File, length: u64) -> Result<Metadata, String> {
    let no = |why: String| format!("is not a safetensors file or is damaged ({why}), {FOREIGN}");
    let unreadable = |error: io::Error| format!("can't be read ({error}), {DAMAGED}");
    let Some(rest) = length.checked_sub(8) else {
        return Err(no(format!("it has {length} bytes, not even the 8 that give the header's length")));
    };
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(unreadable)?;
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER {
        return Err(no(format!("its header would have {size} bytes, and {MAX_HEADER} are allowed")));
    }
    if size > rest {
        return Err(no(format!("its header would have {size} bytes, and the file has {length}")));
    }
    let mut text = vec![0; size as usize];
    file.read_exact(&mut text).map_err(unreadable)?;
    if text.first() != Some(&b'{') {
        return Err(no("its header doesn't begin with “{”".to_owned()));
    }
    let header: Metadata =
        serde_json::from_slice(&text).map_err(|error| no(shorten(&format!("its header: {error}"))))?;
    let (expected, got) = (header.data_len() as u64, rest - size);
    if expected != got {
        return Err(format!("is damaged: its tensors take {expected} bytes, it has {got}, {DAMAGED}"));
    }
    Ok(header)
}

/// All of the model but its parameters, from the metadata.
fn describe(header: &Metadata) -> Result<Model, String> {
    let metadata = Strings(header.metadata().as_ref());
    let not_ours =
        |why: String| format!("is a safetensors file, but not one that wgrad wrote: {why}, {FOREIGN}");
    match metadata.0.and_then(|strings| strings.get("format")) {
        Some(format) if format == FORMAT => {}
        Some(format) => {
            return Err(not_ours(format!("its format is “{}”, not “{FORMAT}”", shorten(format))));
        }
        None => return Err(not_ours("its metadata have no “format”".to_owned())),
    }
    let version: u32 = metadata.parse("format_version", "a whole number")?;
    if version > FORMAT_VERSION {
        return Err(format!(
            "was written by a newer wgrad (format {version}, and this one reads up to {FORMAT_VERSION}), \
             so install that one"
        ));
    }
    let text = metadata.get("network")?;
    if text.len() > MAX_NETWORK_TEXT {
        let length = text.len();
        return Err(format!(
            "has a network of {length} bytes of text, and {MAX_NETWORK_TEXT} are allowed, {DAMAGED}"
        ));
    }
    let network: Network = text.parse().map_err(|error| unusable(&error))?;
    let loss: Loss = metadata.get("loss")?.parse().map_err(|error| unusable(&error))?;
    let [channels, height, width] = metadata.json("shape")?;
    let shape = ImageShape { channels, height, width };
    let classes: Vec<String> = metadata.json("classes")?;
    let normaliser = Normaliser { mean: metadata.json("mean")?, std: metadata.json("std")? };
    super::check_description(&network, loss, &shape, &classes, &normaliser)
        .map_err(|problem| format!("{}, {DAMAGED}", shorten(&problem)))?;
    let data = metadata.get("data")?.to_owned();
    Ok(Model { network, loss, shape, classes, normaliser, parameters: Vec::new(), data })
}

/// Checks that the file has the network's tensors and no others.
fn check_tensors(header: &Metadata, arena: &Arena) -> Result<(), String> {
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
    match header.offset_keys().iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => {
            let name = shorten(name);
            Err(format!("has a tensor “{name}”, for which its network has no use, {DAMAGED}"))
        }
        None => Ok(()),
    }
}

/// The metadata of a safetensors file.
struct Strings<'a>(Option<&'a HashMap<String, String>>);

impl<'a> Strings<'a> {
    fn get(&self, key: &str) -> Result<&'a str, String> {
        let found = self.0.and_then(|strings| strings.get(key));
        found.map(String::as_str).ok_or_else(|| format!("has no “{key}” in its metadata, {DAMAGED}"))
    }

    fn parse<T: std::str::FromStr>(&self, key: &str, expected: &str) -> Result<T, String> {
        let text = self.get(key)?;
        let got = || format!("has “{}” as {key} in its metadata, not {expected}, {DAMAGED}", shorten(text));
        text.parse().map_err(|_| got())
    }

    fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, String> {
        serde_json::from_str(self.get(key)?).map_err(|error| {
            let error = shorten(&error.to_string());
            format!("has a {key} in its metadata that can't be read ({error}), {DAMAGED}")
        })
    }
}

fn unusable(error: &Error) -> String {
    format!("has metadata that can't be used ({}), {DAMAGED}", shorten(&error.to_string()))
}

fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().take(8).map(usize::to_string).collect();
    if sizes.is_empty() { "()".to_owned() } else { sizes.join("×") }
}

/// Text from a file as it may appear in a sentence: of bounded length and without control characters.
fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    let mut shown: String = text.chars().take(MOST).filter(|c| !c.is_control()).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
