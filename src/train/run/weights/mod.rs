//! Weights of one network for another, from files of wgrad or of other programs.

mod adopted;
mod foreign;
mod matching;

use std::collections::HashSet;
use std::path::Path;

pub use adopted::Adopted;
pub(super) use foreign::ForeignFile;
use matching::layer_of;

use crate::error::{Error, Result};
use crate::program::params::{Arena, ArenaBuilder, Initialiser, Param};
use crate::train::run::checkpoint::{self, Checkpoint};
use crate::train::run::model::{self, Model};
use crate::train::run::tensors::format_of;

/// Named parameters from a file.
#[derive(Debug)]
pub struct Weights(Source);

/// Weights, and where they are from.
#[derive(Debug)]
pub struct Loaded {
    /// The weights.
    pub weights: Weights,
    /// The steps of the checkpoint that they are from; none when they are a model's.
    pub checkpoint: Option<usize>,
    /// The problems of a damaged model, and of newer checkpoints.
    pub skipped: Vec<Error>,
}

impl Loaded {
    fn of(checkpoint: &Checkpoint, skipped: Vec<Error>) -> Loaded {
        let steps = checkpoint.snapshot.position.steps;
        Loaded { weights: Weights::of_checkpoint(checkpoint), checkpoint: Some(steps), skipped }
    }
}

/// The weights of a run whose model can't be loaded for this `problem`.
fn of_checkpoints(run: &Path, problem: Error) -> Result<Loaded> {
    let has_model = run.join(model::FILE).exists();
    if checkpoint::list(run)?.is_empty() {
        return Err(problem);
    }
    let (checkpoint, mut skipped) = match checkpoint::newest(run) {
        Err(_) if has_model => return Err(problem),
        newest => newest?,
    };
    if has_model {
        skipped.insert(0, problem);
    }
    Ok(Loaded::of(&checkpoint, skipped))
}

#[derive(Debug)]
enum Source {
    /// From a model or a checkpoint, laid out as the arena.
    Own(Arena, Vec<f32>),
    /// From another program.
    Foreign(Box<ForeignFile>),
}

impl Weights {
    /// Reads the weights of a model, of a checkpoint, of another program's safetensors file, or of a run directory: its
    /// model, or without a whole one its newest whole checkpoint.
    ///
    /// # Errors
    /// As [`Model::load`] and [`Checkpoint::load`].
    pub fn load(path: &Path) -> Result<Loaded> {
        let format = if path.is_file() { format_of(path) } else { None };
        let weights = match format.as_deref() {
            Some(checkpoint::FORMAT) => return Ok(Loaded::of(&Checkpoint::load(path)?, Vec::new())),
            None | Some(model::FORMAT) => match Model::load(path) {
                Ok(model) => Weights(Source::Own(model.arena(), model.parameters)),
                Err(problem) if path.is_dir() => return of_checkpoints(path, problem),
                Err(problem) => return Err(problem),
            },
            Some(_) => Weights(Source::Foreign(Box::new(ForeignFile::open(path)?))),
        };
        Ok(Loaded { weights, checkpoint: None, skipped: Vec::new() })
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
        let values = checkpoint.snapshot.measured_parameters(&arena);
        Weights(Source::Own(arena, values))
    }

    /// Writes those weights that `arena` has as well into `values`, which are laid out as `arena`.
    ///
    /// They are matched by name and shape. Those of another program are matched by the order of the layers and their
    /// shapes if not all names agree and every layer finds its own so, or if no names agree.
    ///
    /// # Errors
    /// [`Error::Data`] for another program's file: none of its layers fits, one could be one or another, or has values
    /// that can't be used.
    pub fn adopt(self, arena: &Arena, values: &mut [f32]) -> Result<Adopted> {
        let (own, own_values) = match self.0 {
            Source::Foreign(file) => return file.adopt(arena, values),
            Source::Own(own, own_values) => (own, own_values),
        };
        let is_reshaped =
            |param: &&Param| own.find(&param.name).is_some_and(|found| found.shape != param.shape);
        // Half a layer computes nothing of use.
        let torn: HashSet<&str> =
            arena.params.iter().filter(is_reshaped).map(|param| layer_of(&param.name)).collect();
        let mut adopted = Adopted::default();
        for param in &arena.params {
            let name = param.name.clone();
            match own.find(&name) {
                None => adopted.missing.push(name),
                Some(_) if torn.contains(layer_of(&name)) => adopted.reshaped.push(name),
                Some(found) => {
                    let from = &own_values[found.start..][..found.len()];
                    values[param.start..][..param.len()].copy_from_slice(from);
                    adopted.taken.push(name);
                }
            }
        }
        let names = own.params.iter().map(|param| param.name.clone());
        adopted.unused = names.filter(|name| arena.find(name).is_none()).collect();
        Ok(adopted)
    }
}
