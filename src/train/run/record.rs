//! The record of a run: `run.json`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::events::{Epoch, null_is_nan};
use super::model::FILE;
use super::seal::{self, Seal};
use super::tensors::{Advice, Tensors};
use super::timestamp::timestamp;
use crate::data::held::HeldFolder;
use crate::engine::adapter::{Device, driver};
use crate::error::{Error, Result};
use crate::text::{reason, shorten, shown, unescaped};
use crate::train::recipe::Recipe;
use crate::verify::custom::CustomKernelFile;

/// The file that holds a [`RunRecord`].
pub const RECORD: &str = "run.json";
/// The version of wgpu that this program is built with.
pub const WGPU_VERSION: &str = "30.0.1";

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not over yet, or the process was killed.
    Running,
    /// All epochs were run.
    Done,
    /// The loss became NaN or infinite.
    Diverged,
    /// Ended by an error, see the reason.
    Failed,
    /// Stopped by the user.
    Interrupted,
}

/// The contents of `run.json`: who ran what, where, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// A random number that no other run has, in hexadecimal. Empty in records of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The status of the run.
    pub status: Status,
    /// Why it diverged, failed or was interrupted.
    pub reason: Option<String>,
    /// The start in UTC, as RFC 3339.
    pub started: String,
    /// The end in UTC, as RFC 3339; none while it runs.
    pub finished: Option<String>,
    /// The number of resumptions.
    #[serde(default)]
    pub resumes: u32,
    /// How often the run was rolled back after a non-finite value.
    #[serde(default)]
    pub rollbacks: u32,
    /// Seconds of training and measuring, without loading and compiling.
    #[serde(deserialize_with = "null_is_nan")]
    pub seconds: f64,
    /// The version of this program.
    pub wgrad: String,
    /// The version of wgpu, see [`WGPU_VERSION`].
    pub wgpu: String,
    /// The command line, program first.
    pub command: Vec<String>,
    /// The device that was asked for: `auto`, `gpu`, `cpu` or a name.
    pub device: String,
    /// The custom kernels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernels: Vec<CustomKernelFile>,
    /// The name of the adapter, or of the CPU engine.
    pub adapter: String,
    /// `vulkan`, `metal`, `dx12`, or `cpu`.
    pub backend: String,
    /// The driver's name and version; empty for the CPU engine.
    pub driver: String,
    /// The seed of the recipe.
    pub seed: u64,
    /// The name or folder of the data set.
    pub data: String,
    /// The digest of the data set, which tells whether it has changed.
    pub digest: String,
    /// The network's text form.
    pub network: String,
    /// The number of parameters.
    pub parameters: usize,
    /// Epochs that are over.
    pub epochs: usize,
    /// Steps that are over.
    pub steps: u64,
    /// The measures of the last epoch.
    pub last: Option<Epoch>,
    /// The checksum of the model that it wrote last. None in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl RunRecord {
    /// The record of a run that starts now, without its adapter. [`RunRecord::set_device`] enters that.
    pub fn begin(recipe: &Recipe, digest: &str, parameters: usize) -> RunRecord {
        let command = std::env::args_os().map(unescaped);
        RunRecord {
            id: new_id(),
            status: Status::Running,
            reason: None,
            started: timestamp(SystemTime::now()),
            finished: None,
            resumes: 0,
            rollbacks: 0,
            seconds: 0.0,
            wgrad: env!("CARGO_PKG_VERSION").to_owned(),
            wgpu: WGPU_VERSION.to_owned(),
            command: command.collect(),
            device: recipe.device.clone(),
            kernels: Vec::new(),
            adapter: String::new(),
            backend: String::new(),
            driver: String::new(),
            seed: recipe.seed,
            data: recipe.data.clone(),
            digest: digest.to_owned(),
            network: recipe.network.to_string(),
            parameters,
            epochs: 0,
            steps: 0,
            last: None,
            model: None,
        }
    }

    /// The end of a sentence about the checkpoint that has this record, if it is of another run than `run.json`. Records
    /// of earlier versions don't say.
    pub fn of_another_run(&self, of_directory: &RunRecord) -> Option<String> {
        let known = !self.id.is_empty() && !of_directory.id.is_empty();
        (known && self.id != of_directory.id).then(|| {
            format!(
                "of a run that began at {}, and {RECORD} is the record of one that began at {}, so put the run's own file \
                 back or remove the other's",
                shorten(&self.started),
                shorten(&of_directory.started)
            )
        })
    }

    /// Whether `model.safetensors` in a run directory is the model that the run wrote when it ended. A run under way, and
    /// one of an earlier version, doesn't say.
    pub fn has_model(&self, run: &Path) -> bool {
        let advice = Advice { damaged: "", foreign: "" };
        let expected = self.model.as_deref().filter(|_| self.status != Status::Running);
        // What can't be opened is an error when it is loaded. A model without a checksum is no model of this run.
        expected.is_none_or(|expected| {
            Tensors::open(&run.join(FILE), advice).map_or(true, |found| found.text(seal::KEY) == Ok(expected))
        })
    }

    /// Enters the device of the run.
    pub fn set_device(&mut self, device: &Device) {
        self.adapter = device.name();
        match device {
            Device::Cpu { .. } => self.backend = "cpu".to_owned(),
            Device::Gpu(adapter) => {
                let info = adapter.get_info();
                self.backend = info.backend.to_string();
                self.driver = driver(&info);
            }
        }
    }

    /// Enters the measures of an epoch.
    pub fn advance(&mut self, epoch: &Epoch) {
        self.epochs = epoch.epoch;
        self.steps = epoch.step;
        self.last = Some(epoch.clone());
    }

    /// Takes over the measures of an epoch that was not finished.
    pub fn stop_within(&mut self, epoch: &Epoch) {
        self.steps = epoch.step;
        self.last = Some(epoch.clone());
    }

    /// Marks the run as running again. One of an earlier version gets an id.
    pub fn resume(&mut self) {
        if self.id.is_empty() {
            self.id = new_id();
        }
        self.status = Status::Running;
        (self.reason, self.finished) = (None, None);
        self.resumes = self.resumes.saturating_add(1);
    }

    /// Goes back to the end of an epoch.
    pub fn rewind(&mut self, last: Option<Epoch>) {
        (self.epochs, self.steps) = last.as_ref().map_or((0, 0), |last| (last.epoch, last.step));
        self.last = last;
    }

    /// Ends the run now, after `seconds` of training.
    pub fn finish(&mut self, status: Status, reason: Option<String>, seconds: f64) {
        self.status = status;
        self.reason = reason;
        self.seconds = seconds;
        self.finished = Some(timestamp(SystemTime::now()));
    }

    /// The record as `run.json` holds it, with a checksum.
    pub fn to_json(&self) -> String {
        let mut value = serde_json::to_value(self).expect("a record has only strings as keys");
        value[seal::KEY] = seal::BLANK.into();
        let mut text = serde_json::to_string_pretty(&value).expect("a value is JSON").into_bytes();
        text.push(b'\n');
        seal::enter(&mut text);
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// Reads the record of a run directory.
    ///
    /// # Errors
    /// [`Error::Data`] when it is missing, damaged or can't be read.
    pub fn load(run: &Path) -> Result<RunRecord> {
        RunRecord::read(run)
            .map_err(|problem| Error::Data(format!("{problem}, so name the directory of another run")))
    }

    /// As [`RunRecord::load`], with an error that gives no advice.
    ///
    /// # Errors
    /// Which file can't be read, and why.
    pub fn read(run: &Path) -> Result<RunRecord, String> {
        let problem = |why: String| format!("{} can't be read ({why})", shown(run.join(RECORD)));
        let folder = HeldFolder::open(run).map_err(|error| problem(reason(&error).to_string()))?;
        let text = folder.read(RECORD, MAX_BYTES).map_err(|why| problem(why.to_string()))?;
        if seal::check(&text) == Seal::Broken {
            return Err(problem("it is not as the run wrote it: damaged, or changed since".to_owned()));
        }
        serde_json::from_slice(&text).map_err(|error| problem(shorten(&error.to_string())))
    }
}

/// The model of a run directory, named by the directory or by its own path, if another run wrote it or it was changed
/// since.
pub fn foreign_model(path: &Path) -> Option<PathBuf> {
    let run = match path.parent() {
        _ if path.is_dir() => path,
        Some(parent) if path.ends_with(FILE) && parent == Path::new("") => Path::new("."),
        Some(parent) if path.ends_with(FILE) => parent,
        _ => return None,
    };
    let record = RunRecord::read(run).ok()?;
    (!record.has_model(run)).then(|| run.join(FILE))
}

fn new_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The longest file of a record, in bytes.
const MAX_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_wgpu_is_the_one_in_use() {
        let locked = format!("name = \"wgpu\"\nversion = \"{WGPU_VERSION}\"");
        assert!(include_str!("../../../Cargo.lock").contains(&locked), "update WGPU_VERSION");
    }
}
