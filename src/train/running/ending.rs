//! The end of a run: the model and the record are saved, and errors say what is kept.

use super::Run;
use super::observer::{Observer, note};
use super::outcome::{Ended, Trained};
use crate::error::{Error, Result};
use crate::train::recipe::OnNan;
use crate::train::run::{Status, checkpoint};

impl Run<'_> {
    /// Why the run was saved before its end.
    fn interruption(&self) -> String {
        let position = self.kept.position;
        format!("interrupted after step {} of epoch {}, and all of it is kept", position.step, position.epoch)
    }

    /// Saves the model and the record, and says what of a failed run is kept.
    pub(super) fn close(mut self, outcome: Result<Ended>, observer: &mut dyn Observer) -> Result<Trained> {
        let seconds = self.standing.seconds + self.started.elapsed().as_secs_f64();
        let (status, reason) = match &outcome {
            Ok(Ended::Asked) => (Status::Interrupted, Some(self.interruption())),
            Ok(_) => (Status::Done, None),
            Err(error @ Error::Diverged(_)) => (Status::Diverged, Some(error.to_string())),
            Err(error) => (Status::Failed, Some(error.to_string())),
        };
        self.model_of_checkpoint(status);
        self.record.finish(status, reason.clone(), seconds);
        // On a full disk the small record may still find room where the model does not.
        let saved = self.journal.save_model(&self.model);
        if let (Status::Done, Err(error)) = (status, &saved) {
            self.record.finish(Status::Failed, Some(error.to_string()), seconds);
        }
        let recorded = self.journal.write_record(&self.record);
        let outcome = match (reason, saved.and(recorded)) {
            (Some(first), Err(second)) => {
                let kept = |path| checkpoint::list(path).is_ok_and(|kept| !kept.is_empty());
                if self.journal.path().is_some_and(kept) {
                    note(observer, "what was saved last is kept");
                }
                return Err(Error::Failure(format!("{first}; and then {}", second.marked())));
            }
            (_, kept) => outcome.and_then(|ended| kept.map(|()| ended)),
        };
        match outcome {
            Ok(ended) => Ok(self.trained(ended, seconds)),
            Err(error) => Err(self.explained(error, observer)),
        }
    }

    fn trained(self, ended: Ended, seconds: f64) -> Trained {
        Trained {
            epoch: self.shown.or(self.record.last),
            ended,
            epochs: self.record.epochs,
            seconds,
            steps_per_second: self.stepping.per_second(),
            model: self.model,
            trainer: self.trainer,
        }
    }

    /// The error of a run that failed, with what there is to do about it and what is kept.
    fn explained(&self, error: Error, observer: &mut dyn Observer) -> Error {
        let kept = self
            .journal
            .path()
            .map(|path| format!("the weights {} are kept in {}", self.last_good(), path.display()));
        match error {
            Error::Diverged(problem) => {
                let kept = kept.map_or_else(String::new, |kept| format!("{kept}; "));
                let rollback =
                    if self.recipe.on_nan == OnNan::Rollback { "" } else { ", or ⟨on_nan rollback⟩" };
                Error::Diverged(format!(
                    "{problem}: {kept}try a lower learning rate than {:?}{rollback}",
                    self.recipe.learning_rate * self.trainer.position().factor
                ))
            }
            error @ Error::Device(..) => error,
            error => {
                if let Some(kept) = kept {
                    note(observer, &kept);
                }
                error
            }
        }
    }

    /// Which weights the model has, after an error.
    fn last_good(&self) -> String {
        let epoch = self.shown.as_ref().map_or(self.record.epochs, |shown| shown.epoch);
        let steps = self.kept.position.steps;
        match epoch {
            _ if self.model_is_kept && steps > 0 => format!("after step {steps}"),
            0 => "from before the first step".to_owned(),
            _ => format!("from the end of epoch {epoch}"),
        }
    }
}
