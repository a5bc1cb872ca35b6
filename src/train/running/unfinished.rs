//! The end of a run within an epoch: what was trained is measured and is in the model.

use super::lines::epoch_line;
use super::{Run, check_finite};
use crate::error::Result;
use crate::network::lower::{HELD_OUT, VALIDATION};
use crate::train::run::Status;
use crate::train::trainer::Measure;

impl Run<'_> {
    /// Measures the parts that are not trained on.
    pub(super) fn measure_others(&mut self) -> Result<(Measure, Option<Measure>)> {
        let held_out = self.trainer.measure(HELD_OUT)?;
        let validation =
            self.trainer.has(VALIDATION).then(|| self.trainer.measure(VALIDATION)).transpose()?;
        Ok((held_out, validation))
    }

    /// Measures the weights of an epoch that is not finished, if the run ends within one.
    ///
    /// No metrics are written: when the run goes on, the epoch gets its line.
    pub(super) fn measure_unfinished(&mut self) -> Result<()> {
        let position = self.trainer.position();
        if position.step == 0 {
            return Ok(());
        }
        let (held_out, validation) = self.measure_others()?;
        let parameters = self.trainer.measured_parameters()?;
        check_finite(position.epoch, &held_out, &parameters)?;
        let train = position.so_far.mean();
        let line = epoch_line(position, self.epoch, &train, &held_out, validation.as_ref());
        self.record.stop_within(&line);
        if !self.keeps_best() {
            self.model_epoch = Some(line);
        }
        Ok(())
    }

    /// Puts the weights of the last checkpoint into the model, unless better ones are there.
    ///
    /// After a divergence those of the last epoch that went well are better.
    pub(super) fn model_of_checkpoint(&mut self, status: Status) {
        let sound = status != Status::Diverged || self.model_epoch.is_none();
        let newer =
            self.model_epoch.as_ref().is_none_or(|shown| shown.step <= self.saved.position.steps as u64);
        if sound && newer && !self.keeps_best() {
            self.model.parameters = self.saved.measured_parameters(&self.model.arena());
            self.model_is_kept = true;
        }
    }

    /// Whether early stopping has found best weights, which the model keeps.
    pub(super) fn keeps_best(&self) -> bool {
        self.recipe.stop_early.is_some() && self.state.stopping.best_epoch > 0
    }
}
