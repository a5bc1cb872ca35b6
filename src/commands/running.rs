//! A training run under way: its epochs, what it writes down, and how it ends.

use std::time::{Duration, Instant};

use serde_json::json;
use wgrad::error::{Error, Result};
use wgrad::lower::{HELD_OUT, VALIDATION};
use wgrad::model::Model;
use wgrad::recipe::Recipe;
use wgrad::run::{Epoch, Event, RunDir, RunRecord, Status, Steps, Validation};
use wgrad::session::Session;
use wgrad::stopping::{Seen, Verdict};
use wgrad::train::{Measure, Trainer};

use super::console::{answer, note, thousands};
use super::progress::Display;

/// A run under way.
pub struct Run {
    trainer: Trainer,
    directory: RunDir,
    /// The weights of the last epoch whose losses were all finite; at first the initial ones.
    model: Model,
    record: RunRecord,
    recipe: Recipe,
    started: Instant,
    /// Time spent in training steps alone.
    stepping: Duration,
    /// What early stopping has seen.
    seen: Seen,
    /// The epoch whose weights are kept.
    best: Option<Epoch>,
}

impl Run {
    pub fn new(trainer: Trainer, directory: RunDir, record: RunRecord, session: Session) -> Run {
        let Session { recipe, dataset, normaliser, .. } = session;
        let model = Model {
            network: recipe.network.clone(),
            loss: recipe.loss,
            shape: dataset.train.shape,
            classes: dataset.classes,
            normaliser,
            parameters: Vec::new(),
            data: dataset.name,
        };
        let (started, stepping) = (Instant::now(), Duration::ZERO);
        let seen = Seen::default();
        Run { trainer, directory, model, record, recipe, started, stepping, seen, best: None }
    }

    /// Trains, saves and reports.
    pub fn go(mut self, as_json: bool) -> Result<()> {
        if let Err(error) = self.open() {
            self.directory.abandon();
            return Err(error);
        }
        let outcome = self.train();
        self.close(outcome, as_json)
    }

    /// Writes what is known before the first step.
    fn open(&mut self) -> Result<()> {
        self.model.parameters = self.trainer.measured_parameters()?;
        self.directory.write_recipe(&self.recipe)?;
        self.directory.write_record(&self.record)
    }

    /// Trains all epochs.
    fn train(&mut self) -> Result<()> {
        let mut display = Display::new(self.recipe.epochs, self.trainer.steps_per_epoch());
        self.started = Instant::now();
        if let Some(limit) = self.recipe.max_time.0 {
            self.trainer.stop_at(self.started + limit);
        }
        let mut result = Ok(Verdict::Better);
        for epoch in 1..=self.recipe.epochs {
            result = self.epoch(epoch, &mut display);
            if !matches!(result, Ok(Verdict::Better | Verdict::Worse)) || self.trainer.out_of_time() {
                break;
            }
        }
        display.finish();
        self.say_why_it_stopped();
        result.map(|_| ())
    }

    /// Says so when the run is over before its last epoch, or keeps other weights than the last.
    fn say_why_it_stopped(&self) {
        let (done, all) = (self.record.epochs, self.recipe.epochs);
        if self.trainer.out_of_time() {
            note(format_args!("the time of {} is over in epoch {done} of {all}", self.recipe.max_time));
        }
        if let Some(stopping) = self.recipe.stop_early.filter(|_| done > 0) {
            note(format_args!(
                "by {} the best epoch is {} of {done}: its weights are kept",
                stopping.metric, self.seen.best_epoch
            ));
        }
    }

