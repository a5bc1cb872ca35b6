//! A recipe file: TOML, read with the line of every key at hand, so that an error can name it.

use std::path::Path;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, allowed};
use super::overrides::Overrides;
use crate::data::{Resize, files};
use crate::error::{Error, Result, suggestion};
use crate::train::stopping::Stopping;
use crate::verify::custom::CustomKernelFile;

/// No recipe is longer; a file that is was named by mistake.
const MAX_BYTES: u64 = 4 << 20;

/// Reads a recipe file.
///
/// # Errors
/// [`Error::Usage`] for a file that can't be read, and as [`parse_toml`].
pub fn read(path: &Path) -> Result<Overrides> {
    let problem = |why: String| {
        let shown = path.display();
        Error::Usage(format!("the recipe {shown} can't be read ({why}), so check the path and the file"))
    };
    let text = files::read_text(path, MAX_BYTES).map_err(problem)?;
    parse_toml(&text, path)
}

/// Reads the text of a recipe file; `path` is where it came from, for messages.
///
/// # Errors
/// [`Error::Usage`] naming the file and the line: text that isn't TOML, a key that there isn't
/// (with the nearest that there is), a value of the wrong type, or one that isn't allowed.
pub fn parse_toml(text: &str, path: &Path) -> Result<Overrides> {
    let at = |start: usize, problem: String| {
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        Error::Usage(format!("{}, line {line}: {problem}", path.display()))
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    // The parser finds some mistakes late that others follow from.
    let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    if let Some(error) = errors.iter().min_by_key(|error| start(error)) {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        return Err(at(start(error), format!("this isn't TOML ({message})")));
    }
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // In the order of the file, so that the first problem is reported first.
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut overrides = Overrides::default();
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        overrides.set(name, value.get_ref()).map_err(|problem| at(key.span().start, problem))?;
    }
    Ok(overrides)
}

impl Overrides {
    /// Sets a key from its value in a file.
    fn set(&mut self, key: &str, value: &DeValue) -> Result<(), String> {
        let wrong = |got: String| format!("{key} is {got}, but it takes {}", allowed(key));
        let or_wrong = || wrong(shown(value));
        let text = || value.as_str().map(str::to_owned).ok_or_else(or_wrong);
        let size = || whole(value).ok_or_else(or_wrong);
        // Written by earlier versions.
        let key = if key == "average" { "ema" } else { key };
        match key {
            "data" => self.data = Some(text()?),
            "resize" => self.resize = Some(Resize::parse(&text()?).map_err(told)?),
            "skip_bad" => self.skip_bad = Some(value.as_bool().ok_or_else(or_wrong)?),
            "augment" => self.augment = Some(parsed(text()?)?),
            "network" => self.network = Some(parsed(layers(value).ok_or_else(or_wrong)?)?),
            "epochs" => self.epochs = Some(size()?),
            "batch_size" => self.batch_size = Some(size()?),
            "learning_rate" => self.learning_rate = Some(number(value).ok_or_else(or_wrong)?),
            "optimiser" => self.optimiser = Some(parsed(text()?)?),
            "momentum" => self.momentum = Some(number(value).ok_or_else(or_wrong)?),
            "schedule" => self.schedule = Some(parsed(text()?)?),
            "clip_norm" => self.clip_norm = Some(number(value).ok_or_else(or_wrong)?),
            "clip_value" => self.clip_value = Some(number(value).ok_or_else(or_wrong)?),
            "accumulate" => self.accumulate = Some(size()?),
            "ema" => self.ema = Some(number(value).ok_or_else(or_wrong)?),
            "label_smoothing" => self.label_smoothing = Some(number(value).ok_or_else(or_wrong)?),
            "class_weights" => self.class_weights = Some(parsed(text()?)?),
            "stop_early" => self.stop_early = Some(Stopping::parse(&text()?).map_err(told)?),
            "max_time" => self.max_time = Some(parsed(text()?)?),
            "overfit_batches" => self.overfit_batches = Some(size()?),
            "normalise" => self.normalise = Some(parsed(text()?)?),
            "loss" => self.loss = Some(parsed(text()?)?),
            "seed" => self.seed = Some(whole(value).ok_or_else(or_wrong)?),
            "validation" => self.validation = Some(number(value).ok_or_else(or_wrong)?),
            "device" => self.device = Some(text()?),
            "tuning" => self.tuning = Some(parsed(text()?)?),
            "rewrites" => self.rewrites = Some(parsed(text()?)?),
            "precision" => self.precision = Some(parsed(text()?)?),
            "experimental" => self.experimental = Some(parsed(text()?)?),
            "kernel" => self.kernel = Some(kernels(texts(value).ok_or_else(or_wrong)?)?),
            _ => return Err(unknown(key)),
        }
        self.refused(key).map_or(Ok(()), |value| Err(wrong(value)))
    }
}

/// Text as what it stands for.
fn parsed<T: FromStr<Err = Error>>(text: String) -> Result<T, String> {
    text.parse().map_err(told)
}

fn told(error: Error) -> String {
    error.to_string()
}

/// The text of a network, of which a file may have a list of layers.
fn layers(value: &DeValue) -> Option<String> {
    match value {
        DeValue::Array(layers) => {
            let each: Option<Vec<&str>> = layers.iter().map(|layer| layer.get_ref().as_str()).collect();
            each.map(|layers| layers.join(", "))
        }
        _ => value.as_str().map(str::to_owned),
    }
}

/// The same, when each names a kernel and a file.
fn kernels(texts: Vec<String>) -> Result<Vec<String>, String> {
    texts.iter().try_for_each(|text| CustomKernelFile::parse(text).map(|_| ())).map_err(told)?;
    Ok(texts)
}

fn unknown(key: &str) -> String {
    let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    let near = suggestion(key, &known);
    format!("there is no key “{}”{near}; there are {}", key.escape_debug(), known.join(", "))
}

/// A whole number that is not negative and not too large for its place.
fn whole<T: TryFrom<u64>>(value: &DeValue) -> Option<T> {
    let integer = value.as_integer()?;
    T::try_from(u64::from_str_radix(integer.as_str(), integer.radix()).ok()?).ok()
}

/// A list of strings.
fn texts(value: &DeValue) -> Option<Vec<String>> {
    let entries = value.as_array()?.iter();
    entries.map(|entry| entry.get_ref().as_str().map(str::to_owned)).collect()
}

/// A number with or without a point; `5` will do for `5.0`.
fn number<T: std::str::FromStr>(value: &DeValue) -> Option<T> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        _ => None,
    }
}

/// A value as a message shows it.
fn shown(value: &DeValue) -> String {
    match value {
        DeValue::String(text) => format!("the string “{}”", text.escape_debug()),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => format!("the date or time {moment}"),
        DeValue::Array(_) => "an array".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
