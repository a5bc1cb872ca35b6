//! Ends of a run before its last epoch: early stopping, and the time that it may take.

use std::time::Instant;

use super::Run;
use super::observer::{Observer, note};
use super::outcome::Ended;
use crate::error::Result;
use crate::train::run::model::Model;
use crate::train::stopping::EpochVerdict;
use crate::train::trainer::Measure;

impl Run<'_> {
    /// Whether an epoch's weights are those to keep: without early stopping every epoch's are.
    pub(super) fn is_best(&mut self, epoch: usize, train: &Measure, validation: Option<&Measure>) -> bool {
        let Some(stopping) = self.recipe.stop_early else { return true };
        let measure = if stopping.metric.needs_validation() { validation.unwrap_or(train) } else { train };
        let value = if stopping.metric.is_loss() { measure.loss } else { measure.accuracy };
        self.standing.stopping.observe(&stopping, epoch, value) == EpochVerdict::Better
    }

    /// Saves the best weights, for a run that is resumed.
    pub(super) fn save_best_model(&mut self) -> Result<()> {
        match self.recipe.stop_early {
            Some(_) => self.journal.save_model(&self.model),
            None => Ok(()),
        }
    }

    /// Loads the best weights of a run that is resumed, and what was measured with them. Those
    /// of a later epoch than the checkpoint's will be found again, to the bit.
    pub(super) fn load_best(&mut self) -> Result<()> {
        let best = self.standing.stopping.best_epoch;
        if self.recipe.stop_early.is_none() || best == 0 {
            return Ok(());
        }
        if let Some(path) = self.journal.path() {
            self.model.parameters = Model::load(path)?.parameters;
        }
        self.shown = self.journal.epochs()?.into_iter().rfind(|line| line.epoch == best);
        Ok(())
    }

    /// How the run has ended, if all epochs are over or patience has run out.
    pub(super) fn ended(&self) -> Option<Ended> {
        let waited = self.standing.stopping.waited;
        if self.trainer.position().epoch > self.recipe.epochs {
            Some(Ended::AllEpochs)
        } else {
            self.recipe.stop_early.filter(|rule| waited >= rule.patience).map(|_| Ended::Early)
        }
    }

    /// Whether the run's time is over.
    pub(super) fn out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Says so when the run is over before its last epoch, or keeps other weights than the last.
    pub(super) fn say_why_it_stopped(&self, observer: &mut dyn Observer) {
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
                    "by {} the best epoch is {} of {done}: its weights are kept",
                    stopping.metric, self.standing.stopping.best_epoch
                ),
            );
        }
    }
}
