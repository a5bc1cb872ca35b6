//! A training run under way: its epochs, what it writes down, and how it ends.

mod coaching;
mod ending;
mod every;
#[cfg(test)]
mod lost;
mod saving;
mod stopping;
mod watch;

pub use every::Every;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use wgrad::internals::network::lower::{HELD_OUT, VALIDATION};
use wgrad::internals::train::coach::Moment;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::checkpoint::{Checkpoint, Standing};
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::run::{Epoch, Event, RunDir, RunRecord, Steps, Validation};
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::{Measure, Position, Progress, Snapshot, Trainer};
use wgrad::{Error, Result};

use super::progress::Display;
use super::signals::Signals;
use crate::app::cli::OnNan;
use watch::CoachWatch;

/// What a run does besides training, and never changes what it computes.
#[derive(Clone, Debug)]
pub struct RunOptions {
    pub every: Every,
    /// How many checkpoints are kept.
    pub keep: usize,
    /// What happens when a loss or gradient stops being a number.
    pub on_nan: OnNan,
    /// Compare every so manieth step with the twins.
    pub verify: Option<usize>,
    /// Say nothing about the numbers of an epoch.
    pub quiet: bool,
    /// Keep an event file for TensorBoard.
    pub tensorboard: bool,
    pub json: bool,
}

/// Opens the device again, with the run's network and data on it.
pub type Reopen = Box<dyn Fn() -> Result<Trainer>>;

/// A run under way.
pub struct Run {
    trainer: Trainer,
    reopen: Reopen,
    directory: RunDir,
    /// The weights of the last epoch whose losses were all finite; at first the initial ones, or
    /// those that the run was resumed with.
    model: Model,
    record: RunRecord,
    recipe: Recipe,
    options: RunOptions,
    /// None of a run that is quiet.
    watch: Option<CoachWatch>,
    /// What was saved last: where the run can go on from.
    kept: Snapshot,
    standing: Standing,
    /// The run at its smallest validation loss, until that is on the disk as well.
    best: Option<Snapshot>,
    /// How often the device was lost since the last checkpoint.
    losses: usize,
    saved: Instant,
    started: Instant,
    /// When the run is over, however far it has got.
    deadline: Option<Instant>,
    /// The epoch whose weights are in the model.
    shown: Option<Epoch>,
    /// Samples of this epoch that this process trained on, and the time of their steps.
    epoch: Throughput,
    /// Training steps, and the time of them alone.
    stepping: Throughput,
}

/// A number of steps or samples, and the time that they took.
#[derive(Clone, Copy, Debug, Default)]
struct Throughput {
    count: usize,
    time: Duration,
}

impl Throughput {
    fn per_second(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }

    /// The same with more of it.
    fn plus(self, count: usize, time: Duration) -> Throughput {
        Throughput { count: self.count + count, time: self.time + time }
    }
}

impl Run {
    pub fn new(
        mut trainer: Trainer,
        reopen: Reopen,
        directory: RunDir,
        record: RunRecord,
        session: &Session,
        options: RunOptions,
    ) -> Result<Run> {
        let recipe = &session.recipe;
        let model = trainer.to_model()?;
        Ok(Run {
            kept: trainer.snapshot()?,
            trainer,
            reopen,
            directory,
            model,
            record,
            recipe: recipe.clone(),
            watch: (!options.quiet).then(|| CoachWatch::new(recipe)),
            options,
            standing: Standing::default(),
            best: None,
            losses: 0,
            saved: Instant::now(),
            started: Instant::now(),
            deadline: None,
            shown: None,
            epoch: Throughput::default(),
            stepping: Throughput::default(),
        })
    }

    /// A new run: writes what is known before the first step, trains, saves and reports.
    pub fn begin(mut self) -> Result<()> {
        if let Err(error) = self.open() {
            self.directory.abandon();
            return Err(error);
        }
        self.go()
    }

    fn open(&mut self) -> Result<()> {
        self.keep_events()?;
        self.directory.write_recipe(&self.recipe)?;
        self.directory.write_record(&self.record)?;
        self.save()
    }

    /// Goes on from a checkpoint, which the trainer is in the state of.
    pub fn resume(mut self, checkpoint: Checkpoint) -> Result<()> {
        self.standing = checkpoint.standing;
        self.keep_events()?;
        self.rewind()?;
        self.recall()?;
        self.take_up_best()?;
        self.record.resume();
        self.directory.write_record(&self.record)?;
        self.go()
    }

    fn keep_events(&mut self) -> Result<()> {
        if self.options.tensorboard { self.directory.keep_events() } else { Ok(()) }
    }

    fn go(mut self) -> Result<()> {
        let outcome = Signals::catch().and_then(|signals| self.train(&signals));
        self.close(outcome)
    }

