//! The files of a run directory, or the same in memory.

use std::path::Path;

use super::observer::{Observer, note};
use crate::error::Result;
use crate::train::recipe::Recipe;
use crate::train::run::model::Model;
use crate::train::run::{Epoch, Event, MetricsSum, Rewound, RunDir, RunRecord, read_metrics};
use crate::train::trainer::Position;

/// A run directory, or the epochs in memory.
#[derive(Debug, Default)]
pub(super) struct Journal {
    directory: Option<RunDir>,
    /// The epochs of a run without a directory.
    epochs: Vec<Epoch>,
}

impl Journal {
    pub fn in_directory(directory: RunDir) -> Journal {
        Journal { directory: Some(directory), epochs: Vec::new() }
    }

    /// The run directory, if there is one.
    pub fn directory(&mut self) -> Option<&mut RunDir> {
        self.directory.as_mut()
    }

    /// The path of the run directory, if there is one and the path still leads to it.
    pub fn path(&self) -> Option<&Path> {
        self.directory.as_ref().filter(|directory| directory.is_in_place()).map(RunDir::path)
    }

    /// Writes recipe and record before the first step.
    pub fn open(&mut self, tensorboard: bool, recipe: &Recipe, record: &RunRecord) -> Result<()> {
        self.write_events(tensorboard)?;
        match &self.directory {
            Some(directory) => directory.write_recipe(recipe),
            None => Ok(()),
        }?;
        self.write_record(record)
    }

    /// Removes the directory of a run that failed before it began.
    pub fn abandon(self) {
        if let Some(directory) = self.directory {
            directory.abandon();
        }
    }

    /// Writes an event file for TensorBoard too, if that is wanted.
    pub fn write_events(&mut self, wanted: bool) -> Result<()> {
        match &mut self.directory {
            Some(directory) if wanted => directory.write_events(),
            _ => Ok(()),
        }
    }

    pub fn write_record(&mut self, record: &RunRecord) -> Result<()> {
        self.directory.as_mut().map_or(Ok(()), |directory| directory.write_record(record))
    }

    /// Writes the model, and returns its checksum, where there is a directory.
    pub fn save_model(&mut self, model: &Model) -> Result<Option<String>> {
        self.directory.as_mut().map(|directory| directory.save_model(model)).transpose()
    }

    pub fn append(&mut self, event: &Event) -> Result<()> {
        match (&mut self.directory, event) {
            (Some(directory), _) => directory.append(event),
            (None, Event::Epoch(line)) => {
                self.epochs.push(line.clone());
                Ok(())
            }
            (None, Event::Steps(_)) => Ok(()),
        }
    }

    /// Forgets what came after a position.
    pub fn rewind(&mut self, position: &Position, sum: Option<&MetricsSum>, id: &str) -> Result<Rewound> {
        if let Some(directory) = &mut self.directory {
            return directory.rewind(position, sum, id);
        }
        self.epochs.retain(|line| line.epoch < position.epoch);
        Ok(Rewound { last: self.epochs.last().cloned(), problem: None })
    }

    /// Writes metrics again that were removed or replaced by hand.
    pub fn put_back(&mut self) {
        if let Some(directory) = &mut self.directory {
            directory.put_back();
        }
    }

    /// Hands over the sentences about files that were changed by hand.
    pub fn tell_notes(&mut self, observer: &mut dyn Observer) {
        let notes = self.directory.as_mut().map(RunDir::take_notes).unwrap_or_default();
        notes.iter().for_each(|sentence| note(observer, sentence));
    }

    /// The finished epochs.
    pub fn epochs(&self) -> Result<Vec<Epoch>> {
        let Some(directory) = &self.directory else { return Ok(self.epochs.clone()) };
        Ok(read_metrics(directory.path())?.events.into_iter().filter_map(Event::into_epoch).collect())
    }
}
