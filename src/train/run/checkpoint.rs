//! Checkpoints: files from which a run goes on bit by bit.
//!
//! They are safetensors files in `RUN/checkpoints/`. The tensors are the parameters by their names
//! and every other buffer that training changes; the metadata hold, as strings, `format`,
//! `format_version`, `seed`, `digest` (of the data), `network`, `recipe` (TOML) and, as JSON,
//! `place` (a [`Position`]: epoch, step and the sums of the epoch's losses) and `standing` (a [`RunState`]: time, rollbacks
//! and early stopping).
//!
//! `step-N.safetensors` was saved after N steps; the newest is where `--resume` goes on.
//! `best.safetensors` is the run at its smallest validation loss.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::data::files::write_atomically;
use crate::engine::Data;
use crate::error::{Error, Result};
use crate::train::recipe::{MAX_EPOCHS, Recipe};
use crate::train::run::tensors::{self, Advice, Entry, Tensors, shorten};
use crate::train::stopping::StoppingState;
use crate::train::trainer::{NamedTensor, Position, Snapshot};

/// The folder of a run's checkpoints.
pub const FOLDER: &str = "checkpoints";
/// The checkpoint of the smallest validation loss.
pub const BEST: &str = "best.safetensors";
/// The value of `format` in the metadata.
pub const FORMAT: &str = "wgrad checkpoint";
/// The `format_version` that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

const ADVICE: Advice = Advice {
    damaged: "so resume from another file in its folder or train again",
    foreign: "so name a run directory or a checkpoint in it",
};

/// The state of a run besides its [`Position`]. A new field needs a default, for files that lack it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunState {
    /// Seconds of training up to here.
    pub seconds: f64,
    /// How often the run was rolled back after a non-finite value.
    pub rollbacks: u32,
    /// The smallest validation loss of an epoch.
    pub best: Option<f64>,
    /// The state of early stopping.
    pub stopping: StoppingState,
}

/// A run at one moment, with all that it depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The position, and every tensor that training changes.
    pub snapshot: Snapshot,
    /// The state of early stopping, rollbacks and time.
    pub state: RunState,
    /// The recipe as TOML.
    pub recipe: String,
    /// The network's text form.
    pub network: String,
    /// The seed of the recipe.
    pub seed: u64,
    /// The digest of the data set.
    pub digest: String,
}

impl Checkpoint {
    /// The checkpoint of a run with this recipe and data digest.
    pub fn new(snapshot: Snapshot, state: RunState, recipe: &Recipe, digest: &str) -> Checkpoint {
        Checkpoint {
            snapshot,
            state,
            recipe: recipe.to_toml(),
            network: recipe.network.to_string(),
            seed: recipe.seed,
            digest: digest.to_owned(),
        }
    }

