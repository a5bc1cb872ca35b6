//! A checkpoint, and its file.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::events::Epoch;
use super::super::metrics::MetricsSum;
use super::super::record::RunRecord;
use super::super::tensors::{self, Advice, Entry};
use crate::data::files::{unwritten, write_with};
use crate::data::held::HeldFolder;
use crate::error::Result;
use crate::kernel::Slice;
use crate::train::recipe::Recipe;
use crate::train::stopping::StoppingState;
use crate::train::trainer::Snapshot;

/// The folder of a run's checkpoints.
pub const FOLDER: &str = "checkpoints";
/// The checkpoint of the smallest validation loss.
pub const BEST: &str = "best.safetensors";
/// The tensor that holds the weights of a [`Best`].
pub(super) const BEST_WEIGHTS: &str = "best";
/// The value of `format` in the metadata.
pub const FORMAT: &str = "wgrad checkpoint";
/// The `format_version` that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

pub(super) const ADVICE: Advice = Advice {
    damaged: "so take another copy of it",
    foreign: "so name a run directory or a checkpoint in it",
};

/// The state of a run besides its [`Position`](crate::train::trainer::Position). A new field needs a default, for files that lack it.
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
    /// The record of the run at this moment; none in files of earlier versions.
    pub record: Option<RunRecord>,
    /// The metrics that were written before it; none in files of earlier versions.
    pub metrics: Option<MetricsSum>,
    /// The weights that early stopping has found best.
    pub best: Option<Best>,
}

/// The weights of the best epoch of early stopping.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The measures of the epoch.
    pub epoch: Epoch,
    /// The weights, laid out as the network's arena.
    pub parameters: Vec<f32>,
}

impl Checkpoint {
    /// The id of its run, empty where it is not known.
    pub fn run_id(&self) -> &str {
        self.record.as_ref().map_or("", |record| &record.id)
    }

    /// The checkpoint of a run with this recipe and data digest.
    pub fn new(snapshot: Snapshot, state: RunState, recipe: &Recipe, digest: &str) -> Checkpoint {
        Checkpoint {
            snapshot,
            state,
            recipe: recipe.to_toml(),
            network: recipe.network.to_string(),
            seed: recipe.seed,
            digest: digest.to_owned(),
            record: None,
            metrics: None,
            best: None,
        }
    }

    /// Writes the checkpoint to a file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Failure`](crate::error::Error::Failure) when the file can't be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_with(path, &mut |file| self.write(file))
    }

    /// Writes the checkpoint into a folder.
    ///
    /// # Errors
    /// As [`Checkpoint::save`].
    pub fn save_in(&self, folder: &HeldFolder, name: &str) -> Result<()> {
        let written = folder.write(name, &mut |file| self.write(file));
        written.map_err(|error| unwritten(&folder.path().join(name), &error))
    }

    fn write(&self, file: &mut dyn Write) -> io::Result<()> {
        let mut metadata = json!({
            "format": FORMAT,
            "format_version": FORMAT_VERSION.to_string(),
            "seed": self.seed.to_string(),
            "digest": self.digest,
            "network": self.network,
            "recipe": self.recipe,
            "place": json(&self.snapshot.position),
            "standing": json(&self.state),
        });
        let record = self.record.as_ref().map(json);
        let best = self.best.as_ref().map(|best| json(&best.epoch));
        let metrics = self.metrics.as_ref().map(json);
        for (key, value) in [("record", record), ("metrics", metrics), ("best", best)] {
            if let Some(value) = value {
                metadata[key] = value.into();
            }
        }
        let tensors = self.snapshot.tensors.iter();
        let mut entries: Vec<Entry> = tensors
            .map(|tensor| Entry { name: &tensor.name, shape: &tensor.shape, values: tensor.data.as_slice() })
            .collect();
        let best = self.best.as_ref().map(|best| (&best.parameters, [best.parameters.len()]));
        if let Some((parameters, shape)) = &best {
            entries.push(Entry { name: BEST_WEIGHTS, shape, values: Slice::Real(parameters) });
        }
        tensors::write(metadata, &entries, file).map(drop)
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("it has only strings as keys")
}
