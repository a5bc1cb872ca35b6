//! Saving a run's position, and going back to one.

use super::checkpoint::{self, Checkpoint};
use super::metrics::{MetricsSum, Rewound};
use super::{Event, RunDir, open_checkpoints};
use crate::error::Result;
use crate::text::shown;
use crate::train::trainer::Position;

impl RunDir {
    /// Appends to the metrics. Other processes can read the event as soon as this returns.
    ///
    /// # Errors
    /// [`Error::Failure`](crate::error::Error::Failure) naming the file, or when the directory is no longer this run's.
    pub fn append(&mut self, event: &Event) -> Result<()> {
        self.check()?;
        self.metrics.append(event)
    }

    /// Goes back to a position: cuts the metrics, removes later checkpoints of the run `id`.
    ///
    /// `sum` is that of the metrics at the position, if known. Damaged metrics are restored as far as they can be. Later
    /// checkpoints that aren't known to be the run's are set aside, as [`RunDir::take_notes`] says.
    ///
    /// # Errors
    /// [`Error::Failure`](crate::error::Error::Failure) naming the file.
    pub fn rewind(&mut self, position: &Position, sum: Option<&MetricsSum>, id: &str) -> Result<Rewound> {
        self.check()?;
        self.put_back();
        self.notes.extend(checkpoint::forget_after(&self.checkpoints, position.steps, id)?);
        self.metrics.rewind(&self.folder, position, sum)
    }

    /// Saves a checkpoint, then removes all but the newest `keep` of its run.
    ///
    /// The metrics that belong to it are written first, and their sum is entered into it. Whatever is wrong with their
    /// files, the checkpoint is saved.
    ///
    /// # Errors
    /// As [`Checkpoint::save`], and when the directory is no longer this run's. Earlier checkpoints are still there then.
    pub fn save_checkpoint(&mut self, checkpoint: &mut Checkpoint, keep: usize) -> Result<()> {
        let in_place = self.folder.is_in_place();
        if in_place {
            self.lock.check()?;
        }
        let synced = self.metrics.sync();
        checkpoint.metrics = Some(self.metrics.sum());
        let steps = checkpoint.snapshot.position.steps;
        let name = checkpoint::name(steps);
        let id = checkpoint.run_id().to_owned();
        if in_place {
            self.make_room(&name, &id)?;
        }
        // The held directory is this run's wherever it is now: a moved one gets its last checkpoint too.
        let saved = checkpoint.save_in(&self.checkpoints, &name);
        self.check()?;
        saved.and(synced)?;
        self.put_back();
        checkpoint::tidy(&self.checkpoints, keep, steps, &id);
        Ok(())
    }

    /// Sees to it that a checkpoint can be written: its folder is there, and nothing but the run's own file is in its place.
    fn make_room(&mut self, name: &str, id: &str) -> Result<()> {
        if !self.checkpoints.is_in_place() {
            self.checkpoints = open_checkpoints(&self.folder).or_else(|error| {
                // What is there is no folder.
                match self.folder.set_aside(checkpoint::FOLDER) {
                    Ok(Some(_)) => open_checkpoints(&self.folder),
                    _ => Err(error),
                }
            })?;
            self.notes.push(format!(
                "{} was removed or replaced while this run worked in it: checkpoints go to the one that is there now",
                shown(self.checkpoints.path())
            ));
        }
        self.notes.extend(checkpoint::set_foreign_aside(&self.checkpoints, name, id)?);
        Ok(())
    }

    /// Saves a checkpoint as the best one.
    ///
    /// # Errors
    /// As [`Checkpoint::save`], and when another process may write to the directory.
    pub fn save_best(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.check_lock()?;
        if self.folder.is_in_place() {
            let id = checkpoint.run_id();
            self.make_room(checkpoint::BEST, id)?;
        }
        checkpoint.save_in(&self.checkpoints, checkpoint::BEST)
    }

    /// Writes the metrics again where they were removed or replaced by hand. [`RunDir::take_notes`] says what was done.
    pub fn put_back(&mut self) {
        if self.folder.is_in_place() && self.lock.check().is_ok() {
            self.notes.extend(self.metrics.put_back(&self.folder));
        }
    }

    /// Sentences about files that were changed by hand, since the last call.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}
