//! The state of a training run: read as a snapshot, and restored.

use super::Trainer;
use super::parameters::write_parameters;
use super::position::Position;
use super::snapshot::{NamedTensor, Snapshot};
use crate::engine::Patience;
use crate::error::{Error, Result};
use crate::kernel::Slice;
use crate::program::{Buf, View};
use crate::text::shorten;

/// A tensor of a snapshot, and its view on the device.
pub(super) struct Saved {
    pub name: String,
    pub shape: Vec<usize>,
    pub view: View,
}

impl Trainer {
    /// The position of the run.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Sets other parameters than the drawn ones, laid out as the arena.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<()> {
        write_parameters(self.engine.as_mut(), &self.lowered, parameters)
    }

    /// Asks from now on, while it waits for the device, whether to give it up.
    pub fn set_patience(&mut self, patience: Patience) {
        self.engine.set_patience(patience);
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

    /// The run as it is now.
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

    /// Restores the run from a snapshot.
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
                shorten(&names.map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", "))
            };
            return Err(Error::Data(format!(
                "the checkpoint holds {}, where the run has {}: it is of another network or optimiser, so name one of this run",
                list(&mut snapshot.tensors.iter().map(|tensor| &tensor.name)),
                list(&mut saved.iter().map(|saved| &saved.name))
            )));
        }
        let (step, steps) = (snapshot.position.step, self.steps_per_epoch());
        if step >= steps {
            return Err(Error::Data(format!(
                "the checkpoint is from step {step} of an epoch, and an epoch has {steps}: it is of other \
                 data or another batch size, so name one of this run"
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

    /// Opens the gates of updates, which the guard has closed.
    pub(super) fn open_gates(&mut self) -> Result<()> {
        match self.lowered.program.gates {
            Some(gates) => self.engine.write(gates, Slice::Uint(&self.lowered.program.open_gates())),
            None => Ok(()),
        }
    }
}
