//! Engines run Programs: one on a GPU through wgpu, one on the CPU by the twins.
//!
//! Both are an [`Engine`]: write, submit, wait, read. [`adapter`] finds the devices of a machine, [`profile`]
//! says where the time of a step goes, and [`stopwatch`] how long dispatches take.
//!
//! May depend on everything up to `program`; knows no layers and no data sets. Read this file first, then `cpu.rs`.

pub mod adapter;
pub mod checks;
pub mod cooperative;
pub mod copying;
pub mod cpu;
mod device;
pub mod gpu;
mod pipelines;
pub(crate) mod platform;
pub mod profile;
mod profiled;
mod profiling;
pub mod stopwatch;
mod timing;
mod waiting;

use std::ops::Range;

use crate::error::Result;
use crate::kernel::{Element, Slice, Step};
use crate::program::View;

/// The content of a view.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Real(Vec<f32>),
    Uint(Vec<u32>),
}

impl Data {
    /// Zeros.
    pub fn zeros(element: Element, len: usize) -> Data {
        match element {
            Element::Real => Data::Real(vec![0.0; len]),
            Element::Uint => Data::Uint(vec![0; len]),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Data::Real(values) => values.len(),
            Data::Uint(values) => values.len(),
        }
    }

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
pub trait Engine {
    /// Puts data into a view, after everything submitted so far.
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()>;

    /// Runs a section once for every element of `scalars`, then keeps a copy of
    /// `result` for [`Engine::wait`]. Returns as soon as the work is under way.
    ///
    /// # Panics
    /// When `scalars` is empty or longer than [`MAX_STEPS`](crate::program::MAX_STEPS), or `result` longer
    /// than [`MAX_RESULT`](crate::program::MAX_RESULT).
    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket>;

    /// Waits for a submission and returns the copy it kept. Tickets are waited
    /// for in the order in which they were given.
    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>>;

    /// Waits for everything submitted and returns what is in a view now.
    fn read(&mut self, from: View) -> Result<Data>;
}

/// Submissions that may be under way at once.
pub const IN_FLIGHT: usize = 2;
