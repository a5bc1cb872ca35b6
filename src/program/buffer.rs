//! Buffers before they exist, and parts of them.

use crate::kernel::Element;

/// A buffer of a Program, by its place in [`Program::bufs`](super::Program::bufs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buf(pub usize);

/// What a buffer is for; the buffer plan adds up by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Data,
    Parameters,
    Gradients,
    Optimiser,
    /// The words by which updates are stopped, see `shaders/guard.wgsl`.
    Guard,
    Activations,
    /// What a submission reports: rows of all its steps, of which a step writes its own.
    Metrics,
}

impl Role {
    /// Whether the content outlives a section; other buffers are scratch.
    pub fn lasts(self) -> bool {
        self.saved() || matches!(self, Role::Data | Role::Guard)
    }

    /// Whether training changes the content and goes on from it, so that it belongs in a checkpoint.
    pub fn saved(self) -> bool {
        matches!(self, Role::Parameters | Role::Optimiser)
    }
}

/// A buffer before it exists. Allocated zeroed.
#[derive(Clone, Debug)]
pub struct BufDecl {
    pub name: String,
    pub element: Element,
    /// Length in words of four bytes.
    pub len: usize,
    pub role: Role,
    /// The buffer in whose memory this one lives, if it has none of its own: see
    /// [`Program::share`](super::Program::share).
    pub home: Option<Buf>,
    /// The buffer of the gradient of what is in this one, if there is one.
    pub gradient: Option<Buf>,
}

impl BufDecl {
    /// A buffer with memory of its own.
    pub fn new(name: impl Into<String>, element: Element, len: usize, role: Role) -> BufDecl {
        BufDecl { name: name.into(), element, len, role, home: None, gradient: None }
    }
}

/// A part of a buffer, in words of four bytes; it starts on [`ALIGN`](crate::kernel::ALIGN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    pub buf: Buf,
    pub start: usize,
    pub len: usize,
}

impl View {
    /// Whether a word is in both.
    pub fn overlaps(self, other: View) -> bool {
        self.buf == other.buf && self.start < other.start + other.len && other.start < self.start + self.len
    }
}