    /// Writes the checkpoint to a file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Failure`] when the file can't be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, &self.to_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let metadata = json!({
            "format": FORMAT,
            "format_version": FORMAT_VERSION.to_string(),
            "seed": self.seed.to_string(),
            "digest": self.digest,
            "network": self.network,
            "recipe": self.recipe,
            "place": json(&self.snapshot.position),
            "standing": json(&self.state),
        });
        let tensors = &self.snapshot.tensors;
        let words = |tensor: &'_ NamedTensor| -> Vec<u32> {
            (0..tensor.data.len()).map(|at| tensor.data.bits(at)).collect()
        };
        let words: Vec<Vec<u32>> = tensors.iter().map(words).collect();
        let mut words: Vec<_> = words.iter().map(|words| words.iter().copied()).collect();
        let mut entries: Vec<Entry> = tensors
            .iter()
            .zip(&mut words)
            .map(|(tensor, words)| {
                let dtype = if matches!(tensor.data, Data::Real(_)) { "F32" } else { "U32" };
                Entry { name: &tensor.name, dtype, shape: &tensor.shape, words }
            })
            .collect();
        tensors::to_bytes(metadata, &mut entries)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::Data`] for a file that is missing, damaged, of another format, or holds numbers that
    /// are not finite.
    pub fn load(path: &Path) -> Result<Checkpoint> {
        read(path).map_err(|problem| Error::Data(format!("{} {problem}", path.display())))
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("it has only strings as keys")
}

/// The checkpoint in a file. An error is the end of a sentence.
fn read(path: &Path) -> Result<Checkpoint, String> {
    let mut file = Tensors::open(path, ADVICE)?;
    file.check_format(FORMAT, FORMAT_VERSION)?;
    if file.parse::<u32>("format_version", "a whole number")? < FORMAT_VERSION {
        return Err("was written by an older wgrad, so resume it with that one or train again".to_owned());
    }
    let position: Position = file.json("place")?;
    let state: RunState = file.json("standing")?;
    check(&position, &state)
        .map_err(|what| format!("has a place in its metadata with {what}, {}", ADVICE.damaged))?;
    let (seed, recipe) = (file.parse("seed", "a whole number")?, file.text("recipe")?.to_owned());
    let (network, digest) = (file.text("network")?.to_owned(), file.text("digest")?.to_owned());
    let tensors = file.names().iter().map(|name| tensor(&mut file, name)).collect::<Result<_, _>>()?;
    let snapshot = Snapshot { position, tensors };
    match snapshot.non_finite() {
        Some(problem) => Err(format!("is damaged: {}, {}", shorten(&problem), ADVICE.damaged)),
        None => Ok(Checkpoint { snapshot, state, recipe, network, seed, digest }),
    }
}

/// Checks that the numbers are those of a run.
fn check(position: &Position, state: &RunState) -> Result<(), String> {
    let Position { epoch, step, steps, so_far, factor, plateau } = *position;
    let sums = so_far.loss.is_finite() && so_far.correct.is_finite() && so_far.correct >= 0.0;
    if !(1..=MAX_EPOCHS + 1).contains(&epoch) || step > steps {
        return Err(format!("epoch {epoch} and {step} of {steps} steps"));
    }
    if !sums || (step == 0) != (so_far.samples == 0) {
        return Err("sums that belong to no epoch".to_owned());
    }
    let sound = factor > 0.0 && factor <= 1.0 && state.seconds >= 0.0 && state.seconds.is_finite();
    if !sound {
        return Err(format!("a learning-rate factor of {factor} after {} seconds", state.seconds));
    }
    if !(plateau.factor >= 0.0 && plateau.factor <= 1.0) {
        return Err(format!("a plateau factor of {}", plateau.factor));
    }
    Ok(())
}

fn tensor(file: &mut Tensors, name: &str) -> Result<NamedTensor, String> {
    let info = file.info(name).ok_or_else(|| format!("has no tensor “{}”", shorten(name)))?;
    let (shape, dtype) = (info.shape.clone(), info.dtype);
    let bytes = info.data_offsets.1 - info.data_offsets.0;
    if !matches!(dtype, Dtype::F32 | Dtype::U32) {
        let name = shorten(name);
        return Err(format!("has the tensor “{name}” as {dtype}, not F32 or U32, {}", ADVICE.damaged));
    }
    // The file really has as many bytes, but it may be larger than the memory.
    let mut words: Vec<u32> = Vec::new();
    let too_large = |_| format!("needs {bytes} bytes of memory, more than there are");
    words.try_reserve_exact(bytes / 4).map_err(too_large)?;
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

/// The file of a run's checkpoint after `steps` steps.
pub fn path(run: &Path, steps: usize) -> PathBuf {
    run.join(FOLDER).join(format!("step-{steps:09}.safetensors"))
}

/// The checkpoints of a run by their steps, the newest first. [`BEST`] is not among them.
///
/// # Errors
/// [`Error::Data`] when the folder can't be read. A missing folder has no checkpoints.
pub fn list(run: &Path) -> Result<Vec<(usize, PathBuf)>> {
    let folder = run.join(FOLDER);
    let problem = |error: std::io::Error| {
        Error::Data(format!("{} can't be read ({error}), so check its permissions", folder.display()))
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(problem)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(problem)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let steps = name.strip_prefix("step-").and_then(|rest| rest.strip_suffix(".safetensors"));
        found.extend(steps.and_then(|steps| steps.parse().ok()).map(|steps| (steps, path.clone())));
    }
    found.sort_by(|one: &(usize, PathBuf), two| two.cmp(one));
    Ok(found)
}

/// The newest readable checkpoint, and the problems of newer ones. A checkpoint itself may be named as well.
///
/// # Errors
/// [`Error::Data`] when there is none.
pub fn newest(run: &Path) -> Result<(Checkpoint, Vec<Error>)> {
    if run.is_file() {
        return Ok((Checkpoint::load(run)?, Vec::new()));
    }
    let mut problems = Vec::new();
    for (_, path) in list(run)? {
        match Checkpoint::load(&path) {
            Ok(checkpoint) => return Ok((checkpoint, problems)),
            Err(problem) => problems.push(problem),
        }
    }
    Err(problems.into_iter().next().unwrap_or_else(|| {
        Error::NotFound(format!(
            "{} has no checkpoint to resume from, so name the directory of another run or train again",
            run.display()
        ))
    }))
}

/// Removes the checkpoints after `steps` steps, where the run goes on.
///
/// They were given up or are damaged, and would seem newer than those that are saved from here on.
///
/// # Errors
/// [`Error::Failure`] naming one that can't be removed.
pub fn forget_after(run: &Path, steps: usize) -> Result<()> {
    for (_, path) in list(run)?.into_iter().filter(|(later, _)| *later > steps) {
        fs::remove_file(&path).map_err(|error| {
            Error::Failure(format!("{} can't be removed ({error}), so check its folder", path.display()))
        })?;
    }
    Ok(())
}

/// Removes all but the newest `keep` checkpoints. A file that can't be removed stays, and does no harm.
pub fn tidy(run: &Path, keep: usize) {
    for (_, path) in list(run).unwrap_or_default().into_iter().skip(keep.max(1)) {
        let _ = fs::remove_file(path);
    }
}
