//! Ends of a run before its last epoch: early stopping, time limit.

use std::time::Instant;

use super::Run;
use super::observer::{Observer, note};
use super::outcome::Ended;
use crate::error::Result;
use crate::train::run::model::Model;
use crate::train::stopping::EpochVerdict;
use crate::train::trainer::Measure;

impl Run<'_> {
    /// Whether an epoch's weights go into the model. Without early stopping every epoch's do.
    pub(super) fn is_best(&mut self, epoch: usize, train: &Measure, validation: Option<&Measure>) -> bool {
        let Some(stopping) = self.recipe.stop_early else { return true };
        let measure = if stopping.metric.needs_validation() { validation.unwrap_or(train) } else { train };
        let value = if stopping.metric.is_loss() { measure.loss } else { measure.accuracy };
        self.state.stopping.observe(&stopping, epoch, value) == EpochVerdict::Better
    }

    /// Saves the best weights, for when the run is resumed.
    pub(super) fn save_best_model(&mut self) -> Result<()> {
        match self.recipe.stop_early {
            Some(_) => self.journal.save_model(&self.model),
            None => Ok(()),
        }
    }

    /// Loads the best weights of a resumed run, and their measures. Weights of an epoch after the
    /// checkpoint are computed again, to the bit.
    pub(super) fn load_best(&mut self) -> Result<()> {
        let best = self.state.stopping.best_epoch;
        if self.recipe.stop_early.is_none() || best == 0 {
            return Ok(());
        }
        if let Some(path) = self.journal.path() {
            self.model.parameters = Model::load(path)?.parameters;
        }
        self.model_epoch = self.journal.epochs()?.into_iter().rfind(|line| line.epoch == best);
        Ok(())
    }

    /// The end of the run, if all epochs or patience are over.
    pub(super) fn ended(&self) -> Option<Ended> {
        let waited = self.state.stopping.waited;
        if self.trainer.position().epoch > self.recipe.epochs {
            Some(Ended::AllEpochs)
        } else {
            self.recipe.stop_early.filter(|rule| waited >= rule.patience).map(|_| Ended::EarlyStopping)
        }
    }

    /// Whether the time limit is over.
    pub(super) fn out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Notes an early end, and the epoch of the saved weights.
    pub(super) fn note_early_end(&self, observer: &mut dyn Observer) {
        let (done, all) = (self.record.epochs, self.recipe.epochs);
        if self.out_of_time() {
            let epoch = self.trainer.position().epoch;
            note(
                observer,
                &format!("the time of {} is over in epoch {epoch} of {all}", self.recipe.max_time),
            );
        }
        if let Some(stopping) = self.recipe.stop_early.filter(|_| done > 0) {
            note(
                observer,
                &format!(
                    "by {} the best epoch is {} of {done}: its weights are saved",
                    stopping.metric, self.state.stopping.best_epoch
                ),
            );
        }
    }
}
