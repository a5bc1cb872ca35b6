//! Safetensors files: named tensors, and strings about them. [`crate::train::run::model`] and
//! [`crate::train::run::checkpoint`] are such files.
//!
//! [`real`] reads the values of other programs' files. Everything in a file is checked before it is used, and memory is taken only for bytes that the file really has.

mod fault;
mod real;

pub(crate) use fault::Fault;
pub(crate) use real::is_real;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::data::files::open_regular;
use crate::kernel::Slice;
use crate::text::shorten;
use crate::train::run::seal::{self, Seal, Sum};

/// The longest header that the safetensors format allows, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// Advice about a file, as the ends of sentences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advice {
    /// About a file that is damaged.
    pub damaged: &'static str,
    /// About a file that wgrad did not write.
    pub foreign: &'static str,
}

/// A tensor on its way into a file.
pub(crate) struct Entry<'a> {
    pub name: &'a str,
    pub shape: &'a [usize],
    pub values: Slice<'a, f32>,
}

impl Entry<'_> {
    fn dtype(&self) -> &'static str {
        if matches!(self.values, Slice::Real(_)) { "F32" } else { "U32" }
    }

    fn words(&self) -> &[u32] {
        match self.values {
            Slice::Real(values) => bytemuck::cast_slice(values),
            Slice::Uint(values) => values,
        }
    }

    /// Hands over its bytes, piece by piece.
    fn each(&self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if cfg!(target_endian = "little") {
            return take(bytemuck::cast_slice(self.words()));
        }
        for words in self.words().chunks(1 << 16) {
            let bytes: Vec<u8> = words.iter().copied().flat_map(u32::to_le_bytes).collect();
            take(&bytes)?;
        }
        Ok(())
    }
}

/// Writes a file of tensors, in the order given, with its checksum in the metadata. Returns the checksum.
///
/// The header is written here because the safetensors crate would put the metadata in a random order: equal contents
/// should make equal files. The tensors are not copied.
///
/// # Errors
/// As `file`.
pub(crate) fn write(mut metadata: Value, tensors: &[Entry], file: &mut dyn Write) -> io::Result<String> {
    metadata[seal::KEY] = seal::BLANK.into();
    let mut header = header(metadata, tensors);
    let mut sum = Sum::of(&[], &header);
    for tensor in tensors {
        tensor.each(&mut |bytes| {
            sum.add(bytes);
            Ok(())
        })?;
    }
    let sum = sum.finish();
    seal::put(&mut header, &sum);
    file.write_all(&header)?;
    tensors.iter().try_for_each(|tensor| tensor.each(&mut |bytes| file.write_all(bytes)))?;
    Ok(sum)
}

/// The header behind its length.
fn header(metadata: Value, tensors: &[Entry]) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), metadata);
    let mut start = 0;
    for entry in tensors {
        let end = start + 4 * entry.words().len();
        let tensor = json!({ "dtype": entry.dtype(), "shape": entry.shape, "data_offsets": [start, end] });
        header.insert(entry.name.to_owned(), tensor);
        start = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // The data begin on a multiple of 8 bytes, so that they can be mapped into memory.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes
}

/// The keys of the metadata, in their order in the header.
fn keys(header: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Header {
        __metadata__: Map<String, Value>,
    }
    let found = serde_json::from_slice::<Header>(header);
    found.map_or_else(|_| Vec::new(), |header| header.__metadata__.into_iter().map(|(key, _)| key).collect())
}

/// Whether a tensor is one of the counters that PyTorch's batch normalisation keeps and nothing needs.
pub(crate) fn is_counter(name: &str) -> bool {
    name.rsplit('.').next() == Some("num_batches_tracked")
}

/// A file whose header has been read and checked. Errors are ends of sentences.
#[derive(Debug)]
pub(crate) struct Tensors {
    file: File,
    header: Metadata,
    /// The offset of the tensors in the file.
    start: u64,
    /// The checksum of what is before them.
    sum: Option<Sum>,
    /// The keys of the metadata in their order, if there is a checksum.
    keys: Vec<String>,
    pub advice: Advice,
}

/// The format that a file's metadata name, empty if they name none. A file that can't be read has no format.
pub(crate) fn format_of(path: &Path) -> Option<String> {
    let file = Tensors::open(path, Advice { damaged: "", foreign: "" }).ok()?;
    Some(file.text("format").unwrap_or_default().to_owned())
}

impl Tensors {
    /// Opens a file, and checks its header against its length. The crate checks that tensors neither overlap nor leave gaps,
    /// and have the length of their shape.
    pub fn open(path: &Path, advice: Advice) -> Result<Tensors, Fault> {
        let file = open_regular(path).map_err(|error| Fault::unreadable(&error, advice.damaged))?;
        Tensors::of_file(file, advice)
    }

