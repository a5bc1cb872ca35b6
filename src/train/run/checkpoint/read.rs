//! Reading a checkpoint. Everything in the file is checked before it is used.

use std::path::Path;
use std::time::Duration;

use safetensors::Dtype;
use serde::de::DeserializeOwned;

use super::file::{ADVICE, BEST_WEIGHTS, Best, Checkpoint, FORMAT, FORMAT_VERSION, RunState};
use crate::engine::Data;
use crate::error::{Error, Result};
use crate::text::{shorten, shown};
use crate::train::recipe::{self, MAX_EPOCHS};
use crate::train::run::events::Epoch;
use crate::train::run::tensors::{Fault, Tensors};
use crate::train::trainer::{NamedTensor, Position, Snapshot};

impl Checkpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::Data`] for a file that is missing, damaged, of another format, or holds numbers that
    /// are not finite.
    pub fn load(path: &Path) -> Result<Checkpoint> {
        read(path).map_err(|problem| Error::Data(format!("{} {problem}", shown(path))))
    }
}

/// The checkpoint in a file.
pub(super) fn read(path: &Path) -> Result<Checkpoint, Fault> {
    let mut file = Tensors::open(path, ADVICE)?;
    file.check_sum(&[])?;
    file.check_format(FORMAT, FORMAT_VERSION)?;
    if file.parse::<u32>("format_version", "a whole number")? < FORMAT_VERSION {
        let problem = "was written by an older wgrad, so resume it with that one or train again";
        return Err(problem.to_owned().into());
    }
    let position: Position = file.json("place")?;
    let state: RunState = file.json("standing")?;
    check(&position, &state)
        .map_err(|what| format!("has a place in its metadata with {what}, {}", ADVICE.damaged))?;
    let (seed, recipe) = (file.parse("seed", "a whole number")?, file.text("recipe")?.to_owned());
    let (network, digest) = (file.text("network")?.to_owned(), file.text("digest")?.to_owned());
    recipe::parse_toml(&recipe, Path::new("it")).map_err(|error| {
        format!("has a recipe that can't be used ({}), {}", error.marked(), ADVICE.damaged)
    })?;
    let record = optional(&file, "record")?;
    let metrics = optional(&file, "metrics")?;
    let epoch: Option<Epoch> = optional(&file, "best")?;
    let mut tensors: Vec<NamedTensor> =
        file.names().iter().map(|name| tensor(&mut file, name)).collect::<Result<_, _>>()?;
    let best = match epoch {
        Some(epoch) => Some(Best { epoch, parameters: best_weights(&mut tensors)? }),
        None => None,
    };
    let snapshot = Snapshot { position, tensors };
    match snapshot.non_finite() {
        Some(problem) => Err(format!("is damaged: {}, {}", shorten(&problem), ADVICE.damaged).into()),
        None => Ok(Checkpoint { snapshot, state, recipe, network, seed, digest, record, metrics, best }),
    }
}

/// A part of the metadata that earlier versions lack.
fn optional<T: DeserializeOwned>(file: &Tensors, key: &str) -> Result<Option<T>, String> {
    if file.has(key) { file.json(key).map(Some) } else { Ok(None) }
}

/// Takes the best weights out of the tensors.
fn best_weights(tensors: &mut Vec<NamedTensor>) -> Result<Vec<f32>, String> {
    let damaged = ADVICE.damaged;
    let at = tensors.iter().position(|tensor| tensor.name == BEST_WEIGHTS);
    let at = at.ok_or_else(|| format!("has no tensor “{BEST_WEIGHTS}”, {damaged}"))?;
    match tensors.remove(at).data {
        Data::Real(values) if values.iter().all(|value| value.is_finite()) => Ok(values),
        _ => Err(format!("has best weights that are not finite numbers, {damaged}")),
    }
}

/// Checks that the numbers are those of a run.
fn check(position: &Position, state: &RunState) -> Result<(), String> {
    // No epoch has more samples or steps, as shaders number samples by u32.
    const MOST: usize = u32::MAX as usize;
    let Position { epoch, step, steps, so_far, factor, plateau } = *position;
    let counts = so_far.samples <= MOST && so_far.correct.is_finite() && so_far.correct >= 0.0;
    if !(1..=MAX_EPOCHS + 1).contains(&epoch) || step > steps || steps > epoch.saturating_mul(MOST) {
        return Err(format!("epoch {epoch} and {step} of {steps} steps"));
    }
    if !counts || !so_far.loss.is_finite() || (step == 0) != (so_far.samples == 0) {
        return Err("sums that belong to no epoch".to_owned());
    }
    let sound = factor > 0.0 && factor <= 1.0 && Duration::try_from_secs_f64(state.seconds).is_ok();
    if !sound {
        return Err(format!("a learning-rate factor of {factor} after {} seconds", state.seconds));
    }
    if !(plateau.factor >= 0.0 && plateau.factor <= 1.0) {
        return Err(format!("a plateau factor of {}", plateau.factor));
    }
    let waited = plateau.waited.max(state.stopping.waited);
    if waited > MAX_EPOCHS {
        return Err(format!("{waited} epochs without a better one"));
    }
    Ok(())
}

fn tensor(file: &mut Tensors, name: &str) -> Result<NamedTensor, Fault> {
    let info = file.info(name).ok_or_else(|| format!("has no tensor “{}”", shorten(name)))?;
    let (shape, dtype) = (info.shape.clone(), info.dtype);
    let bytes = info.data_offsets.1 - info.data_offsets.0;
    if !matches!(dtype, Dtype::F32 | Dtype::U32) {
        let name = shorten(name);
        return Err(format!("has the tensor “{name}” as {dtype}, not F32 or U32, {}", ADVICE.damaged).into());
    }
    // The file really has as many bytes, but it may be larger than the memory.
    let mut words: Vec<u32> = Vec::new();
    words.try_reserve_exact(bytes / 4).map_err(|_| Fault::too_large(bytes))?;
    words.resize(bytes / 4, 0);
    file.read(name, &mut words)?;
    let data = match dtype {
        Dtype::F32 => Data::Real(words.into_iter().map(f32::from_bits).collect()),
        _ => Data::Uint(words),
    };
    // Earlier versions called the EMA of the weights their averages.
    let name = if name == "averages" { "ema" } else { name };
    Ok(NamedTensor { name: name.to_owned(), shape, data })
}
