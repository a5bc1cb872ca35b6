//! Training from the first epoch to the last: measuring, saving, going back, and the end.
//!
//! One loop for all: a program gives it a run directory and an [`Observer`] that draws; without a directory everything
//! stays in memory. Nothing here changes what training computes.

mod coaching;
mod ending;
mod every;
mod journal;
mod lines;
#[cfg(test)]
mod lost;
mod observer;
mod outcome;
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
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::train::coach::Moment;
use crate::train::recipe::{OnNan, Recipe};
use crate::train::run::checkpoint::{Checkpoint, Standing};
use crate::train::run::model::Model;
use crate::train::run::{Epoch, Event, RunDir, RunRecord};
use crate::train::trainer::{Measure, Position, Progress, Snapshot, Trainer};
use journal::Journal;
use lines::{epoch_line, steps_line};
use throughput::Throughput;
use watch::CoachWatch;

/// Options of a run, none of which changes what training computes.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How often a checkpoint is saved.
    pub every: Every,
    /// How many checkpoints are kept in a run directory.
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

/// A run under way.
pub struct Run<'a> {
    trainer: Trainer,
    reopen: Reopen<'a>,
    journal: Journal,
    /// The weights of the last epoch whose losses were all finite; at first the initial ones, or
    /// those that the run was resumed with.
    model: Model,
    record: RunRecord,
    recipe: &'a Recipe,
    options: RunOptions,
    coach: Option<CoachWatch>,
    /// The last checkpoint, from which the run can go on.
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
    /// Whether the observer wants the run to end.
    asked: bool,
    /// Whether the model has the weights of the last checkpoint, not those of an epoch.
    model_is_kept: bool,
}

impl<'a> Run<'a> {
    /// A run that keeps everything in memory, until [`Run::keep_in`] says otherwise. `record` is that of a run with
    /// this recipe.
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
            kept: trainer.snapshot()?,
            model: trainer.to_model()?,
            trainer,
            reopen,
            journal: Journal::default(),
            record,
            recipe,
            coach: options.coach.then(|| CoachWatch::new(recipe)),
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
            asked: false,
            model_is_kept: false,
        })
    }

    /// The same run, kept in a run directory.
    pub fn keep_in(self, directory: RunDir) -> Run<'a> {
        Run { journal: Journal::in_directory(directory), ..self }
    }

    /// Trains a new run to its end.
    ///
    /// # Errors
    /// [`Error::Diverged`] when a number is not finite, [`Error::Check`] when a step is not what the twins make of it,
    /// [`Error::Device`] when the device was lost again and again, [`Error::Failure`] when a file can't be written.
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

    /// Goes on from a checkpoint, which the trainer is in the state of.
    ///
    /// # Errors
    /// As [`Run::begin`], and [`Error::Data`] when the run directory can't be read.
    pub fn resume(mut self, checkpoint: Checkpoint, observer: &mut dyn Observer) -> Result<Trained> {
        self.standing = checkpoint.standing;
        self.journal.keep_events(self.options.tensorboard)?;
        self.rewind()?;
        self.recall()?;
        self.load_best()?;
        self.record.resume();
        self.journal.write_record(&self.record)?;
        self.go(observer)
    }

    fn go(mut self, observer: &mut dyn Observer) -> Result<Trained> {
        if let Some(warning) = self.recipe.loss.warning(&self.recipe.network) {
            note(observer, &format!("warning: {warning}"));
        }
        let outcome = self.train(observer);
        self.close(outcome, observer)
    }

    /// Trains what is left of all epochs.
    fn train(&mut self, observer: &mut dyn Observer) -> Result<Ended> {
        (self.started, self.saved) = (Instant::now(), Instant::now());
        let spent = Duration::from_secs_f64(self.standing.seconds);
        self.deadline = self.recipe.max_time.0.map(|limit| self.started + limit.saturating_sub(spent));
        loop {
            let outcome = match self.proceed(observer) {
                Err(Error::Device(fault, problem)) => self.recover(fault, problem, observer),
                Err(Error::Diverged(problem)) if self.recipe.on_nan == OnNan::Rollback => {
                    self.roll_back(problem, observer)
                }
                outcome => outcome,
            };
            if let ControlFlow::Break(ended) = outcome? {
                return Ok(ended);
            }
        }
    }

    /// Trains up to the next moment at which something is due: the end of an epoch, a checkpoint,
    /// or the end of the run because it is over or the observer wants it.
    fn proceed(&mut self, observer: &mut dyn Observer) -> Result<ControlFlow<Ended>> {
        if let Some(ended) = self.ended() {
            return Ok(ControlFlow::Break(ended));
        }
        let watched = self.prepare_look()?;
        let train = self.stretch(observer)?;
        self.look(watched)?;
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
                self.say_why_it_stopped(observer);
                ControlFlow::Break(ended)
            }
            None if self.asked => ControlFlow::Break(Ended::Asked),
            None => ControlFlow::Continue(()),
        })
    }

    /// Takes steps until something is due.
    fn stretch(&mut self, observer: &mut dyn Observer) -> Result<Option<Measure>> {
        let (started, before) = (Instant::now(), self.trainer.position());
        let epoch = self.epoch;
        let (mut taken, mut trained) = (0, 0);
        let (mut written, mut asked) = (Ok(()), false);
        let most = self.options.every.steps_from(before.steps).min(self.steps_to_look());
        let (journal, every, saved) = (&mut self.journal, self.options.every, self.saved);
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

    /// Measures what an epoch has come to, and writes it down.
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
            self.model.parameters = parameters;
            self.shown = Some(line.clone());
            self.save_best_model()?;
        }
        self.record.advance(&line);
        self.journal.append(&Event::Epoch(line))?;
        if let Some(validation) = validation {
            self.note_best(validation.loss)?;
        }
        let took = trained.time + measuring.elapsed();
        observer.epoch(&EpochReport { epoch, train: *train, validation, held_out, took });
        self.advise(Moment { epoch, train: *train, validation }, observer);
        Ok(())
    }
}

/// Checks that an epoch's weights are worth keeping: finite, and with a finite loss. A loss alone does
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
