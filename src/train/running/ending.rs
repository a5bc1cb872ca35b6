//! The end of a run: saving, and advice in errors.

use super::Run;
use super::observer::{Observer, note};
use super::outcome::{Ended, Trained};
use crate::error::{DeviceFault, Error, Result};
use crate::text::shown;
use crate::train::recipe::OnNan;
use crate::train::run::{Status, checkpoint};

impl Run<'_> {
    /// The reason of an interrupted run.
    pub(super) fn interruption(&self) -> String {
        let position = self.saved.position;
        format!("interrupted after step {} of epoch {}, and saved", position.step, position.epoch)
    }

    /// Saves model and record, and turns the outcome into a result.
    pub(super) fn close(mut self, outcome: Result<Ended>, observer: &mut dyn Observer) -> Result<Trained> {
        let seconds = self.state.seconds + self.started.elapsed().as_secs_f64();
        let given_up = matches!(outcome, Err(Error::Device(DeviceFault::GivenUp, _)));
        let (status, reason) = match &outcome {
            Ok(Ended::ByObserver) => (Status::Interrupted, Some(self.interruption())),
            Ok(_) => (Status::Done, None),
            Err(error @ Error::Device(DeviceFault::GivenUp, _)) => {
                (self.status_given_up(), Some(error.to_string()))
            }
            Err(error @ Error::Diverged(_)) => (Status::Diverged, Some(error.to_string())),
            Err(error) => (Status::Failed, Some(error.to_string())),
        };
        self.model_of_checkpoint(status);
        self.record.finish(status, reason.clone(), seconds);
        self.journal.put_back();
        self.journal.tell_notes(observer);
        // On a full disk there may be room for the small record, but not for the model.
        let saved = self.save_model();
        if let (Status::Done, Err(error)) = (status, &saved) {
            self.record.finish(Status::Failed, Some(error.to_string()), seconds);
        }
        let recorded = self.journal.write_record(&self.record);
        let written = match status {
            // It goes on from its checkpoint, so its end is still that of a run that was stopped.
            Status::Interrupted => {
                let problems = [saved, recorded].into_iter().filter_map(Result::err);
                problems.for_each(|problem| note(observer, problem.marked()));
                Ok(())
            }
            _ => saved.and(recorded),
        };
        let outcome = match (reason, written) {
            (Some(first), Err(second)) => {
                let has_checkpoint = |path| checkpoint::list(path).is_ok_and(|found| !found.is_empty());
                if self.journal.path().is_some_and(has_checkpoint) {
                    note(observer, "the last checkpoint is still there");
                }
                let error = Error::Failure(format!("{first}; and then {}", second.marked()));
                return Err(self.leave(error, given_up));
            }
            (_, written) => outcome.and_then(|ended| written.map(|()| ended)),
        };
        match outcome {
            Ok(ended) => Ok(self.trained(ended, seconds)),
            Err(error) => {
                let error = self.explained(error, observer);
                Err(self.leave(error, given_up))
            }
        }
    }

    /// Saves the model, and enters its checksum into the record.
    pub(super) fn save_model(&mut self) -> Result<()> {
        if let Some(sum) = self.journal.save_model(&self.model)? {
            self.record.model = Some(sum);
        }
        Ok(())
    }

    fn trained(self, ended: Ended, seconds: f64) -> Trained {
        Trained {
            epoch: self.model_epoch.or(self.record.last),
            ended,
            epochs: self.record.epochs,
            seconds,
            steps_per_second: self.stepping.per_second(),
            model: self.model,
            trainer: self.trainer,
        }
    }

    /// The error of a failed run, with advice and what was saved.
    fn explained(&self, error: Error, observer: &mut dyn Observer) -> Error {
        let saved = self
            .journal
            .path()
            .map(|path| format!("the weights {} are saved in {}", self.last_good(), shown(path)));
        match error {
            Error::Diverged(problem) => {
                let saved = saved.map_or_else(String::new, |saved| format!("{saved}; "));
                let rollback =
                    if self.recipe.on_nan == OnNan::Rollback { "" } else { ", or ⟨on_nan rollback⟩" };
                Error::Diverged(format!(
                    "{problem}: {saved}try a lower learning rate than {:?}{rollback}",
                    self.recipe.learning_rate * self.trainer.position().factor
                ))
            }
            error @ Error::Device(..) => error,
            error => {
                if let Some(saved) = saved {
                    note(observer, &saved);
                }
                error
            }
        }
    }

    /// Which weights the model has, after an error.
    fn last_good(&self) -> String {
        let epoch = self.model_epoch.as_ref().map_or(self.record.epochs, |shown| shown.epoch);
        let steps = self.saved.position.steps;
        match epoch {
            _ if self.model_is_kept && steps > 0 => format!("after step {steps}"),
            0 => "from before the first step".to_owned(),
            _ => format!("from the end of epoch {epoch}"),
        }
    }
}
