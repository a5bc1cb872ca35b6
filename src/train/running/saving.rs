//! Checkpoints of a run: when they are due, and rolling back.

use std::ops::ControlFlow;
use std::time::Instant;

use super::every::Every;
use super::observer::{Observer, note};
use super::outcome::Ended;
use super::{Run, Throughput};
use crate::error::{DeviceFault, Error, Result};
use crate::train::run::checkpoint::{Best, Checkpoint, RunState};
use crate::train::run::{MetricsSum, Rewound, RunRecord};
use crate::train::trainer::Snapshot;

/// The most losses of a device between two checkpoints.
const MOST_LOSSES: usize = 3;

/// The most rollbacks of a run.
const MOST_ROLLBACKS: u32 = 3;

impl Run<'_> {
    /// Whether a checkpoint is due after `steps` steps.
    pub(super) fn due(&self, steps: usize) -> bool {
        let at_step = matches!(self.options.every, Every::Steps(every) if steps.is_multiple_of(every));
        at_step || self.options.every.is_over(self.saved_at)
    }

    /// Saves a checkpoint, and before it an unsaved best one.
    pub(super) fn save(&mut self) -> Result<()> {
        let snapshot = self.trainer.snapshot()?;
        if let Some(problem) = snapshot.non_finite() {
            return Err(Error::Diverged(format!(
                "{problem} after step {} of the run",
                snapshot.position.steps
            )));
        }
        self.state.seconds += self.started.elapsed().as_secs_f64();
        self.started = Instant::now();
        self.saved = if self.journal.directory().is_some() { self.write(snapshot)? } else { snapshot };
        (self.saved_state, self.displaced) = (self.state.clone(), None);
        (self.saved_at, self.losses) = (Instant::now(), 0);
        Ok(())
    }

    /// Writes a checkpoint, and before it an unsaved best one.
    fn write(&mut self, snapshot: Snapshot) -> Result<Snapshot> {
        let record = RunRecord { seconds: self.state.seconds, ..self.record.clone() };
        let checkpoint = |snapshot| Checkpoint {
            record: Some(record.clone()),
            ..Checkpoint::new(snapshot, self.state.clone(), self.recipe, &record.digest)
        };
        let keeps_best = self.keeps_best();
        let Some(directory) = self.journal.directory() else { return Ok(snapshot) };
        if let Some((best, state)) = self.best.take() {
            directory.save_best(&Checkpoint { state, ..checkpoint(best) })?;
        }
        let mut checkpoint = checkpoint(snapshot);
        // The best weights are lent to the checkpoint, not copied: a network may take much of the memory.
        if let Some(epoch) = self.model_epoch.clone().filter(|_| keeps_best) {
            checkpoint.best = Some(Best { epoch, parameters: std::mem::take(&mut self.model.parameters) });
        }
        let saved = directory.save_checkpoint(&mut checkpoint, self.options.keep);
        if let Some(best) = checkpoint.best {
            self.model.parameters = best.parameters;
        }
        saved.map(|()| checkpoint.snapshot)
    }

    /// Remembers the run if its validation loss is the smallest so far.
    pub(super) fn note_best(&mut self, loss: f64) -> Result<()> {
        if self.state.best.is_none_or(|best| loss < best) {
            self.state.best = Some(loss);
            // Only a run directory has a best checkpoint.
            if self.journal.path().is_some() {
                self.best = Some((self.trainer.snapshot()?, self.state.clone()));
            }
        }
        Ok(())
    }

    /// Restores the trainer, the metrics and the record from the last checkpoint.
    fn go_back(&mut self, observer: &mut dyn Observer) -> Result<()> {
        self.trainer.restore(&self.saved)?;
        self.best = None;
        // What the lost epochs have told is told again when they are computed again.
        let RunState { best, stopping, .. } = self.saved_state.clone();
        (self.state.best, self.state.stopping) = (best, stopping);
        if let Some((parameters, epoch)) = self.displaced.take() {
            (self.model.parameters, self.model_epoch) = (parameters, epoch);
        }
        let saved = self.saved.position.steps as u64;
        if self.model_epoch.as_ref().is_some_and(|shown| shown.step > saved) {
            self.model_epoch = None;
            self.model.parameters = self.saved.measured_parameters(&self.model.arena());
        }
        self.epoch = Throughput::default();
        self.forget();
        self.rewind(None, observer)
    }

    /// Cuts the metrics and the record back to the trainer's position, and says what was damaged.
    pub(super) fn rewind(&mut self, sum: Option<&MetricsSum>, observer: &mut dyn Observer) -> Result<()> {
        let rewound = self.journal.rewind(&self.trainer.position(), sum, &self.record.id);
        self.journal.tell_notes(observer);
        let Rewound { last, problem } = rewound?;
        if let Some(problem) = problem {
            note(observer, &problem);
        }
        self.record.rewind(last);
        Ok(())
    }

    /// Opens a lost device again and goes on from the last checkpoint. A device that ran out of memory is treated the same.
    pub(super) fn recover(
        &mut self,
        fault: DeviceFault,
        problem: String,
        observer: &mut dyn Observer,
    ) -> Result<ControlFlow<Ended>> {
        if self.losses >= MOST_LOSSES {
            return Err(Error::Device(fault, format!("{problem}; it was opened again {MOST_LOSSES} times")));
        }
        self.losses += 1;
        note(
            observer,
            &format!(
                "{problem}; the device is opened again, to go on from step {}",
                self.saved.position.steps
            ),
        );
        self.trainer = (self.reopen)().map_err(|error| {
            Error::Device(fault, format!("{problem}; and then, opened again: {}", error.marked()))
        })?;
        self.go_back(observer)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Goes back to the last checkpoint, at half the learning rate.
    pub(super) fn roll_back(
        &mut self,
        problem: String,
        observer: &mut dyn Observer,
    ) -> Result<ControlFlow<Ended>> {
        if self.state.rollbacks >= MOST_ROLLBACKS {
            return Err(Error::Diverged(format!(
                "{problem}; the run went back {MOST_ROLLBACKS} times before"
            )));
        }
        self.state.rollbacks += 1;
        self.record.rollbacks = self.state.rollbacks;
        self.saved.position.factor *= 0.5;
        self.go_back(observer)?;
        note(
            observer,
            &format!(
                "{problem}; back to step {}, with a learning rate of {:?}",
                self.saved.position.steps,
                self.recipe.learning_rate * self.saved.position.factor
            ),
        );
        self.save()?;
        Ok(ControlFlow::Continue(()))
    }
}
