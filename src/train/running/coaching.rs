//! The coach of a run: when it looks, and what it says.

use super::Run;
use super::observer::{Observer, advise};
use crate::error::Result;
use crate::train::coach::Moment;
use crate::train::trainer::Measure;

impl Run<'_> {
    /// How many steps may be taken before the next one to look at begins or ends.
    pub(super) fn steps_to_look(&self) -> usize {
        let telling = self.trainer.telling_step();
        match (&self.coach, telling.checked_sub(self.trainer.position().step)) {
            (Some(_), Some(before)) => before.max(1),
            _ => usize::MAX,
        }
    }

    /// The weights before a step that is to be looked at, if that is the next.
    pub(super) fn prepare_look(&mut self) -> Result<Option<Vec<f32>>> {
        let next = self.trainer.position().step == self.trainer.telling_step();
        (next && self.coach.is_some()).then(|| self.trainer.parameters()).transpose()
    }

    /// Looks at the step just taken; `before` are the weights from before it.
    pub(super) fn look(&mut self, before: Option<Vec<f32>>) -> Result<()> {
        if let (Some(watch), Some(before)) = (&mut self.coach, before) {
            watch.vitals = Some(self.trainer.vitals(&before)?);
        }
        Ok(())
    }

    /// Says what the epoch just ended warrants.
    pub(super) fn advise(&mut self, moment: Moment, observer: &mut dyn Observer) {
        let rate = self.trainer.learning_rate(self.trainer.steps() - 1);
        let Some(watch) = &mut self.coach else { return };
        let vitals = watch.vitals.take();
        for sentence in watch.coach.advise(moment, vitals.as_ref(), rate) {
            advise(observer, &sentence);
        }
    }

    /// The run is back at its last checkpoint.
    pub(super) fn forget(&mut self) {
        if let Some(watch) = &mut self.coach {
            watch.vitals = None;
            watch.coach.rewind(self.kept.position.epoch);
        }
    }

    /// Tells the coach what earlier epochs of a resumed run came to.
    pub(super) fn recall(&mut self) -> Result<()> {
        let Some(watch) = &mut self.coach else { return Ok(()) };
        for line in self.journal.epochs()? {
            let measure = |loss, accuracy| Measure { samples: 0, loss, accuracy };
            watch.coach.remember(Moment {
                epoch: line.epoch,
                train: measure(line.train_loss, line.train_accuracy),
                validation: line.validation.map(|v| measure(v.validation_loss, v.validation_accuracy)),
            });
        }
        Ok(())
    }
}