    /// As [`Tensors::open`], of an open file.
    pub fn of_file(mut file: File, advice: Advice) -> Result<Tensors, Fault> {
        let no = |why: String| {
            Fault::from(format!("is not a safetensors file or is damaged ({why}), {}", advice.foreign))
        };
        let unreadable = |error: io::Error| Fault::unreadable(&error, advice.damaged);
        let length = file.metadata().map_err(unreadable)?.len();
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
            let damaged = advice.damaged;
            return Err(
                format!("is damaged: its tensors take {expected} bytes, it has {got}, {damaged}").into()
            );
        }
        let sum = Some(Sum::of(&size.to_le_bytes(), &text));
        let keys = if sum.as_ref().is_some_and(Sum::is_expected) { keys(&text) } else { Vec::new() };
        Ok(Tensors { file, header, start: 8 + size, sum, keys, advice })
    }

    /// Compares the whole file with the checksum in its metadata, if it has one: earlier versions wrote none.
    ///
    /// Another program that writes the file anew may keep the metadata, but not the order of the keys, which is by chance
    /// in the safetensors crate. The checksum isn't that file's, and is left alone. `order` is ours; empty for files
    /// that nothing else writes.
    pub fn check_sum(&mut self, order: &[&str]) -> Result<(), Fault> {
        let damaged = self.advice.damaged;
        let Some(mut sum) = self.sum.take().filter(Sum::is_expected) else { return Ok(()) };
        let places = self.keys.iter().filter_map(|key| order.iter().position(|known| known == key));
        if !places.is_sorted() {
            return Ok(());
        }
        let unreadable = |error: io::Error| Fault::unreadable(&error, damaged);
        self.file.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        let mut piece = vec![0; 1 << 20];
        loop {
            match self.file.read(&mut piece).map_err(unreadable)? {
                0 => break,
                length => sum.add(&piece[..length]),
            }
        }
        match sum.compare() {
            Seal::Broken => Err(format!(
                "is damaged: its checksum doesn't match (if another program changed the file on purpose, remove “{}” from \
                 its metadata), {damaged}",
                seal::KEY
            )
            .into()),
            Seal::Whole | Seal::None => Ok(()),
        }
    }

    /// The names of all tensors, in the order of their data.
    pub fn names(&self) -> Vec<String> {
        self.header.offset_keys()
    }

    /// Type, shape and offset of a tensor.
    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.header.info(name)
    }

    /// Reads a tensor of `words.len()` four-byte elements.
    pub fn read(&mut self, name: &str, words: &mut [u32]) -> Result<(), Fault> {
        let damaged = self.advice.damaged;
        let unreadable = |error: io::Error| Fault::unreadable(&error, damaged);
        let info = self
            .header
            .info(name)
            .ok_or_else(|| format!("has no tensor “{name}”, {damaged}", name = shorten(name)))?;
        let (start, end) = info.data_offsets;
        if end - start != 4 * words.len() || !matches!(info.dtype, Dtype::F32 | Dtype::U32) {
            return Err(format!("has a tensor “{}” of another length, {damaged}", shorten(name)).into());
        }
        self.file.seek(SeekFrom::Start(self.start + start as u64)).map_err(unreadable)?;
        self.file.read_exact(bytemuck::cast_slice_mut(words)).map_err(unreadable)?;
        // The file is little-endian; this does nothing where the machine is as well.
        words.iter_mut().for_each(|word| *word = u32::from_le(*word));
        Ok(())
    }

    fn strings(&self) -> Option<&HashMap<String, String>> {
        self.header.metadata().as_ref()
    }

    /// Whether the metadata have a key.
    pub fn has(&self, key: &str) -> bool {
        self.strings().is_some_and(|strings| strings.contains_key(key))
    }

    /// A string of the metadata.
    pub fn text(&self, key: &str) -> Result<&str, String> {
        let found = self.strings().and_then(|strings| strings.get(key));
        let damaged = self.advice.damaged;
        found.map(String::as_str).ok_or_else(|| format!("has no “{key}” in its metadata, {damaged}"))
    }

    /// A parsed string of the metadata. `expected` says in messages what it should be.
    pub fn parse<T: std::str::FromStr>(&self, key: &str, expected: &str) -> Result<T, String> {
        let text = self.text(key)?;
        let damaged = self.advice.damaged;
        let got = || format!("has “{}” as {key} in its metadata, not {expected}, {damaged}", shorten(text));
        text.parse().map_err(|_| got())
    }

    /// A string of the metadata that is JSON.
    pub fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, String> {
        serde_json::from_str(self.text(key)?).map_err(|error| {
            let (error, damaged) = (shorten(&error.to_string()), self.advice.damaged);
            format!("has a {key} in its metadata that can't be read ({error}), {damaged}")
        })
    }

    /// Checks the file's format, and that its version is known.
    pub fn check_format(&self, format: &str, newest: u32) -> Result<(), String> {
        let foreign = self.advice.foreign;
        let not_ours =
            |why: String| format!("is a safetensors file, but not one that wgrad wrote: {why}, {foreign}");
        match self.strings().and_then(|strings| strings.get("format")) {
            Some(found) if found == format => {}
            Some(found) => {
                return Err(not_ours(format!("its format is “{}”, not “{format}”", shorten(found))));
            }
            None => return Err(not_ours("its metadata have no “format”".to_owned())),
        }
        let version: u32 = self.parse("format_version", "a whole number")?;
        if version > newest {
            return Err(format!(
                "was written by a newer wgrad (format {version}, and this one reads up to {newest}), \
                 so install that one"
            ));
        }
        Ok(())
    }
}
