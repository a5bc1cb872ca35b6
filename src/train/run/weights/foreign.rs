//! A safetensors file of another program, such as a `state_dict` that PyTorch saved.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use safetensors::Dtype;

use super::adopted::Adopted;
use super::matching::{ByOrder, Pair, Tensor, by_name, by_order, list, sizes, skips_a_layer};
use crate::error::{Error, Result};
use crate::program::params::Arena;
use crate::text::{shorten, shown};
use crate::train::run::tensors::{Advice, Tensors, is_counter, is_real};

const ADVICE: Advice = Advice {
    damaged: "so take another copy of it",
    foreign: "so save it with save_file of safetensors.torch",
};

/// A file with names, shapes and types of its tensors; values are read when it is known which.
#[derive(Debug)]
pub(crate) struct ForeignFile {
    path: PathBuf,
    file: Tensors,
    /// All but the counters of batch normalisation.
    tensors: Vec<Tensor>,
}

/// Pairs, or what was found by names and by order where neither is complete.
type Matched = Result<Vec<Pair>, (Vec<Pair>, ByOrder)>;

impl ForeignFile {
    /// Opens any safetensors file, whatever its metadata say.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a file that is missing, [`Error::Data`] for one that is none or is damaged.
    pub fn open(path: &Path) -> Result<ForeignFile> {
        if !path.exists() {
            return Err(Error::NotFound(format!("{} doesn't exist, so check the path", shown(path))));
        }
        let file = Tensors::open(path, ADVICE)
            .map_err(|problem| Error::Data(format!("{} {problem}", shown(path))))?;
        let names = file.names().into_iter().filter(|name| !is_counter(name));
        let tensors = names.filter_map(|name| {
            let shape = file.info(&name)?.shape.clone();
            Some(Tensor { name, shape })
        });
        Ok(ForeignFile { path: path.to_owned(), tensors: tensors.collect(), file })
    }

    /// Reads the parameters that the file has into `values`, which are laid out as `arena`.
    ///
    /// # Errors
    /// [`Error::Data`] when no layer fits or one could be one or another, and for values that can't be used.
    pub fn adopt(mut self, arena: &Arena, values: &mut [f32]) -> Result<Adopted> {
        let wanted = wanted(arena);
        let pairs = match self.matched(&wanted) {
            Ok(pairs) => pairs,
            // The more of both; names that agree by chance are few.
            Err((by_name, order)) if by_name.len() >= order.pairs.len() && !by_name.is_empty() => by_name,
            Err((_, ByOrder { ambiguous: Some(why), .. })) => return Err(self.problem(&why)),
            Err((_, order)) if order.pairs.is_empty() => {
                return Err(self.problem(&self.unmatched(&wanted, order)));
            }
            Err((_, order)) => order.pairs,
        };
        self.take(&pairs, arena, values)
    }

    /// Reads all parameters, laid out as `arena`. Every tensor of the file must be one.
    ///
    /// # Errors
    /// [`Error::Data`] naming what is missing, left over or of another shape, and for values that can't be used.
    pub fn adopt_all(mut self, arena: &Arena) -> Result<(Vec<f32>, Adopted)> {
        let wanted = wanted(arena);
        match self.matched(&wanted) {
            Ok(pairs) if pairs.len() == self.tensors.len() => {
                // The file has at least a byte for each, but it may be larger than the memory.
                let (mut values, bytes) = (Vec::new(), 4 * arena.len());
                values.try_reserve_exact(arena.len()).map_err(|_| {
                    self.problem(&format!("makes a model of {bytes} bytes, more memory than there is"))
                })?;
                values.resize(arena.len(), 0.0);
                let adopted = self.take(&pairs, arena, &mut values)?;
                Ok((values, adopted))
            }
            Ok(pairs) => {
                let used: HashSet<usize> = pairs.iter().map(|(_, at)| *at).collect();
                let left = (0..self.tensors.len()).filter(|at| !used.contains(at));
                let left = left.map(|at| described(&self.tensors[at])).collect();
                Err(self.problem(&format!(
                    "has tensors for which the ⟨network⟩ has no use, so add their layers to it: {}",
                    list(left)
                )))
            }
            Err((_, order)) => Err(self.problem(&self.unmatched(&wanted, order))),
        }
    }

