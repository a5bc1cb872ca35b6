//! Training in the program: progress on stderr, result on stdout, signals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use wgrad::internals::data::held::HeldFolder;
use wgrad::internals::error::DeviceFault;
use wgrad::internals::text::{shown, unescaped};
use wgrad::internals::train::run::checkpoint::{self, Checkpoint};
use wgrad::internals::train::run::{Epoch, RunDir, RunRecord, Status};
use wgrad::internals::train::running::{Ended, Run, Trained};
use wgrad::{EpochReport, Error, Observer, Progress, Result};

use super::console::{
    answer, answer_json, answer_of_failure, as_flag, counted, note, quoted, thousands, with_flags,
};
use super::progress::{Display, duration};
use super::signals::Signals;
use super::weights::with_its_weights;
use crate::app::shortened::shortened;

/// Shows the progress of a run, and ends it after a signal.
struct Watch {
    display: Display,
    signals: Signals,
}

impl Observer for Watch {
    fn progress(&mut self, progress: &Progress) {
        self.display.progress(progress);
    }

    fn epoch(&mut self, report: &EpochReport) {
        let EpochReport { epoch, train, validation, held_out, took } = report;
        let validation = validation.map(|measure| ("validation", measure));
        let others: Vec<_> = validation.into_iter().chain([("held-out", *held_out)]).collect();
        self.display.epoch(*epoch, train, &others, *took);
    }

    fn advice(&mut self, sentence: &str) {
        self.display.line(&format!("coach   {sentence}"));
    }

    fn note(&mut self, sentence: &str) {
        self.display.line(sentence);
    }

    fn setting(&self, key: &str, value: Option<&str>) -> String {
        as_flag(key, value)
    }

    fn ended(&mut self) {
        self.display.finish();
    }

    fn stop(&mut self) -> bool {
        self.signals.caught().is_some()
    }
}

/// The output of a run: its names, and whether it is JSON.
pub struct RunOutput {
    /// The run directory; none for a run in memory, of which nothing is left.
    pub run: Option<PathBuf>,
    /// The directory itself, while its path leads to it.
    pub folder: Option<Arc<HeldFolder>>,
    pub device: String,
    pub adapter: String,
    pub json: bool,
}

impl RunOutput {
    pub fn of(run: Option<&RunDir>, record: &RunRecord, json: bool) -> RunOutput {
        let RunRecord { device, adapter, .. } = record.clone();
        let path = run.map(|run| run.path().to_owned());
        RunOutput { run: path, folder: run.map(RunDir::folder), device, adapter, json }
    }

    /// The run directory, if its path still leads to it.
    fn in_place(&self) -> Option<&Path> {
        self.run.as_deref().filter(|_| self.folder.as_ref().is_some_and(|folder| folder.is_in_place()))
    }

    /// Trains to the end and prints the result. It goes on from the checkpoint, if given.
    pub fn train(
        &self,
        run: Run,
        display: Display,
        signals: Signals,
        from: Option<Checkpoint>,
    ) -> Result<()> {
        let mut watch = Watch { display, signals };
        let run = run.giving_up(watch.signals.stop());
        let outcome = match from {
            None => run.begin(&mut watch),
            Some(checkpoint) => run.resume(checkpoint, &mut watch),
        };
        // It may have failed before its first step.
        watch.display.finish();
        let outcome = match outcome {
            Ok(trained) if trained.ended == Ended::ByObserver => {
                let position = trained.trainer.position();
                let saved = self.run.as_deref().map(|run| format!(", and saved: {}", how_to_resume(run)));
                let problem = format!(
                    "interrupted after step {} of epoch {}{}",
                    position.step,
                    position.epoch,
                    saved.unwrap_or_default()
                );
                Err(Error::Interrupted { signal: watch.signals.caught().unwrap_or_default(), problem })
            }
            Ok(trained) if self.json => self.print_json(&trained),
            Ok(trained) => self.print(&trained),
            Err(error) => Err(self.with_resume_advice(error, watch.signals.caught())),
        };
        match &outcome {
            Err(error) if self.json => {
                self.print_json_of_error(error);
                outcome
            }
            _ => outcome,
        }
    }

    /// Adds to an error how the run can be resumed. A signal may have ended the wait for a device.
    fn with_resume_advice(&self, error: Error, signal: Option<u8>) -> Error {
        let has_checkpoint = |run: &&Path| checkpoint::list(run).is_ok_and(|found| !found.is_empty());
        let run = self.in_place().filter(has_checkpoint);
        match (error, run.map(how_to_resume)) {
            (Error::Device(DeviceFault::GivenUp, problem), advice) => {
                let advice = advice.zip(run).map_or_else(String::new, |(advice, run)| {
                    format!(": {advice}, or without the kernel begin a new run{}", with_its_weights(run))
                });
                let problem = problem + &advice;
                match signal {
                    Some(signal) => Error::Interrupted { signal, problem },
                    None => Error::Device(DeviceFault::GivenUp, problem),
                }
            }
            (Error::Device(fault, problem), Some(advice)) => {
                Error::Device(fault, format!("{problem}: {advice}"))
            }
            // A resumed run would diverge at the same step.
            (error @ (Error::Device(..) | Error::Diverged(_)), _) | (error, None) => error,
            (error, Some(advice)) => {
                note(format_args!("{advice}"));
                error
            }
        }
    }

