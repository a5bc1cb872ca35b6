//! Ends of a run before its last epoch: early stopping, time limit.

use std::time::Instant;

use super::Run;
use super::observer::{Observer, note};
use super::outcome::Ended;
use crate::error::{Error, Result};
use crate::train::run::Epoch;
use crate::train::run::checkpoint::Best;
use crate::train::run::model::{self, Model};
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

    /// Puts the weights of a better epoch into the model.
    pub(super) fn take_best(&mut self, line: Epoch, parameters: Vec<f32>) -> Result<()> {
        let former = std::mem::replace(&mut self.model.parameters, parameters);
        let epoch = self.model_epoch.replace(line);
        if self.recipe.stop_early.is_none() {
            return Ok(());
        }
        // The run may go back to the last checkpoint, whose best weights these were.
        self.displaced.get_or_insert((former, epoch));
        self.save_model()
    }

    /// Takes the best weights of a resumed run from its checkpoint. Weights of an epoch after it are computed again, to
    /// the bit.
    pub(super) fn load_best(&mut self, best: Option<Best>, observer: &mut dyn Observer) -> Result<()> {
        if !self.keeps_best() {
            return Ok(());
        }
        let parameters = match best {
            Some(Best { epoch, parameters }) => {
                self.model_epoch = Some(epoch);
                parameters
            }
            None => self.best_of_an_earlier_version(observer)?,
        };
        if parameters.len() != self.model.parameters.len() {
            return Err(Error::Data(
                "the best weights of the checkpoint are those of another network, so resume from another file in its \
                 folder or train again"
                    .to_owned(),
            ));
        }
        self.model.parameters = parameters;
        Ok(())
    }

    /// Earlier versions left the best weights in the model's file alone.
    fn best_of_an_earlier_version(&mut self, observer: &mut dyn Observer) -> Result<Vec<f32>> {
        let best = self.state.stopping.best_epoch;
        self.model_epoch = self.journal.epochs()?.into_iter().rfind(|line| line.epoch == best);
        let Some(path) = self.journal.path() else { return Ok(self.model.parameters.clone()) };
        let parameters = Model::load(path)?.parameters;
        note(
            observer,
            &format!(
                "an earlier wgrad wrote this checkpoint: the best weights, of epoch {best}, are taken from {} as it is",
                model::FILE
            ),
        );
        Ok(parameters)
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
