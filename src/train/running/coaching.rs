//! The coach of a run.

use super::Run;
use super::observer::{Observer, advise};
use crate::error::Result;
use crate::train::coach::EpochMeasures;
use crate::train::trainer::Measure;

impl Run<'_> {
    /// Steps before the next observed step begins or ends.
    pub(super) fn steps_to_observed(&self) -> usize {
        let observed = self.trainer.observed_step();
        match (&self.coach, observed.checked_sub(self.trainer.position().step)) {
            (Some(_), Some(before)) => before.max(1),
            _ => usize::MAX,
        }
    }

    /// The weights before the next step, if that is to be observed.
    pub(super) fn weights_to_observe(&mut self) -> Result<Option<Vec<f32>>> {
        let next = self.trainer.position().step == self.trainer.observed_step();
        (next && self.coach.is_some()).then(|| self.trainer.parameters()).transpose()
    }

    /// Observes the step just taken; `before` are the earlier weights.
    pub(super) fn observe_step(&mut self, before: Option<Vec<f32>>) -> Result<()> {
        if let (Some(watch), Some(before)) = (&mut self.coach, before) {
            watch.diagnostics = Some(self.trainer.diagnostics(&before)?);
        }
        Ok(())
    }

    /// Gives advice about the epoch just ended.
    pub(super) fn advise(&mut self, moment: EpochMeasures, observer: &mut dyn Observer) {
        let rate = self.trainer.learning_rate(self.trainer.steps() - 1);
        let Some(watch) = &mut self.coach else { return };
        let diagnostics = watch.diagnostics.take();
        for sentence in watch.coach.advise(moment, diagnostics.as_ref(), rate) {
            advise(observer, &sentence);
        }
    }

    /// Forgets what came after the last checkpoint.
    pub(super) fn forget(&mut self) {
        if let Some(watch) = &mut self.coach {
            watch.diagnostics = None;
            watch.coach.rewind(self.saved.position.epoch);
        }
    }

    /// Gives the coach the earlier epochs of a resumed run.
    pub(super) fn recall(&mut self) -> Result<()> {
        let Some(watch) = &mut self.coach else { return Ok(()) };
        for line in self.journal.epochs()? {
            let measure = |loss, accuracy| Measure { samples: 0, loss, accuracy };
            watch.coach.remember(EpochMeasures {
                epoch: line.epoch,
                train: measure(line.train_loss, line.train_accuracy),
                validation: line.validation.map(|v| measure(v.validation_loss, v.validation_accuracy)),
            });
        }
        Ok(())
    }
}
