//! The training loop: measuring, saving, rolling back, and ending.
//!
//! A program gives the loop an [`Observer`] and a run directory. Without a directory everything stays in memory. Nothing
//! here changes what training computes.

mod coaching;
mod ending;
mod every;
mod journal;
mod lines;
#[cfg(test)]
mod lost;
mod observer;
mod outcome;
mod patience;
mod saving;
mod stopping;
mod throughput;
mod unfinished;
mod watch;

pub use every::Every;
use observer::note;
pub use observer::{EpochReport, Observer, Silent};
pub use outcome::{Ended, Trained};

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{DeviceFault, Error, Result};
use crate::train::coach::EpochMeasures;
use crate::train::recipe::{OnNan, Recipe};
use crate::train::run::checkpoint::{Checkpoint, RunState};
use crate::train::run::model::Model;
use crate::train::run::{Epoch, Event, RunDir, RunRecord};
use crate::train::trainer::{Measure, Position, Progress, Snapshot, Trainer};
use journal::Journal;
use lines::{epoch_line, steps_line};
use throughput::Throughput;
use watch::CoachWatch;

/// Options of a run. They do not change what training computes.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How often a checkpoint is saved.
    pub every: Every,
    /// The number of checkpoints that stay in a run directory.
    pub keep: usize,
    /// Check every Nth step against the twins, dispatch by dispatch.
    pub verify: Option<usize>,
    /// Whether the observer gets advice after epochs.
    pub coach: bool,
    /// Whether a run directory has an event file for TensorBoard.
    pub tensorboard: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            every: Every::Time(Duration::from_secs(60)),
            keep: 2,
            verify: None,
            coach: true,
            tensorboard: false,
        }
    }
}

/// Opens the device again, with the run's network and data on it.
pub type Reopen<'a> = Box<dyn Fn() -> Result<Trainer> + 'a>;

/// Tells from any thread whether a run is to end.
pub type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// A run under way.
pub struct Run<'a> {
    trainer: Trainer,
    reopen: Reopen<'a>,
    journal: Journal,
    /// The model of the last epoch with finite losses. At first it has the initial weights, or those of the resumed
    /// run.
    model: Model,
    record: RunRecord,
    recipe: &'a Recipe,
    options: RunOptions,
    coach: Option<CoachWatch>,
    /// The last checkpoint, from which the run can go on.
    saved: Snapshot,
    state: RunState,
    /// The state at the last checkpoint.
    saved_state: RunState,
    /// The best weights of early stopping at the last checkpoint with their epoch, once better ones are in the model.
    displaced: Option<(Vec<f32>, Option<Epoch>)>,
    /// The run at its smallest validation loss, until that is saved.
    best: Option<(Snapshot, RunState)>,
    /// The number of lost devices since the last checkpoint.
    losses: usize,
    saved_at: Instant,
    started: Instant,
    /// The end of the time limit.
    deadline: Option<Instant>,
    /// Whether the run is to end, asked while the device works.
    stop: Option<Stop>,
    /// The epoch whose weights are in the model.
    model_epoch: Option<Epoch>,
    /// Samples of this epoch that this process trained on, and their time.
    epoch: Throughput,
    /// Training steps, and their time without measuring.
    stepping: Throughput,
    /// Whether the observer has asked for the end of the run.
    asked: bool,
    /// Whether the model has the weights of the last checkpoint, not those of an epoch.
    model_is_kept: bool,
}

