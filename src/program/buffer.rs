//! Declarations of buffers, and views of them.

use crate::kernel::Element;

/// A buffer of a Program: an index into [`Program::bufs`](super::Program::bufs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buf(pub usize);

/// The role of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Samples, labels and their order.
    Data,
    /// The parameter arena.
    Parameters,
    /// Gradients of the parameters.
    Gradients,
    /// The optimiser's state, and the EMA of the weights.
    Optimiser,
    /// Gates and non-finite counts, by which an update is stopped: see `shaders/guard.wgsl`.
    Guard,
    /// Scratch of a section: activations and their gradients.
    Activations,
    /// The report of a submission: each step writes its own rows.
    Metrics,
}

impl Role {
    /// Whether the content outlives a section.
    pub fn lasts(self) -> bool {
        self.saved() || matches!(self, Role::Data | Role::Guard)
    }

    /// Whether the content belongs in a checkpoint.
    pub fn saved(self) -> bool {
        matches!(self, Role::Parameters | Role::Optimiser)
    }
}

/// The declaration of a buffer; engines allocate it filled with zeros.
#[derive(Clone, Debug)]
pub struct BufDecl {
    /// For messages and tables, such as `0 dense.y`.
    pub name: String,
    /// Numbers or integers.
    pub element: Element,
    /// Length in words of four bytes.
    pub len: usize,
    /// Its role.
    pub role: Role,
    /// The buffer whose memory it shares, if it has none of its own.
    ///
    /// See [`Program::share`](super::Program::share).
    pub shares: Option<Buf>,
    /// The buffer of its gradient, if there is one.
    pub gradient: Option<Buf>,
}

impl BufDecl {
    /// A buffer with memory of its own.
    pub fn new(name: impl Into<String>, element: Element, len: usize, role: Role) -> BufDecl {
        BufDecl { name: name.into(), element, len, role, shares: None, gradient: None }
    }
}

/// A part of a buffer, in words of four bytes.
///
/// It starts on [`ALIGN`](crate::kernel::ALIGN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The buffer.
    pub buf: Buf,
    /// The first word.
    pub start: usize,
    /// The number of words.
    pub len: usize,
}

impl View {
    /// Whether the two views have a word in common.
    pub fn overlaps(self, other: View) -> bool {
        self.buf == other.buf && self.start < other.start + other.len && other.start < self.start + self.len
    }
}
