//! The outcome of a run.

use crate::train::run::Epoch;
use crate::train::run::model::Model;
use crate::train::trainer::Trainer;

/// The reason of the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All epochs are over.
    AllEpochs,
    /// Early stopping: the metric has not improved within the patience.
    EarlyStopping,
    /// The time limit is over.
    OutOfTime,
    /// The observer asked for it, and the run was saved.
    ByObserver,
}

/// The outcome of a run.
pub struct Trained {
    /// The network after the last epoch; the best with early stopping.
    pub model: Model,
    /// The measures of that epoch; none when no epoch was finished.
    pub epoch: Option<Epoch>,
    /// The reason of the end.
    pub ended: Ended,
    /// The number of finished epochs.
    pub epochs: usize,
    /// Seconds of training, measuring included.
    pub seconds: f64,
    /// Training steps of this process per second, without measuring.
    pub steps_per_second: f64,
    /// The trainer after the last step.
    pub trainer: Trainer,
}