    fn print(&self, trained: &Trained) -> Result<()> {
        let Some(last) = &trained.epoch else { return Ok(()) };
        answer(format_args!(
            "held-out accuracy  {:.2} %   loss {:.4}",
            last.held_out_accuracy * 100.0,
            last.held_out_loss
        ))?;
        // A resumed run may have nothing left to do but its model.
        let speed = Some(trained.steps_per_second).filter(|speed| speed.is_finite());
        answer(format_args!(
            "time               {}   ({}, {}{})",
            duration(trained.seconds),
            counted(trained.epochs, "epoch"),
            counted(trained.trainer.steps(), "step"),
            speed
                .map_or_else(String::new, |speed| format!(", {} steps/s", thousands(speed.round() as usize)))
        ))?;
        let Some(run) = self.run.as_deref() else { return Ok(()) };
        let (run, word) = (shown(run), quoted(run));
        answer(format_args!("run                {run}"))?;
        note(format_args!(
            "next: wgrad predict {word} PICTURE.png, wgrad summary {word}, or another --network, --epochs or --learning-rate"
        ));
        Ok(())
    }

    fn print_json(&self, trained: &Trained) -> Result<()> {
        let object = RunObject {
            status: Some(Status::Done),
            epochs: Some(trained.epochs),
            steps: Some(trained.trainer.steps() as u64),
            seconds: Some(trained.seconds),
            steps_per_second: Some(trained.steps_per_second),
            ..self.object(trained.epoch.as_ref())
        };
        object.print()
    }

    /// Prints how far a run got that ended early, and why it ended. The error itself goes to stderr.
    fn print_json_of_error(&self, error: &Error) {
        let record = self.in_place().and_then(|run| RunRecord::load(run).ok());
        let record = record.as_ref();
        let object = RunObject {
            // On a full disk the record is that of the start.
            status: Some(match record.map(|record| record.status) {
                None | Some(Status::Running) => status_of(error),
                Some(status) => status,
            }),
            error: Some(shortened(&with_flags(error.marked()))),
            epochs: record.map(|record| record.epochs),
            steps: record.map(|record| record.steps),
            seconds: record.map(|record| record.seconds),
            run: self.in_place().map(unescaped),
            ..self.object(record.and_then(|record| record.last.as_ref()))
        };
        answer_of_failure(&object);
    }

    /// The object of a run, with the measures of its last epoch.
    fn object(&self, last: Option<&Epoch>) -> RunObject {
        RunObject {
            run: self.run.as_deref().map(unescaped),
            device: self.device.clone(),
            adapter: self.adapter.clone(),
            train_loss: last.map(|last| last.train_loss),
            train_accuracy: last.map(|last| last.train_accuracy),
            held_out_loss: last.map(|last| last.held_out_loss),
            held_out_accuracy: last.map(|last| last.held_out_accuracy),
            ..RunObject::default()
        }
    }
}

/// The object that `--json` prints. Numbers that a run has not got to are null.
#[derive(Default, Serialize)]
struct RunObject {
    run: Option<String>,
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    device: String,
    adapter: String,
    epochs: Option<usize>,
    steps: Option<u64>,
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_per_second: Option<f64>,
    train_loss: Option<f64>,
    train_accuracy: Option<f64>,
    held_out_loss: Option<f64>,
    held_out_accuracy: Option<f64>,
}

impl RunObject {
    fn print(&self) -> Result<()> {
        answer_json(self)
    }
}

/// The status of a run that ended with an error.
fn status_of(error: &Error) -> Status {
    match error {
        Error::Interrupted { .. } => Status::Interrupted,
        Error::Diverged(_) => Status::Diverged,
        _ => Status::Failed,
    }
}

fn how_to_resume(run: &Path) -> String {
    format!("go on with wgrad train --resume {}", quoted(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_run_with_a_checkpoint_says_how_to_resume() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().to_owned();
        let output = RunOutput {
            run: Some(run.clone()),
            folder: Some(Arc::new(HeldFolder::open(&run).unwrap())),
            device: String::new(),
            adapter: String::new(),
            json: false,
        };
        let lost = || Error::Device(DeviceFault::Lost, "the device was lost".to_owned());
        assert_eq!(output.with_resume_advice(lost(), None), lost());
        std::fs::create_dir(run.join(checkpoint::FOLDER)).unwrap();
        std::fs::write(checkpoint::path(&run, 7), "").unwrap();
        let message = output.with_resume_advice(lost(), None).to_string();
        assert_eq!(message, format!("the device was lost: go on with wgrad train --resume {}", quoted(&run)));
        let diverged = Error::Diverged("the loss became NaN".to_owned());
        assert_eq!(output.with_resume_advice(diverged.clone(), None), diverged);
        let given_up = || Error::Device(DeviceFault::GivenUp, "no answer".to_owned());
        assert_eq!(output.with_resume_advice(given_up(), None).exit_code(), 4);
        let interrupted = output.with_resume_advice(given_up(), Some(15));
        assert_eq!(interrupted.exit_code(), 143);
        assert!(interrupted.to_string().contains("--resume"), "{interrupted}");
    }
}
