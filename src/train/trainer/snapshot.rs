//! A training run at one moment: its position and its tensors.

use super::position::Position;
use crate::engine::Data;
use crate::network::lower::EMA;
use crate::program::params::Arena;
use crate::text::shorten;

/// A named buffer of the device, or a parameter of the arena.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// The name of a parameter (`0.weight`) or a buffer (`velocities`).
    pub name: String,
    /// Its dimensions, as PyTorch has them.
    pub shape: Vec<usize>,
    /// Its elements.
    pub data: Data,
}

/// A run at one moment. A trainer restored from it computes the same bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The position of the run.
    pub position: Position,
    /// The parameters in order, then other buffers that training changes.
    pub tensors: Vec<NamedTensor>,
}

impl Snapshot {
    /// The first difference between two snapshots: an element, a tensor that one lacks, or the position.
    pub fn difference(&self, other: &Snapshot) -> Option<String> {
        let lacking = |one: &Snapshot, two: &Snapshot, which: &str| {
            let name = one.names_lacking_in(two).into_iter().next()?;
            Some(format!("“{name}”, which only the {which} has"))
        };
        let position = || format!("where they are ({:?} and {:?})", self.position, other.position);
        self.tensor_difference(other)
            .or_else(|| lacking(self, other, "first"))
            .or_else(|| lacking(other, self, "second"))
            .or_else(|| (self.position != other.position).then(position))
    }

    /// The first element at which two snapshots differ, of the tensors that both have.
    pub fn tensor_difference(&self, other: &Snapshot) -> Option<String> {
        self.tensors.iter().find_map(|tensor| tensor.difference(other.tensor(&tensor.name)?))
    }

    /// The names of the tensors that the other snapshot has not got.
    pub fn names_lacking_in(&self, other: &Snapshot) -> Vec<&str> {
        let names = self.tensors.iter().map(|tensor| tensor.name.as_str());
        names.filter(|name| other.tensor(name).is_none()).collect()
    }

    fn tensor(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The weights to measure and to save: their EMA where there is one, laid out as `arena`, that of the network.
    pub fn measured_parameters(&self, arena: &Arena) -> Vec<f32> {
        let real = |name: &str| match &self.tensors.iter().find(|tensor| tensor.name == name)?.data {
            Data::Real(values) => Some(values),
            Data::Uint(_) => None,
        };
        let mut all = vec![0.0; arena.len()];
        if let Some(ema) = real(EMA).filter(|ema| ema.len() >= all.len()) {
            all.copy_from_slice(&ema[..arena.len()]);
            return all;
        }
        for param in &arena.params {
            if let Some(values) = real(&param.name).filter(|values| values.len() == param.len()) {
                all[param.start..][..param.len()].copy_from_slice(values);
            }
        }
        all
    }

    /// The first non-finite value, as the end of a sentence.
    pub fn non_finite(&self) -> Option<String> {
        self.tensors.iter().find_map(|tensor| {
            let Data::Real(values) = &tensor.data else { return None };
            let at = values.iter().position(|value| !value.is_finite())?;
            Some(format!("“{}” has the value {} at index {at}", shorten(&tensor.name), values[at]))
        })
    }
}

impl NamedTensor {
    /// The first element at which two tensors differ, in words.
    pub fn difference(&self, other: &NamedTensor) -> Option<String> {
        let (name, others) = (shorten(&self.name), shorten(&other.name));
        if (&self.name, &self.shape) != (&other.name, &other.shape) {
            return Some(format!(
                "“{name}” of {:?}, in the other “{others}” of {:?}",
                self.shape, other.shape
            ));
        }
        let at = (0..self.data.len()).find(|at| self.data.bits(*at) != other.data.bits(*at))?;
        let shown = |data: &Data| match data {
            Data::Real(values) => format!("{:?}", values[at]),
            Data::Uint(values) => values[at].to_string(),
        };
        Some(format!("“{name}” at index {at}: {} and {}", shown(&self.data), shown(&other.data)))
    }
}
