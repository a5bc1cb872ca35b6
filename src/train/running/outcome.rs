//! The outcome of a run.

use crate::train::run::Epoch;
use crate::train::run::model::Model;
use crate::train::trainer::Trainer;

/// Why a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All epochs are over.
    AllEpochs,
    /// Early stopping: the watched number has not got better for too long.
    Early,
    /// Its time is over.
    OutOfTime,
    /// The observer wanted it; the run was saved as it was.
    Asked,
}

/// The outcome of a run.
pub struct Trained {
    /// The network with the weights of the last epoch, or of the best one with early stopping.
    pub model: Model,
    /// The measures of that epoch; none when no epoch was finished.
    pub epoch: Option<Epoch>,
    /// Why the run has ended.
    pub ended: Ended,
    /// How many epochs are over.
    pub epochs: usize,
    /// How long training took, measuring included.
    pub seconds: f64,
    /// Training steps of this process, in each second of training alone.
    pub steps_per_second: f64,
    /// The trainer as it was after the last step.
    pub trainer: Trainer,
}
