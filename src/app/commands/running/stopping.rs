//! Ends of a run before its last epoch: early stopping, and the time that it may take.

use std::time::Instant;

use wgrad::Result;
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::run::{Event, read_metrics};
use wgrad::internals::train::stopping::EpochVerdict;
use wgrad::internals::train::trainer::Measure;

use super::Run;
use crate::app::commands::console::note;

impl Run {
    /// Whether an epoch's weights are those to keep: without early stopping every epoch's are.
    pub(super) fn evaluate(&mut self, epoch: usize, train: &Measure, validation: Option<&Measure>) -> bool {
        let Some(stopping) = self.recipe.stop_early else { return true };
        let measure = if stopping.metric.needs_validation() { validation.unwrap_or(train) } else { train };
        let value = if stopping.metric.is_loss() { measure.loss } else { measure.accuracy };
        self.standing.stopping.observe(&stopping, epoch, value) == EpochVerdict::Better
    }

    /// Puts the best weights on the disk, where a run that is taken up again finds them.
    pub(super) fn keep_best(&mut self) -> Result<()> {
        match self.recipe.stop_early {
            Some(_) => self.directory.save_model(&self.model),
            None => Ok(()),
        }
    }

    /// Takes up the best weights of a run that was stopped, and what was measured with them. Those
    /// of a later epoch than the checkpoint's will be found again, to the bit.
    pub(super) fn take_up_best(&mut self) -> Result<()> {
        let best = self.standing.stopping.best_epoch;
        if self.recipe.stop_early.is_none() || best == 0 {
            return Ok(());
        }
        self.model.parameters = Model::load(self.directory.path())?.parameters;
        let lines = read_metrics(self.directory.path())?.into_iter();
        self.shown = lines
            .filter_map(|event| match event {
                Event::Epoch(line) if line.epoch == best => Some(line),
                _ => None,
            })
            .next_back();
        Ok(())
    }

    /// Whether patience has run out.
    pub(super) fn is_stopped(&self) -> bool {
        self.recipe.stop_early.is_some_and(|stopping| self.standing.stopping.waited >= stopping.patience)
    }

    /// Whether the run's time is over.
    pub(super) fn out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Says so when the run is over before its last epoch, or keeps other weights than the last.
    pub(super) fn say_why_it_stopped(&self) {
        let (done, all) = (self.record.epochs, self.recipe.epochs);
        if self.out_of_time() {
            let epoch = self.trainer.position().epoch;
            note(format_args!("the time of {} is over in epoch {epoch} of {all}", self.recipe.max_time));
        }
        if let Some(stopping) = self.recipe.stop_early.filter(|_| done > 0) {
            note(format_args!(
                "by {} the best epoch is {} of {done}: its weights are kept",
                stopping.metric, self.standing.stopping.best_epoch
            ));
        }
    }
}
