//! Checkpoints of a run under way: when they are due, and going back to the last one.

use std::ops::ControlFlow;
use std::time::Instant;

use super::every::Every;
use super::observer::{Observer, note};
use super::outcome::Ended;
use super::{Run, Throughput};
use crate::error::{DeviceFault, Error, Result};
use crate::train::run::checkpoint::Checkpoint;

/// How often a device may be lost, one loss after the other, without a checkpoint between them.
const MOST_LOSSES: usize = 3;

/// How often a run may go back because of a non-finite value.
const MOST_ROLLBACKS: u32 = 3;

impl Run<'_> {
    /// Whether a checkpoint is due after `steps` steps.
    pub(super) fn due(&self, steps: usize) -> bool {
        let at_step = matches!(self.options.every, Every::Steps(every) if steps.is_multiple_of(every));
        at_step || self.options.every.is_over(self.saved)
    }

    /// Saves a checkpoint, after the best one if that is newer than its file.
    pub(super) fn save(&mut self) -> Result<()> {
        let snapshot = self.trainer.snapshot()?;
        if let Some(problem) = snapshot.non_finite() {
            return Err(Error::Diverged(format!(
                "{problem} after step {} of the run",
                snapshot.position.steps
            )));
        }
        self.standing.seconds += self.started.elapsed().as_secs_f64();
        self.started = Instant::now();
        let checkpoint =
            |snapshot| Checkpoint::new(snapshot, self.standing.clone(), self.recipe, &self.record.digest);
        self.kept = match self.journal.directory() {
            None => snapshot,
            Some(directory) => {
                if let Some(best) = self.best.take() {
                    directory.save_best(&checkpoint(best))?;
                }
                let checkpoint = checkpoint(snapshot);
                directory.save_checkpoint(&checkpoint, self.options.keep)?;
                checkpoint.snapshot
            }
        };
        (self.saved, self.losses) = (Instant::now(), 0);
        Ok(())
    }

    /// Remembers the run as it is now if its validation loss is the smallest so far.
    pub(super) fn note_best(&mut self, loss: f64) -> Result<()> {
        if self.standing.best.is_none_or(|best| loss < best) {
            self.standing.best = Some(loss);
            // Only a file keeps it.
            if self.journal.path().is_some() {
                self.best = Some(self.trainer.snapshot()?);
            }
        }
        Ok(())
    }

    /// Makes the trainer, the metrics and the record what they were at the last checkpoint.
    fn go_back(&mut self) -> Result<()> {
        self.trainer.restore(&self.kept)?;
        self.best = None;
        self.epoch = Throughput::default();
        self.forget();
        self.rewind()
    }

    /// Cuts the metrics and the record back to where the trainer is.
    pub(super) fn rewind(&mut self) -> Result<()> {
        let last = self.journal.rewind(&self.trainer.position())?;
        self.record.rewind(last);
        Ok(())
    }

    /// After the device was lost, or had no more memory: opens it again and goes on from the last
    /// checkpoint.
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
                self.kept.position.steps
            ),
        );
        self.trainer = (self.reopen)().map_err(|error| {
            Error::Device(fault, format!("{problem}; and then, opened again: {}", error.marked()))
        })?;
        self.go_back()?;
        Ok(ControlFlow::Continue(()))
    }

    /// After a non-finite value: goes back to the last checkpoint, with half the learning rate.
    pub(super) fn roll_back(
        &mut self,
        problem: String,
        observer: &mut dyn Observer,
    ) -> Result<ControlFlow<Ended>> {
        if self.standing.rollbacks >= MOST_ROLLBACKS {
            return Err(Error::Diverged(format!(
                "{problem}; the run went back {MOST_ROLLBACKS} times before"
            )));
        }
        self.standing.rollbacks += 1;
        self.record.rollbacks = self.standing.rollbacks;
        self.kept.position.factor *= 0.5;
        self.go_back()?;
        note(
            observer,
            &format!(
                "{problem}; back to step {}, with a learning rate of {:?}",
                self.kept.position.steps,
                self.recipe.learning_rate * self.kept.position.factor
            ),
        );
        self.save()?;
        Ok(ControlFlow::Continue(()))
    }
}