    fn epoch(&mut self, epoch: usize, display: &mut Display) -> Result<Verdict> {
        let started = Instant::now();
        let before = self.trainer.steps();
        let mut written = Ok(());
        let directory = &mut self.directory;
        let train = self.trainer.epoch(epoch, &mut |progress| {
            display.progress(&progress);
            let event = Event::Steps(Steps {
                step: (before + progress.step) as u64,
                epoch,
                train_loss: progress.latest.loss,
                train_accuracy: progress.latest.accuracy,
                samples_per_second: progress.so_far.samples as f64 / started.elapsed().as_secs_f64(),
            });
            if written.is_ok() {
                written = directory.append(&event);
            }
        })?;
        written?;
        let took = started.elapsed();
        self.stepping += took;
        let held_out = self.trainer.measure(HELD_OUT)?;
        let validation =
            self.trainer.has(VALIDATION).then(|| self.trainer.measure(VALIDATION)).transpose()?;
        let parameters = self.trainer.measured_parameters()?;
        check_finite(epoch, &held_out, &parameters)?;
        let line = Epoch {
            step: self.trainer.steps() as u64,
            epoch,
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            samples_per_second: train.samples as f64 / took.as_secs_f64(),
            validation: validation
                .map(|v| Validation { validation_loss: v.loss, validation_accuracy: v.accuracy }),
            held_out_loss: held_out.loss,
            held_out_accuracy: held_out.accuracy,
        };
        self.trainer.observe_loss(validation.map_or(train.loss, |validation| validation.loss));
        let verdict = self.judge(epoch, &train, validation.as_ref());
        if verdict == Verdict::Better {
            self.model.parameters = parameters;
            self.best = Some(line.clone());
        }
        self.record.advance(&line);
        self.directory.append(&Event::Epoch(line))?;
        let others: Vec<(&str, Measure)> = validation
            .map(|measure| ("validation", measure))
            .into_iter()
            .chain([("held-out", held_out)])
            .collect();
        display.epoch(epoch, &train, &others, started.elapsed());
        Ok(verdict)
    }

    /// What an epoch means for the run: without early stopping each is better than the one before.
    fn judge(&mut self, epoch: usize, train: &Measure, validation: Option<&Measure>) -> Verdict {
        let Some(stopping) = self.recipe.stop_early else { return Verdict::Better };
        let measure = if stopping.metric.needs_validation() { validation.unwrap_or(train) } else { train };
        let value = if stopping.metric.is_loss() { measure.loss } else { measure.accuracy };
        self.seen.observe(&stopping, epoch, value)
    }

    /// Saves the model and the record, and says how the run went.
    fn close(mut self, outcome: Result<()>, as_json: bool) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let status = match &outcome {
            Ok(()) => Status::Done,
            Err(Error::Diverged(_)) => Status::Diverged,
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
            (Err(first), Err(second)) => return Err(Error::Failure(format!("{first}; and then {second}"))),
            (outcome, kept) => outcome.and(kept),
        };
        match outcome {
            Ok(()) if as_json => self.print_json(seconds),
            Ok(()) => self.print(seconds),
            Err(Error::Diverged(problem)) => Err(Error::Diverged(format!(
                "{problem}: the weights {} are kept in {}; try a lower learning rate than {:?}",
                self.last_good(),
                self.directory.path().display(),
                self.recipe.learning_rate
            ))),
            Err(error) => {
                note(format_args!(
                    "the weights {} are kept in {}",
                    self.last_good(),
                    self.directory.path().display()
                ));
                Err(error)
            }
        }
    }

    fn last_good(&self) -> String {
        match self.best.as_ref().map_or(0, |best| best.epoch) {
            0 => "from before the first step".to_owned(),
            epoch => format!("from the end of epoch {epoch}"),
        }
    }

    fn steps_per_second(&self) -> f64 {
        self.trainer.steps() as f64 / self.stepping.as_secs_f64()
    }

    fn print(&self, seconds: f64) -> Result<()> {
        let Some(last) = &self.best else { return Ok(()) };
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
        let Some(last) = &self.best else { return Ok(()) };
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

/// Weights that are not finite, or give no finite loss, are not worth keeping. A loss alone does
/// not show it: on some GPUs relu makes 0 of NaN.
fn check_finite(epoch: usize, held_out: &Measure, parameters: &[f32]) -> Result<()> {
    let what = if !held_out.loss.is_finite() {
        format!("the held-out loss became {}", held_out.loss)
    } else if let Some(weight) = parameters.iter().find(|weight| !weight.is_finite()) {
        format!("a weight became {weight}")
    } else {
        return Ok(());
    };
    Err(Error::Diverged(format!("{what} in epoch {epoch}")))
}
