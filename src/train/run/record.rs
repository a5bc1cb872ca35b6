//! The record of a run: `run.json`, and the lines of `metrics.jsonl`.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize};

use crate::engine::adapter::{Device, driver};
use crate::error::{Error, Result};
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
}

impl RunRecord {
    /// The record of a run that starts now, without its adapter. [`RunRecord::set_device`] enters that.
    pub fn begin(recipe: &Recipe, digest: &str, parameters: usize) -> RunRecord {
        let command = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        RunRecord {
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
        }
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

    /// Marks the run as running again.
    pub fn resume(&mut self) {
        self.status = Status::Running;
        (self.reason, self.finished) = (None, None);
        self.resumes += 1;
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

    /// The record as `run.json` holds it.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a record has only strings as keys") + "\n"
    }

    /// Reads the record of a run directory.
    ///
    /// # Errors
    /// [`Error::Data`] when it is missing or can't be read.
    pub fn load(run: &Path) -> Result<RunRecord> {
        let path = run.join(RECORD);
        let problem = |error: String| {
            let shown = path.display();
            Error::Data(format!("{shown} can't be read ({error}), so name the directory of another run"))
        };
        let text = fs::read(&path).map_err(|error| problem(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| problem(error.to_string()))
    }
}

/// A line of `metrics.jsonl`; `kind` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Event {
    /// A group of steps, as many as were submitted at once.
    Steps(Steps),
    /// An epoch, with what was measured at its end.
    Epoch(Epoch),
}

impl Event {
    /// One line of JSON with its line break. Numbers that are not finite become `null`.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("an event has only strings as keys") + "\n"
    }
}

/// The measures of a group of steps on their batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// Steps since the run began, this group included.
    pub step: u64,
    /// The epoch that the last of them belongs to, from 1.
    pub epoch: usize,
    /// Mean over the samples.
    #[serde(deserialize_with = "null_is_nan")]
    pub train_loss: f64,
    /// From 0 to 1.
    #[serde(deserialize_with = "null_is_nan")]
    pub train_accuracy: f64,
    /// Samples trained on, per second.
    #[serde(deserialize_with = "null_is_nan")]
    pub samples_per_second: f64,
    /// The mean loss of each step.
    #[serde(default, deserialize_with = "nulls_are_nan")]
    pub losses: Vec<f64>,
    /// The norm of the gradients of each step.
    #[serde(default)]
    pub gradient_norms: Vec<f32>,
    /// The learning rate of each step.
    #[serde(default)]
    pub learning_rates: Vec<f32>,
}

/// The measures of an epoch. Those of the train part are over its batches as they came, the others from its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Steps since the run began.
    pub step: u64,
    /// From 1.
    pub epoch: usize,
    /// Mean over the samples.
    #[serde(deserialize_with = "null_is_nan")]
    pub train_loss: f64,
    /// From 0 to 1.
    #[serde(deserialize_with = "null_is_nan")]
    pub train_accuracy: f64,
    /// Samples trained on, per second.
    #[serde(deserialize_with = "null_is_nan")]
    pub samples_per_second: f64,
    /// None for a run without a validation part.
    #[serde(flatten)]
    pub validation: Option<Validation>,
    /// Mean over the samples.
    #[serde(deserialize_with = "null_is_nan")]
    pub held_out_loss: f64,
    /// From 0 to 1.
    #[serde(deserialize_with = "null_is_nan")]
    pub held_out_accuracy: f64,
}

/// The measures on the validation part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Mean over the samples.
    #[serde(deserialize_with = "null_is_nan")]
    pub validation_loss: f64,
    /// From 0 to 1.
    #[serde(deserialize_with = "null_is_nan")]
    pub validation_accuracy: f64,
}

/// A number, where null is NaN. JSON has no NaN, and serde_json writes it as null.
fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

fn nulls_are_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let values: Vec<Option<f64>> = Deserialize::deserialize(deserializer)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// A moment as RFC 3339, in UTC, to the second: `2026-02-28T23:59:59Z`.
pub fn timestamp(moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of the Gregorian calendar, from days since 1970.
///
/// Counts from 1 March of the year 0, so that a leap day is the last day of its year; then four
/// centuries have 146,097 days, and five months from March or August have 153.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + 400 * era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339() {
        // From `date -u -d @N +%FT%TZ`.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn the_days_of_eight_centuries_follow_each_other() {
        let months = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut expected = (1970, 1, 1);
        for days in 0..800 * 365 {
            assert_eq!(date(days), expected);
            let (year, month, day) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = months[month as usize - 1] + u64::from(leap && month == 2);
            expected = match (day == last, month) {
                (false, _) => (year, month, day + 1),
                (true, 12) => (year + 1, 1, 1),
                (true, _) => (year, month + 1, 1),
            };
        }
    }

    #[test]
    fn the_version_of_wgpu_is_the_one_in_use() {
        let locked = format!("name = \"wgpu\"\nversion = \"{WGPU_VERSION}\"");
        assert!(include_str!("../../../Cargo.lock").contains(&locked), "update WGPU_VERSION");
    }
}