    /// Trains what is left of all epochs.
    fn train(&mut self, signals: &Signals) -> Result<()> {
        let mut display = Display::new(self.recipe.epochs, self.trainer.steps_per_epoch());
        (self.started, self.saved) = (Instant::now(), Instant::now());
        let spent = Duration::from_secs_f64(self.standing.seconds);
        self.deadline = self.recipe.max_time.0.map(|limit| self.started + limit.saturating_sub(spent));
        let result = loop {
            let outcome = match self.proceed(&mut display, signals) {
                Err(Error::Device(fault, problem)) => self.recover(fault, problem),
                Err(Error::Diverged(problem)) if self.options.on_nan == OnNan::Rollback => {
                    self.roll_back(problem)
                }
                outcome => outcome,
            };
            match outcome {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        display.finish();
        result
    }

    /// Trains up to the next moment at which something is due: the end of an epoch, a checkpoint,
    /// or the end of the run because it is over or the user wants it.
    fn proceed(&mut self, display: &mut Display, signals: &Signals) -> Result<ControlFlow<()>> {
        if self.trainer.position().epoch > self.recipe.epochs || self.is_stopped() {
            return Ok(ControlFlow::Break(()));
        }
        let watched = self.prepare_look()?;
        let train = self.stretch(display, signals)?;
        self.look(watched)?;
        if let Some(train) = train {
            self.end_epoch(&train, display)?;
        }
        let position = self.trainer.position();
        let done = position.epoch > self.recipe.epochs || self.is_stopped() || self.out_of_time();
        let signal = signals.caught();
        if done || signal.is_some() || self.due(position.steps) {
            self.save()?;
        }
        match signal {
            Some(signal) if !done => Err(self.interrupted(signal)),
            _ if done => {
                self.say_why_it_stopped();
                Ok(ControlFlow::Break(()))
            }
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// Takes steps until something is due.
    fn stretch(&mut self, display: &mut Display, signals: &Signals) -> Result<Option<Measure>> {
        let (started, before) = (Instant::now(), self.trainer.position());
        let epoch = self.epoch;
        let (mut taken, mut trained) = (0, 0);
        let mut written = Ok(());
        let most = self.options.every.steps_from(before.steps).min(self.steps_to_look());
        let (directory, every, saved) = (&mut self.directory, self.options.every, self.saved);
        let deadline = self.deadline;
        let mut observe = |progress: Progress| {
            display.progress(&progress);
            taken += progress.losses.len();
            trained += progress.latest.samples;
            let event = Event::Steps(Steps {
                step: (before.steps + taken) as u64,
                epoch: progress.epoch,
                train_loss: progress.latest.loss,
                train_accuracy: progress.latest.accuracy,
                samples_per_second: epoch.plus(trained, started.elapsed()).per_second(),
                losses: progress.losses.to_vec(),
                gradient_norms: progress.norms.to_vec(),
                learning_rates: progress.rates.to_vec(),
            });
            written = directory.append(&event);
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if written.is_err() || signals.caught().is_some() || late || every.is_over(saved) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let outcome = match self.options.verify.map(|every| every - 1 - before.steps % every) {
            Some(0) => self.trainer.verify(&mut observe),
            Some(plain) => self.trainer.advance(most.min(plain), &mut observe),
            None => self.trainer.advance(most, &mut observe),
        };
        let took = started.elapsed();
        self.epoch = epoch.plus(trained, took);
        self.stepping = self.stepping.plus(taken, took);
        written.and(outcome)
    }

    /// Measures what an epoch has come to, and writes it down.
    fn end_epoch(&mut self, train: &Measure, display: &mut Display) -> Result<()> {
        let Position { epoch: next, steps, .. } = self.trainer.position();
        let epoch = next - 1;
        let trained = std::mem::take(&mut self.epoch);
        let measuring = Instant::now();
        let held_out = self.trainer.measure(HELD_OUT)?;
        let validation =
            self.trainer.has(VALIDATION).then(|| self.trainer.measure(VALIDATION)).transpose()?;
        let parameters = self.trainer.measured_parameters()?;
        check_finite(epoch, &held_out, &parameters)?;
        self.trainer.observe_loss(validation.map_or(train.loss, |validation| validation.loss));
        let line = Epoch {
            step: steps as u64,
            epoch,
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            samples_per_second: trained.per_second(),
            validation: validation
                .map(|v| Validation { validation_loss: v.loss, validation_accuracy: v.accuracy }),
            held_out_loss: held_out.loss,
            held_out_accuracy: held_out.accuracy,
        };
        if self.evaluate(epoch, train, validation.as_ref()) {
            self.model.parameters = parameters;
            self.shown = Some(line.clone());
            self.keep_best()?;
        }
        self.record.advance(&line);
        self.directory.append(&Event::Epoch(line))?;
        if let Some(validation) = validation {
            self.note_best(validation.loss)?;
        }
        let others: Vec<(&str, Measure)> = validation
            .map(|measure| ("validation", measure))
            .into_iter()
            .chain([("held-out", held_out)])
            .collect();
        display.epoch(epoch, train, &others, trained.time + measuring.elapsed());
        self.advise(Moment { epoch, train: *train, validation }, display);
        Ok(())
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
