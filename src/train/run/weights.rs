//! Weights of one network for another: those of the same name and shape.

use std::path::Path;

use super::checkpoint::{self, Checkpoint};
use super::model::{self, Model};
use super::tensors::is_of_format;
use crate::error::{Error, Result};
use crate::program::params::{Arena, ArenaBuilder, Initialiser};

/// Named parameters from a model or a checkpoint.
#[derive(Clone, Debug)]
pub struct Weights {
    arena: Arena,
    /// Laid out as the arena.
    values: Vec<f32>,
}

/// The fate of the parameters, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Taken over.
    pub taken: Vec<String>,
    /// In the new network alone: they keep their first values.
    pub missing: Vec<String>,
    /// In the file alone.
    pub unused: Vec<String>,
    /// In both, with other shapes: they keep their first values.
    pub reshaped: Vec<String>,
}

impl Weights {
    /// Reads the weights of a model, of a checkpoint, or of a run directory: its model, or without one its newest
    /// whole checkpoint. With them come the problems of newer checkpoints.
    ///
    /// # Errors
    /// As [`Model::load`] and [`Checkpoint::load`].
    pub fn load(path: &Path) -> Result<(Weights, Vec<Error>)> {
        if path.is_dir() && !path.join(model::FILE).exists() && !checkpoint::list(path)?.is_empty() {
            let (checkpoint, problems) = checkpoint::newest(path)?;
            return Ok((Weights::of_checkpoint(&checkpoint), problems));
        }
        let weights = if path.is_file() && is_of_format(path, checkpoint::FORMAT) {
            Weights::of_checkpoint(&Checkpoint::load(path)?)
        } else {
            let model = Model::load(path)?;
            Weights { arena: model.arena(), values: model.parameters }
        };
        Ok((weights, Vec::new()))
    }

    /// The weights that a run at this checkpoint measures: their EMA where it has one.
    fn of_checkpoint(checkpoint: &Checkpoint) -> Weights {
        let mut arena = ArenaBuilder::default();
        // Parameters are called by their layer's number; other tensors of a run have no dot in their names.
        for tensor in checkpoint.snapshot.tensors.iter().filter(|tensor| tensor.name.contains('.')) {
            let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
            let first = Initialiser::Constant(0.0);
            if name.contains(".running_") {
                arena.keep(name, shape, first);
            } else {
                arena.add(name, shape, first);
            }
        }
        let arena = arena.place();
        Weights { values: checkpoint.snapshot.measured_parameters(&arena), arena }
    }

    /// Writes those weights that `arena` has as well, by name and shape, into `values`, which are laid out as `arena`.
    pub fn adopt(&self, arena: &Arena, values: &mut [f32]) -> Adopted {
        let mut adopted = Adopted::default();
        for param in &arena.params {
            let name = param.name.clone();
            match self.arena.find(&name) {
                None => adopted.missing.push(name),
                Some(found) if found.shape != param.shape => adopted.reshaped.push(name),
                Some(found) => {
                    let from = &self.values[found.start..][..found.len()];
                    values[param.start..][..param.len()].copy_from_slice(from);
                    adopted.taken.push(name);
                }
            }
        }
        let names = self.arena.params.iter().map(|param| param.name.clone());
        adopted.unused = names.filter(|name| arena.find(name).is_none()).collect();
        adopted
    }
}
