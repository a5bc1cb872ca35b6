//! Lines of metrics.

use super::throughput::Throughput;
use crate::train::run::{Epoch, Steps, Validation};
use crate::train::trainer::{Measure, Position, Progress};

/// The line of metrics for an epoch.
pub(super) fn epoch_line(
    position: Position,
    trained: Throughput,
    train: &Measure,
    held_out: &Measure,
    validation: Option<&Measure>,
) -> Epoch {
    Epoch {
        step: position.steps as u64,
        epoch: position.epoch,
        train_loss: train.loss,
        train_accuracy: train.accuracy,
        samples_per_second: trained.per_second(),
        validation: validation
            .map(|v| Validation { validation_loss: v.loss, validation_accuracy: v.accuracy }),
        held_out_loss: held_out.loss,
        held_out_accuracy: held_out.accuracy,
    }
}

/// The line of metrics for the steps of a submission.
pub(super) fn steps_line(progress: &Progress, step: usize, samples_per_second: f64) -> Steps {
    Steps {
        step: step as u64,
        epoch: progress.epoch,
        train_loss: progress.latest.loss,
        train_accuracy: progress.latest.accuracy,
        samples_per_second,
        losses: progress.losses.to_vec(),
        gradient_norms: progress.norms.to_vec(),
        learning_rates: progress.rates.to_vec(),
    }
}
