//! Events of a run: the lines of `metrics.jsonl`, and the rows of `metrics.csv`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The file that holds an [`Event`] per line.
pub const METRICS: &str = "metrics.jsonl";
/// The file that holds the same as a table. Lists of values per step are left out.
pub const TABLE: &str = "metrics.csv";

/// The columns of the table, by the keys of an event.
pub(super) const COLUMNS: [&str; 10] = [
    "kind",
    "step",
    "epoch",
    "train_loss",
    "train_accuracy",
    "samples_per_second",
    "validation_loss",
    "validation_accuracy",
    "held_out_loss",
    "held_out_accuracy",
];

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
    #[serde(default, deserialize_with = "nulls_are_nan_f32")]
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

/// The events of some lines. An error is a damaged line, and whether it is finished.
pub(super) fn events(bytes: &[u8]) -> impl Iterator<Item = Result<Event, bool>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").ok_or(false)?;
        serde_json::from_slice(line).map_err(|_| true)
    })
}

pub(super) fn header() -> String {
    COLUMNS.join(",") + "\n"
}

/// An event as a line of the table. Columns that it lacks are empty.
pub(super) fn row(event: &Event) -> String {
    let value = serde_json::to_value(event).expect("an event has only strings as keys");
    let field = |column: &&str| match value.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    COLUMNS.iter().map(field).collect::<Vec<_>>().join(",") + "\n"
}

/// A number, where null is NaN. JSON has no NaN, and serde_json writes it as null.
pub(super) fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

fn nulls_are_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let values: Vec<Option<f64>> = Deserialize::deserialize(deserializer)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

fn nulls_are_nan_f32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let values: Vec<Option<f32>> = Deserialize::deserialize(deserializer)?;
    Ok(values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect())
}
