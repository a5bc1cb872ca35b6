//! The state of a training run: where it has got to, and what is on the device.

use serde::{Deserialize, Serialize};

use super::{Measure, Sum, Trainer};
use crate::engine::{Data, Engine};
use crate::error::{Error, Result};
use crate::kernel::Slice;
use crate::network::lower::Lowered;
use crate::program::{Buf, View};
use crate::train::schedule::Plateau;

/// Where a run has got to: with the recipe and the buffers, all that decides what comes next.
///
/// The order of the samples is a pure function of the seed and the epoch, so the number of the
/// next step is as good as the state of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The epoch under way, from 1.
    pub epoch: usize,
    /// Steps taken in it.
    pub step: usize,
    /// Steps taken since the run began.
    pub steps: usize,
    /// Loss and hits of the epoch so far, each batch measured before its update.
    pub so_far: Sum,
    /// What the learning rate is multiplied by: 1, or less after a rollback.
    /// Earlier versions wrote it as `rate`.
    #[serde(alias = "rate")]
    pub factor: f32,
    /// What a schedule that follows the loss has seen.
    #[serde(default)]
    pub plateau: Plateau,
}

impl Default for Position {
    fn default() -> Position {
        Position {
            epoch: 1,
            step: 0,
            steps: 0,
            so_far: Sum::default(),
            factor: 1.0,
            plateau: Plateau::default(),
        }
    }
}

impl Position {
    /// A step is over.
    pub(super) fn take(&mut self, sum: Sum) {
        self.step += 1;
        self.steps += 1;
        self.so_far.add(sum);
    }

    /// Goes on to the next epoch and returns what this one came to.
    pub(super) fn finish_epoch(&mut self) -> Measure {
        let measure = self.so_far.mean();
        *self = Position { epoch: self.epoch + 1, step: 0, so_far: Sum::default(), ..*self };
        measure
    }
}

/// A buffer of the device, or a parameter of the arena, by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// A parameter's, such as `0.weight`, or a buffer's, such as `velocities`.
    pub name: String,
    pub shape: Vec<usize>,
    pub data: Data,
}

/// A run at one moment. A trainer that is given it goes on as the one it was taken from would.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub position: Position,
    /// The parameters in the order of the arena, then every other buffer that training changes.
    pub tensors: Vec<NamedTensor>,
}

impl Snapshot {
    /// The first tensor and element at which two snapshots of one network differ by a bit.
    pub fn difference(&self, other: &Snapshot) -> Option<String> {
        let pairs = || self.tensors.iter().zip(&other.tensors);
        let tensor = pairs().find_map(|(one, two)| one.difference(two));
        let position = || format!("where they are ({:?} and {:?})", self.position, other.position);
        tensor.or_else(|| (self.position != other.position).then(position))
    }

    /// The first number that is not finite, as the end of a sentence.
    pub fn flaw(&self) -> Option<String> {
        self.tensors.iter().find_map(|tensor| {
            let Data::Real(values) = &tensor.data else { return None };
            let at = values.iter().position(|value| !value.is_finite())?;
            Some(format!("“{}” has the value {} at index {at}", tensor.name, values[at]))
        })
    }
}

impl NamedTensor {
    /// The first element at which two tensors differ by a bit, as part of a sentence.
    pub fn difference(&self, other: &NamedTensor) -> Option<String> {
        let name = &self.name;
        if (name, &self.shape) != (&other.name, &other.shape) {
            return Some(format!(
                "“{name}” of {:?}, in the other “{}” of {:?}",
                self.shape, other.name, other.shape
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

/// A tensor of a snapshot, and where it lies on the device.
pub(super) struct Saved {
    pub name: String,
    pub shape: Vec<usize>,
    pub view: View,
}

/// Writes parameters, laid out as the arena, to the device, and to their average if there is one.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub fn write_parameters(engine: &mut dyn Engine, lowered: &Lowered, parameters: &[f32]) -> Result<()> {
    // A network without parameters has an arena of padding only.
    let mut padded = parameters.to_vec();
    padded.resize(lowered.parameters.len, 0.0);
    if let Some(averages) = lowered.averages {
        engine.write(averages, Slice::Real(&padded))?;
    }
    engine.write(lowered.parameters, Slice::Real(&padded))
}

impl Trainer {
    /// Where the run has got to.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Begins with other parameters than those that were drawn, laid out as the arena.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<()> {
        write_parameters(self.engine.as_mut(), &self.lowered, parameters)
    }

    /// Everything that a snapshot holds.
    pub(super) fn saved(&self) -> Vec<Saved> {
        let buf = self.lowered.parameters.buf;
        let parameters = self.lowered.arena.params.iter().map(|param| Saved {
            name: param.name.clone(),
            shape: param.shape.clone(),
            view: View { buf, start: param.start, len: param.len() },
        });
        let bufs = self.lowered.program.bufs.iter().enumerate();
        let others = bufs.filter(|(at, decl)| decl.role.saved() && Buf(*at) != buf).map(|(at, decl)| Saved {
            name: decl.name.clone(),
            shape: vec![decl.len],
            view: View { buf: Buf(at), start: 0, len: decl.len },
        });
        parameters.chain(others).collect()
    }

    /// The run as it is now. Nothing may be under way, and nothing is between calls.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        let saved = self.saved();
        let read = |saved: Saved| -> Result<NamedTensor> {
            Ok(NamedTensor { data: self.engine.read(saved.view)?, name: saved.name, shape: saved.shape })
        };
        let tensors = saved.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Snapshot { position: self.position, tensors })
    }

    /// Makes the run what it was when the snapshot was taken.
    ///
    /// # Errors
    /// [`Error::Data`] when the snapshot is of another network or optimiser; nothing is changed then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let saved = self.saved();
        let matches = |(saved, tensor): (&Saved, &NamedTensor)| {
            saved.name == tensor.name && saved.shape == tensor.shape && saved.view.len == tensor.data.len()
        };
        if saved.len() != snapshot.tensors.len() || !saved.iter().zip(&snapshot.tensors).all(matches) {
            let list = |names: &mut dyn Iterator<Item = &String>| {
                names.map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", ")
            };
            return Err(Error::Data(format!(
                "the checkpoint holds {}, where the run has {}: it is of another network or optimiser",
                list(&mut snapshot.tensors.iter().map(|tensor| &tensor.name)),
                list(&mut saved.iter().map(|saved| &saved.name))
            )));
        }
        let (step, steps) = (snapshot.position.step, self.steps_per_epoch());
        if step >= steps {
            return Err(Error::Data(format!(
                "the checkpoint is from step {step} of an epoch, and an epoch has {steps}: it is of other \
                 data or another batch size"
            )));
        }
        for (saved, tensor) in saved.iter().zip(&snapshot.tensors) {
            self.engine.write(saved.view, tensor.data.as_slice())?;
        }
        self.position = snapshot.position;
        self.ordered = None;
        self.norms.clear();
        self.open_gates()
    }

    /// Lets updates happen again.
    pub(super) fn open_gates(&mut self) -> Result<()> {
        match self.lowered.program.gates {
            Some(gates) => self.engine.write(gates, Slice::Uint(&self.lowered.program.open_gates())),
            None => Ok(()),
        }
    }
}
