//! Engines run Programs: one on a GPU through wgpu, one on the CPU by the twins.
//!
//! Both are an [`Engine`]: write, submit, wait, read. [`adapter`] finds the devices of a machine, [`profile`] times each
//! dispatch of a step, and [`stopwatch`] times dispatches alone.
//!
//! May depend on everything up to `program`; knows no layers and no data sets. Read this file first, then `cpu.rs`.

pub mod adapter;
pub mod checks;
pub mod cooperative;
pub mod copying;
pub mod cpu;
mod device;
mod footprint;
pub mod gpu;
mod patience;
mod pipelines;
pub(crate) mod platform;
pub mod profile;
mod profiled;
mod profiling;
pub mod stopwatch;
mod timing;
mod transfers;
mod waiting;

pub use patience::{Patience, has_given_up};

use std::ops::Range;

use crate::error::Result;
use crate::kernel::{Element, Slice, Step};
use crate::program::View;

/// The content of a view.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Real numbers.
    Real(Vec<f32>),
    /// Integers, or packed bytes or f16.
    Uint(Vec<u32>),
}

impl Data {
    /// `len` zeros.
    pub fn zeros(element: Element, len: usize) -> Data {
        match element {
            Element::Real => Data::Real(vec![0.0; len]),
            Element::Uint => Data::Uint(vec![0; len]),
        }
    }

    /// The number of 32-bit words.
    pub fn len(&self) -> usize {
        match self {
            Data::Real(values) => values.len(),
            Data::Uint(values) => values.len(),
        }
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The 32 bits of a word.
    pub fn bits(&self, index: usize) -> u32 {
        match self {
            Data::Real(values) => values[index].to_bits(),
            Data::Uint(values) => values[index],
        }
    }

    /// The numbers; empty when it holds integers.
    pub fn real(self) -> Vec<f32> {
        match self {
            Data::Real(values) => values,
            Data::Uint(_) => Vec::new(),
        }
    }

    /// The words as an [`Engine`] takes them.
    pub fn as_slice(&self) -> Slice<'_, f32> {
        match self {
            Data::Real(values) => Slice::Real(values),
            Data::Uint(values) => Slice::Uint(values),
        }
    }
}

/// A submission whose result has not been fetched yet.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) u64);

/// Runs a Program over its buffers, which live as long as the engine.
pub trait Engine: Send {
    /// Writes data to a view, after everything submitted so far.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the device fails, as with all methods here.
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()>;

    /// Runs the dispatches `steps` once for every element of `scalars`.
    ///
    /// A copy of `result` is kept for [`Engine::wait`]. The call returns as soon as the work is submitted.
    ///
    /// # Errors
    /// As [`Engine::write`].
    ///
    /// # Panics
    /// When `scalars` is empty or longer than [`MAX_STEPS`](crate::program::MAX_STEPS), or `result` longer
    /// than [`MAX_RESULT`](crate::program::MAX_RESULT).
    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket>;

    /// Waits for a submission and returns the copy that it kept.
    ///
    /// # Errors
    /// As [`Engine::write`].
    ///
    /// # Panics
    /// When tickets are not waited for in the order in which they were given.
    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>>;

    /// Waits for everything submitted and returns the content of a view.
    ///
    /// # Errors
    /// As [`Engine::write`].
    fn read(&mut self, from: View) -> Result<Data>;

    /// Asks from now on, while it waits for its device, whether to give it up.
    ///
    /// An engine that waits for no device never asks. One that has given its device up must be forgotten, not dropped:
    /// drivers wait for the work before they release what it uses.
    fn set_patience(&mut self, _patience: Patience) {}
}

/// The number of submissions that may be under way at once.
pub const IN_FLIGHT: usize = 2;
