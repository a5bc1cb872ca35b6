//! How a run ends: what it leaves, and what it says.

use serde_json::json;
use wgrad::internals::train::run::Status;
use wgrad::internals::train::run::checkpoint;
use wgrad::{Error, Result};

use super::Run;
use crate::app::cli::OnNan;
use crate::app::commands::console::{answer, note, quoted, thousands};

impl Run {
    /// The error for a run that was stopped by a signal, after it was saved.
    pub(super) fn interrupted(&self, signal: u8) -> Error {
        let position = self.kept.position;
        let problem = format!(
            "interrupted after step {} of epoch {}, and all of it is kept: {}",
            position.step,
            position.epoch,
            self.how_to_resume()
        );
        Error::Interrupted { signal, problem }
    }

    fn how_to_resume(&self) -> String {
        format!("go on with wgrad train --resume {}", quoted(self.directory.path()))
    }

    /// Saves the model and the record, and says how the run went.
    pub(super) fn close(mut self, outcome: Result<()>) -> Result<()> {
        let seconds = self.standing.seconds + self.started.elapsed().as_secs_f64();
        let status = match &outcome {
            Ok(()) => Status::Done,
            Err(Error::Diverged(_)) => Status::Diverged,
            Err(Error::Interrupted { .. }) => Status::Interrupted,
            Err(_) => Status::Failed,
        };
        self.record.finish(status, outcome.as_ref().err().map(Error::to_string), seconds);
        // On a full disk the small record may still find room where the model does not.
        let saved = self.directory.save_model(&self.model);
        if let (Ok(()), Err(error)) = (&outcome, &saved) {
            self.record.finish(Status::Failed, Some(error.to_string()), seconds);
        }
        let recorded = self.directory.write_record(&self.record);
        let outcome = match (outcome, saved.and(recorded)) {
            (Err(first), Err(second)) => {
                if checkpoint::list(self.directory.path()).is_ok_and(|kept| !kept.is_empty()) {
                    note(format_args!("what was saved last is kept; {}", self.how_to_resume()));
                }
                return Err(Error::Failure(format!("{first}; and then {second}")));
            }
            (outcome, kept) => outcome.and(kept),
        };
        match outcome {
            Ok(()) if self.options.json => self.print_json(seconds),
            Ok(()) => self.print(seconds),
            Err(Error::Diverged(problem)) => Err(Error::Diverged(format!(
                "{problem}: the weights {} are kept in {}; try a lower learning rate than {:?}{}",
                self.last_good(),
                self.directory.path().display(),
                self.recipe.learning_rate * self.trainer.position().factor,
                if self.options.on_nan == OnNan::Rollback { "" } else { ", or --on-nan rollback" }
            ))),
            Err(Error::Device(fault, problem)) => {
                Err(Error::Device(fault, format!("{problem}: {}", self.how_to_resume())))
            }
            Err(error @ Error::Interrupted { .. }) => Err(error),
            Err(error) => {
                note(format_args!(
                    "the weights {} are kept in {}; {}",
                    self.last_good(),
                    self.directory.path().display(),
                    self.how_to_resume()
                ));
                Err(error)
            }
        }
    }

    fn last_good(&self) -> String {
        match self.shown.as_ref().map_or(self.record.epochs, |shown| shown.epoch) {
            0 => "from before the first step".to_owned(),
            epoch => format!("from the end of epoch {epoch}"),
        }
    }

    fn steps_per_second(&self) -> f64 {
        self.stepping.per_second()
    }

    fn print(&self, seconds: f64) -> Result<()> {
        let Some(last) = self.shown.as_ref().or(self.record.last.as_ref()) else { return Ok(()) };
        let run = self.directory.path().display();
        let (epochs, steps) = (self.record.epochs, thousands(self.trainer.steps()));
        answer(format_args!(
            "held-out accuracy  {:.2} %   loss {:.4}",
            last.held_out_accuracy * 100.0,
            last.held_out_loss
        ))?;
        answer(format_args!(
            "time               {seconds:.1} s   ({epochs} epochs, {steps} steps, {:.0} steps/s)",
            self.steps_per_second()
        ))?;
        answer(format_args!("run                {run}"))?;
        note(format_args!(
            "next: wgrad predict {run} PICTURE.png, wgrad summary {run}, or another --network, --epochs or --learning-rate"
        ));
        Ok(())
    }

    fn print_json(&self, seconds: f64) -> Result<()> {
        let Some(last) = self.shown.as_ref().or(self.record.last.as_ref()) else { return Ok(()) };
        answer(format_args!(
            "{}",
            json!({
                "run": self.directory.path().display().to_string(),
                "device": self.record.device,
                "adapter": self.record.adapter,
                "epochs": self.record.epochs,
                "steps": self.trainer.steps(),
                "seconds": seconds,
                "steps_per_second": self.steps_per_second(),
                "train_loss": last.train_loss,
                "train_accuracy": last.train_accuracy,
                "held_out_loss": last.held_out_loss,
                "held_out_accuracy": last.held_out_accuracy,
            })
        ))
    }
}