impl<'a> Run<'a> {
    /// A run in memory; [`Run::in_directory`] gives it a directory. `record` is that of a run with this recipe.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub fn new(
        mut trainer: Trainer,
        reopen: Reopen<'a>,
        recipe: &'a Recipe,
        record: RunRecord,
        options: RunOptions,
    ) -> Result<Run<'a>> {
        Ok(Run {
            saved: trainer.snapshot()?,
            model: trainer.to_model()?,
            trainer,
            reopen,
            journal: Journal::default(),
            record,
            recipe,
            coach: options.coach.then(|| CoachWatch::new(recipe)),
            options,
            state: RunState::default(),
            saved_state: RunState::default(),
            displaced: None,
            best: None,
            losses: 0,
            saved_at: Instant::now(),
            started: Instant::now(),
            deadline: None,
            stop: None,
            model_epoch: None,
            epoch: Throughput::default(),
            stepping: Throughput::default(),
            asked: false,
            model_is_kept: false,
        })
    }

    /// The same run in a run directory.
    pub fn in_directory(self, directory: RunDir) -> Run<'a> {
        Run { journal: Journal::in_directory(directory), ..self }
    }

    /// Trains a new run to its end.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a number is not finite, [`Error::Check`] when a step differs from the twins,
    /// [`Error::Device`] when the device was lost several times without a checkpoint between, [`Error::Failure`] when a file can't be written.
    pub fn begin(mut self, observer: &mut dyn Observer) -> Result<Trained> {
        if let Err(error) = self.open() {
            self.journal.abandon();
            return Err(error);
        }
        self.go(observer)
    }

    fn open(&mut self) -> Result<()> {
        self.journal.open(self.options.tensorboard, self.recipe, &self.record)?;
        self.save()
    }

    /// Goes on from a checkpoint, which the trainer has restored.
    ///
    /// # Errors
    /// As [`Run::begin`], and [`Error::Data`] when the run directory can't be read.
    pub fn resume(mut self, checkpoint: Checkpoint, observer: &mut dyn Observer) -> Result<Trained> {
        // The run has a copy of its own by now.
        drop(checkpoint.snapshot);
        let changed = checkpoint.recipe != self.recipe.to_toml();
        self.state = checkpoint.state;
        self.saved_state = self.state.clone();
        self.journal.write_events(self.options.tensorboard)?;
        self.rewind(checkpoint.metrics.as_ref(), observer)?;
        self.recall()?;
        self.load_best(checkpoint.best, observer)?;
        self.record.resume();
        self.journal.write_record(&self.record)?;
        if changed {
            // What was asked for now, such as more epochs, holds after a kill as well.
            self.save()?;
        }
        self.go(observer)
    }

    fn go(mut self, observer: &mut dyn Observer) -> Result<Trained> {
        if let Some(warning) = self.recipe.loss.warning(&self.recipe.network) {
            note(observer, &format!("warning: {warning}"));
        }
        let outcome = self.train(observer);
        observer.ended();
        self.close(outcome, observer)
    }

    /// Trains the epochs that are left.
    fn train(&mut self, observer: &mut dyn Observer) -> Result<Ended> {
        (self.started, self.saved_at) = (Instant::now(), Instant::now());
        let spent = Duration::from_secs_f64(self.state.seconds);
        self.deadline = self.recipe.max_time.0.map(|limit| self.started + limit.saturating_sub(spent));
        self.bound_waiting();
        loop {
            let outcome = match self.proceed(observer) {
                Err(Error::Device(DeviceFault::GivenUp, problem)) => Err(self.given_up(&problem)),
                Err(Error::Device(fault, problem)) => {
                    let recovered = self.recover(fault, problem, observer);
                    self.bound_waiting();
                    recovered
                }
                Err(Error::Diverged(problem)) if self.recipe.on_nan == OnNan::Rollback => {
                    self.roll_back(problem, observer)
                }
                outcome => outcome,
            };
            self.journal.tell_notes(observer);
            if let ControlFlow::Break(ended) = outcome? {
                return Ok(ended);
            }
        }
    }

    /// Trains until something is due. That is the end of an epoch or of the run, or a checkpoint. The observer may
    /// end the run too.
    fn proceed(&mut self, observer: &mut dyn Observer) -> Result<ControlFlow<Ended>> {
        if let Some(ended) = self.ended() {
            return Ok(ControlFlow::Break(ended));
        }
        // A resumed run may have used up its time, and only its model is missing.
        if self.out_of_time() && self.trainer.position().steps > 0 {
            self.measure_unfinished()?;
            self.note_early_end(observer);
            return Ok(ControlFlow::Break(Ended::OutOfTime));
        }
        let before = self.weights_to_observe()?;
        let train = self.take_steps(observer)?;
        self.observe_step(before)?;
        if let Some(train) = train {
            self.end_epoch(&train, observer)?;
        }
        let ended = self.ended().or_else(|| self.out_of_time().then_some(Ended::OutOfTime));
        self.asked |= observer.stop();
        if ended == Some(Ended::OutOfTime) {
            self.measure_unfinished()?;
        }
        if ended.is_some() || self.asked || self.due(self.trainer.position().steps) {
            self.save()?;
        }
        Ok(match ended {
            Some(ended) => {
                observer.ended();
                self.note_early_end(observer);
                ControlFlow::Break(ended)
            }
            None if self.asked => ControlFlow::Break(Ended::ByObserver),
            None => ControlFlow::Continue(()),
        })
    }

    /// Takes steps until something is due.
    fn take_steps(&mut self, observer: &mut dyn Observer) -> Result<Option<Measure>> {
        let (started, before) = (Instant::now(), self.trainer.position());
        let epoch = self.epoch;
        let (mut taken, mut trained) = (0, 0);
        let (mut written, mut asked) = (Ok(()), false);
        let most = self.options.every.steps_from(before.steps).min(self.steps_to_observed());
        let (journal, every, saved) = (&mut self.journal, self.options.every, self.saved_at);
        let deadline = self.deadline;
        let mut observe = |progress: Progress| {
            observer.progress(&progress);
            taken += progress.losses.len();
            trained += progress.latest.samples;
            let per_second = epoch.plus(trained, started.elapsed()).per_second();
            written = journal.append(&Event::Steps(steps_line(&progress, before.steps + taken, per_second)));
            asked |= observer.stop();
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if written.is_err() || asked || late || every.is_over(saved) {
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
        self.asked |= asked;
        self.epoch = epoch.plus(trained, took);
        self.stepping = self.stepping.plus(taken, took);
        written.and(outcome)
    }

    /// Measures an epoch at its end, and writes the metrics.
    fn end_epoch(&mut self, train: &Measure, observer: &mut dyn Observer) -> Result<()> {
        let position = self.trainer.position();
        let epoch = position.epoch - 1;
        let trained = std::mem::take(&mut self.epoch);
        let measuring = Instant::now();
        let (held_out, validation) = self.measure_others()?;
        let parameters = self.trainer.measured_parameters()?;
        check_finite(epoch, &held_out, &parameters)?;
        self.trainer.observe_loss(validation.map_or(train.loss, |validation| validation.loss));
        let position = Position { epoch, ..position };
        let line = epoch_line(position, trained, train, &held_out, validation.as_ref());
        if self.is_best(epoch, train, validation.as_ref()) {
            self.take_best(line.clone(), parameters)?;
        }
        self.record.advance(&line);
        self.journal.append(&Event::Epoch(line))?;
        if let Some(validation) = validation {
            self.note_best(validation.loss)?;
        }
        let took = trained.time + measuring.elapsed();
        observer.epoch(&EpochReport { epoch, train: *train, validation, held_out, took });
        self.advise(EpochMeasures { epoch, train: *train, validation }, observer);
        Ok(())
    }
}

/// Checks that an epoch's loss and weights are finite. A loss alone does not show it: on some GPUs relu makes 0 of
/// NaN.
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