    /// Pairs for all parameters: by their names, or by the order of the layers. Names count for nothing where a layer is
    /// left out before the last one that they name, and could be that one: then its numbers are counted otherwise.
    fn matched(&self, wanted: &[Tensor]) -> Matched {
        let names = by_name(wanted, &self.tensors);
        let names = if skips_a_layer(&names, &self.tensors) { Vec::new() } else { names };
        if names.len() == wanted.len() {
            return Ok(names);
        }
        let order = by_order(wanted, &self.tensors);
        if order.pairs.len() == wanted.len() { Ok(order.pairs) } else { Err((names, order)) }
    }

    /// Why not every parameter has its tensor, as the end of a sentence.
    fn unmatched(&self, wanted: &[Tensor], order: ByOrder) -> String {
        let found = |name: &str| self.tensors.iter().find(|tensor| tensor.name == name);
        if wanted.iter().all(|tensor| found(&tensor.name).is_some()) {
            let other = wanted.iter().find_map(|ours| {
                let theirs = found(&ours.name).filter(|theirs| theirs.shape != ours.shape)?;
                let (got, expected) = (sizes(&theirs.shape), sizes(&ours.shape));
                Some(format!(
                    "has the tensor “{}” of shape {got}, where the ⟨network⟩ needs {expected}, so write the network \
                     that it was trained with, and its images' shape",
                    shorten(&ours.name)
                ))
            });
            return other.unwrap_or_default();
        }
        if let Some(why) = order.ambiguous {
            return why;
        }
        let left = match order.left.is_empty() {
            true => "nothing is left over".to_owned(),
            false => format!("left over are {}", list(order.left)),
        };
        format!(
            "has nothing that fits {} of the ⟨network⟩, and {left}, so write the network that it was trained with, and \
             its images' shape",
            list(order.missing)
        )
    }

    /// Reads the values of pairs.
    fn take(&mut self, pairs: &[Pair], arena: &Arena, values: &mut [f32]) -> Result<Adopted> {
        let mut adopted = Adopted::default();
        let mut dtypes: Vec<Dtype> = Vec::new();
        for (ours, theirs) in pairs {
            let (param, name) = (&arena.params[*ours], &self.tensors[*theirs].name);
            let dtype = self.file.info(name).map_or(Dtype::F32, |info| info.dtype);
            if !is_real(dtype) {
                return Err(self.problem(&format!(
                    "has the tensor “{}” as {dtype}, which can't become F32, so save it as F32",
                    shorten(name)
                )));
            }
            let values = &mut values[param.start..][..param.len()];
            let read = self.file.read_real(name, values);
            read.map_err(|problem| self.problem(&problem))?;
            let negative = values.iter().position(|value| *value < 0.0);
            if let Some(at) = negative.filter(|_| param.name.ends_with(".running_var")) {
                return Err(self.problem(&format!(
                    "has {} at index {at} of “{}”, and a variance is not negative, so save the weights again",
                    values[at],
                    shorten(name)
                )));
            }
            if dtype != Dtype::F32 && !dtypes.contains(&dtype) {
                dtypes.push(dtype);
            }
            adopted.taken.push(param.name.clone());
            if *name != param.name {
                adopted.renamed.push((name.clone(), param.name.clone()));
            }
        }
        adopted.converted = dtypes.iter().map(Dtype::to_string).collect();
        let taken: HashSet<&String> = adopted.taken.iter().collect();
        let used: HashSet<&String> = pairs.iter().map(|(_, at)| &self.tensors[*at].name).collect();
        for param in arena.params.iter().filter(|param| !taken.contains(&param.name)) {
            let is_there =
                self.tensors.iter().any(|tensor| tensor.name == param.name && !used.contains(&param.name));
            let list = if is_there { &mut adopted.reshaped } else { &mut adopted.missing };
            list.push(param.name.clone());
        }
        let names = self.tensors.iter().map(|tensor| &tensor.name);
        let unused = names.filter(|name| !used.contains(name) && !adopted.reshaped.contains(name));
        adopted.unused = unused.cloned().collect();
        Ok(adopted)
    }

    fn problem(&self, problem: &str) -> Error {
        Error::Data(format!("{} {problem}", shown(&self.path)))
    }
}

fn wanted(arena: &Arena) -> Vec<Tensor> {
    let tensor = |(name, shape): (&String, &Vec<usize>)| Tensor { name: name.clone(), shape: shape.clone() };
    arena.params.iter().map(|param| tensor((&param.name, &param.shape))).collect()
}

fn described(tensor: &Tensor) -> String {
    format!("“{}” ({})", shorten(&tensor.name), sizes(&tensor.shape))
}
