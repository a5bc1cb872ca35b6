//! A Program: the network lowered once to a list of dispatches over named buffers.
//!
//! It is data. [`record`] writes it, [`rewrite`] makes it fast, engines run it. [`Program::validate`] checks every rule
//! that a GPU would check, without a GPU. Its `Display` is a table.
//!
//! Depends on `kernel`, `cpu` and `table`. Read this file first, then `record/mod.rs` and `rewrite/mod.rs`.

mod buffer;
mod check;
mod dispatch;
mod gates;
pub mod init;
mod observed;
pub mod params;
pub mod record;
pub mod rewrite;
pub mod shape;
mod share;

use std::fmt;
use std::ops::Range;

use crate::kernel::{Access, Element};
pub use crate::memory::mebibytes;
pub use buffer::{Buf, BufDecl, Role, View};
pub use dispatch::Dispatch;
pub use observed::{Activated, Observed, ObservedActivation};

/// The most steps of one submission.
pub const MAX_STEPS: usize = 1024;

/// The most words of a submission's result.
pub const MAX_RESULT: usize = 1 << 18;

/// Dispatches over buffers, in named sections that engines run on their own.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// All buffers; a [`Buf`] is an index into them.
    pub bufs: Vec<BufDecl>,
    /// All dispatches, section by section.
    pub steps: Vec<Dispatch>,
    /// Names, and ranges of the dispatches.
    pub sections: Vec<(String, Range<usize>)>,
    /// Three words for each gate, if there are gates.
    ///
    /// An engine opens all of them when it is made.
    pub gates: Option<View>,
    /// Values of a training step that are read from outside.
    pub observed: Observed,
}

/// The sizes of a device that a Program must fit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the largest view that can be bound.
    pub binding_bytes: u64,
    /// Bytes of the largest buffer.
    pub buffer_bytes: u64,
    /// Bytes of memory, where that is known and shared with the host.
    pub memory_bytes: Option<u64>,
}

impl Limits {
    /// The limits that every WebGPU implementation offers.
    pub const WEBGPU: Limits =
        Limits { binding_bytes: 128 << 20, buffer_bytes: 256 << 20, memory_bytes: None };
}

impl Program {
    /// The dispatches of a section.
    ///
    /// # Panics
    /// When there is no section of that name.
    pub fn section(&self, name: &str) -> Range<usize> {
        let found = self.sections.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("a program has no section {name}")).1.clone()
    }

    /// A new buffer.
    pub fn declare(&mut self, name: &str, element: Element, len: usize, role: Role) -> View {
        self.bufs.push(BufDecl::new(name, element, len, role));
        self.whole(Buf(self.bufs.len() - 1))
    }

    /// All of a buffer.
    pub fn whole(&self, buf: Buf) -> View {
        View { buf, start: 0, len: self.bufs[buf.0].len }
    }

    /// Removes the buffers of activations and guards that no dispatch uses, but not those in `keep`.
    ///
    /// Returns each buffer's new index, by its former one; none for a removed buffer.
    pub fn drop_unused(&mut self, keep: &[Buf]) -> Vec<Option<Buf>> {
        let mut used: Vec<bool> =
            self.bufs.iter().map(|buf| !matches!(buf.role, Role::Activations | Role::Guard)).collect();
        let bound = self.steps.iter().flat_map(|dispatch| &dispatch.args).map(|view| view.buf);
        bound.chain(keep.iter().copied()).for_each(|buf| used[buf.0] = true);
        let mut next = 0..;
        let indices: Vec<Option<Buf>> =
            used.iter().map(|used| used.then(|| next.next().map(Buf)).flatten()).collect();
        let index = |buf: Buf| indices[buf.0].expect("a buffer that is used stays");
        let mut used = used.iter();
        self.bufs.retain(|_| *used.next().unwrap_or(&true));
        for buf in &mut self.bufs {
            buf.gradient = buf.gradient.and_then(|gradient| indices[gradient.0]);
        }
        for view in self.steps.iter_mut().flat_map(|dispatch| &mut dispatch.args).chain(&mut self.gates) {
            view.buf = index(view.buf);
        }
        self.observed.views().for_each(|view| view.buf = index(view.buf));
        indices
    }

    /// Bytes of all memory with this role; shared memory counts once.
    pub fn bytes(&self, role: Role) -> u64 {
        self.allocated().filter(|buf| buf.role == role).map(|buf| buf.len as u64 * 4).sum()
    }

    /// Bytes of all buffers.
    ///
    /// An engine allocates nothing else but staging memory for step scalars and metrics.
    pub fn total_bytes(&self) -> u64 {
        self.allocated().map(|buf| buf.len as u64 * 4).sum()
    }

    /// The buffers with memory of their own.
    fn allocated(&self) -> impl Iterator<Item = &BufDecl> {
        self.bufs.iter().filter(|buf| buf.shares.is_none())
    }

    /// Bytes of everything that a checkpoint holds.
    pub fn state_bytes(&self) -> u64 {
        self.bytes(Role::Parameters) + self.bytes(Role::Optimiser)
    }

    /// Bytes of a run on a device that shares the host's memory.
    ///
    /// These are all buffers, and the host's copies: the last checkpoint, the next one, and the parameters of the model.
    pub fn shared_bytes(&self) -> u64 {
        self.total_bytes() + 2 * self.state_bytes() + self.bytes(Role::Parameters)
    }
}

impl fmt::Display for Program {
    /// One line per dispatch, section by section.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let width = |text: fn(&Dispatch) -> usize| self.steps.iter().map(text).max().unwrap_or_default();
        let [kernel, label] =
            [|of: &Dispatch| of.kernel.name.len(), |of: &Dispatch| of.label().chars().count()].map(width);
        for (name, range) in &self.sections {
            writeln!(f, "{name}: {} dispatches", range.len())?;
            for dispatch in &self.steps[range.clone()] {
                let views = dispatch.args.iter().zip(dispatch.kernel.binds);
                let views: Vec<String> = views
                    .map(|(view, bind)| {
                        let arrow = if bind.access == Access::Read { "" } else { "→ " };
                        format!("{arrow}{}", self.bufs[view.buf.0].name)
                    })
                    .collect();
                let groups = dispatch.kernel.groups(&dispatch.consts).map(|n| n.to_string()).join("×");
                writeln!(
                    f,
                    "  {:<kernel$} {:>12}  {:<label$}  {}",
                    dispatch.kernel.name,
                    groups,
                    dispatch.label(),
                    views.join(", ")
                )?;
            }
        }
        Ok(())
    }
}
