//! A Program: the network lowered once to a list of dispatches over named buffers.
//!
//! It is data. Engines run it; [`Program::validate`] checks every rule that a
//! GPU would, on a machine without one; its `Display` is a table.

mod check;
pub mod init;
pub mod params;
pub mod record;
mod share;

use std::fmt;
use std::ops::Range;

use crate::kernel::{Access, Consts, Element, Kernel};

/// A buffer of a Program, by its place in [`Program::bufs`].
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
    /// [`Program::share`].
    pub home: Option<Buf>,
}

impl BufDecl {
    /// A buffer with memory of its own.
    pub fn new(name: impl Into<String>, element: Element, len: usize, role: Role) -> BufDecl {
        BufDecl { name: name.into(), element, len, role, home: None }
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

/// Copies of the parameters that a run keeps in the machine's own memory at the
/// most, besides those on the device: while weights are sent, fetched and saved.
const HOST_COPIES: u64 = 4;

/// Steps of one submission at the most.
pub const MAX_STEPS: usize = 1024;

/// Words of a submission's result at the most.
pub const MAX_RESULT: usize = 1 << 18;

/// One kernel over views, with its constants.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub kernel: &'static Kernel,
    pub consts: Consts,
    /// One view per binding, in binding order.
    pub args: Vec<View>,
    /// What it is for, such as `2 dense: weighted sums`.
    pub label: String,
    /// A gate that it stands behind: three words of [`Program::gates`], the workgroups to run along
    /// x, y and z. A kernel closes it by setting them to 0, and then the dispatch does nothing.
    pub gate: Option<usize>,
}

impl Dispatch {
    /// A dispatch without a gate.
    pub fn new(
        kernel: &'static Kernel,
        consts: Consts,
        args: Vec<View>,
        label: impl Into<String>,
    ) -> Dispatch {
        Dispatch { kernel, consts, args, label: label.into(), gate: None }
    }
}

/// Dispatches over buffers, in named sections that engines run on their own.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub bufs: Vec<BufDecl>,
    pub steps: Vec<Dispatch>,
    pub sections: Vec<(String, Range<usize>)>,
    /// Three words for each gate, if there are any; engines open them when they are made.
    pub gates: Option<View>,
}

/// The sizes of a device that decide whether a Program runs on it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the largest view that can be bound.
    pub binding_bytes: u64,
    /// Bytes of the largest buffer.
    pub buffer_bytes: u64,
    /// Bytes of memory, where that is known and shared with the machine.
    pub memory_bytes: Option<u64>,
}

impl Limits {
    /// What every WebGPU implementation must offer.
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

    /// Bytes of all memory with this role; what buffers share counts once.
    pub fn bytes(&self, role: Role) -> u64 {
        self.homes().filter(|buf| buf.role == role).map(|buf| buf.len as u64 * 4).sum()
    }

    /// Bytes of all buffers: nothing else is allocated while it runs but the
    /// staging memory for step scalars and metrics.
    pub fn total_bytes(&self) -> u64 {
        self.homes().map(|buf| buf.len as u64 * 4).sum()
    }

    /// The buffers with memory of their own.
    fn homes(&self) -> impl Iterator<Item = &BufDecl> {
        self.bufs.iter().filter(|buf| buf.home.is_none())
    }

    /// Bytes of a run where the device's memory is the machine's: all buffers,
    /// and copies of the parameters on their way to and from them.
    pub fn shared_bytes(&self) -> u64 {
        self.total_bytes() + HOST_COPIES * self.bytes(Role::Parameters)
    }

    /// What [`Program::gates`] holds when all are open.
    pub fn open_gates(&self) -> Vec<u32> {
        let mut words = vec![0; self.gates.map_or(0, |gates| gates.len)];
        for dispatch in &self.steps {
            if let Some(gate) = dispatch.gate {
                words[3 * gate..][..3].copy_from_slice(&dispatch.kernel.groups(&dispatch.consts));
            }
        }
        words
    }
}

/// A size for people.
pub fn mebibytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

impl fmt::Display for Program {
    /// One line per dispatch, section by section.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
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
                    "  {:<20} {:>12}  {:<34} {}",
                    dispatch.kernel.name,
                    groups,
                    dispatch.label,
                    views.join(", ")
                )?;
            }
        }
        Ok(())
    }
}
