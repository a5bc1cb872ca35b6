//! A Program: the network lowered once to a list of dispatches over named buffers.
//!
//! It is data. Engines run it; [`Program::validate`] checks every rule that a
//! GPU would, on a machine without one; its `Display` is a table.

mod check;
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

use crate::kernel::{Access, Consts, Element, Kernel};
pub use observed::{Activated, Boundary, Observed};

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
    /// The buffer of the gradient of what is in this one, if there is one.
    pub gradient: Option<Buf>,
}

impl BufDecl {
    /// A buffer with memory of its own.
    pub fn new(name: impl Into<String>, element: Element, len: usize, role: Role) -> BufDecl {
        BufDecl { name: name.into(), element, len, role, home: None, gradient: None }
    }
}

/// A part of a buffer, in words of four bytes; it starts on [`ALIGN`].
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

/// Views start on multiples of 64 words: WebGPU binds storage on 256 bytes.
pub const ALIGN: usize = 64;

/// Copies of the parameters that a run keeps in the machine's own memory at the
/// most, besides those on the device: while weights are sent, fetched and saved.
const HOST_COPIES: u64 = 4;

/// `len` rounded up so that another view may follow it.
pub const fn aligned(len: usize) -> usize {
    len.next_multiple_of(ALIGN)
}

/// One kernel over views, with its constants.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub kernel: &'static Kernel,
    pub consts: Consts,
    /// One view per binding, in binding order.
    pub args: Vec<View>,
    /// The layer that it belongs to, such as `2 dense`; empty for what belongs to none.
    pub layer: String,
    /// What it is for, such as `weighted sums`.
    pub what: String,
    /// A gate that it stands behind: three words of [`Program::gates`], the workgroups to run along
    /// x, y and z. A kernel closes it by setting them to 0, and then the dispatch does nothing.
    pub gate: Option<usize>,
}

impl Dispatch {
    /// A dispatch of no layer and without a gate.
    pub fn new(
        kernel: &'static Kernel,
        consts: Consts,
        args: Vec<View>,
        what: impl Into<String>,
    ) -> Dispatch {
        Dispatch { kernel, consts, args, layer: String::new(), what: what.into(), gate: None }
    }

    /// The same for a layer.
    pub fn of_layer(self, layer: &str) -> Dispatch {
        Dispatch { layer: layer.to_owned(), ..self }
    }

    /// Layer and purpose, such as `2 dense: weighted sums`.
    pub fn label(&self) -> String {
        match self.layer.as_str() {
            "" => self.what.clone(),
            layer => format!("{layer}: {}", self.what),
        }
    }

    /// The view that is bound to a binding of this name.
    ///
    /// # Panics
    /// When the kernel has no such binding.
    pub fn view(&self, bind: &str) -> View {
        self.args[self.place(bind)]
    }

    /// Binds another view.
    ///
    /// # Panics
    /// When the kernel has no such binding.
    pub fn bind(&mut self, bind: &str, view: View) {
        let at = self.place(bind);
        self.args[at] = view;
    }

    /// Binds `to` wherever `from` is bound.
    pub fn rebind(&mut self, from: View, to: View) {
        self.args.iter_mut().filter(|view| **view == from).for_each(|view| *view = to);
    }

    fn place(&self, bind: &str) -> usize {
        let found = self.kernel.binds.iter().position(|known| known.name == bind);
        found.unwrap_or_else(|| panic!("{} has no binding {bind}", self.kernel.name))
    }

    /// The views that it reads, what it adds to included.
    pub fn reads(&self) -> impl Iterator<Item = View> + '_ {
        self.args
            .iter()
            .zip(self.kernel.binds)
            .filter(|(_, bind)| bind.access.reads(&self.consts))
            .map(|(view, _)| *view)
    }

    /// The views that it writes.
    pub fn writes(&self) -> impl Iterator<Item = View> + '_ {
        self.args
            .iter()
            .zip(self.kernel.binds)
            .filter(|(_, bind)| bind.access.writes())
            .map(|(view, _)| *view)
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
    /// What is looked at from outside while it trains.
    pub observed: Observed,
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

    /// A new buffer.
    pub fn declare(&mut self, name: &str, element: Element, len: usize, role: Role) -> View {
        self.bufs.push(BufDecl::new(name, element, len, role));
        self.whole(Buf(self.bufs.len() - 1))
    }

    /// All of a buffer.
    pub fn whole(&self, buf: Buf) -> View {
        View { buf, start: 0, len: self.bufs[buf.0].len }
    }

    /// Takes out the buffers of activations and guards that no dispatch uses, but for `keep`, and says for each buffer which
    /// it is now.
    pub fn drop_unused(&mut self, keep: &[Buf]) -> Vec<Option<Buf>> {
        let mut used: Vec<bool> =
            self.bufs.iter().map(|buf| !matches!(buf.role, Role::Activations | Role::Guard)).collect();
        let bound = self.steps.iter().flat_map(|dispatch| &dispatch.args).map(|view| view.buf);
        bound.chain(keep.iter().copied()).for_each(|buf| used[buf.0] = true);
        let mut next = 0..;
        let places: Vec<Option<Buf>> =
            used.iter().map(|used| used.then(|| next.next().map(Buf)).flatten()).collect();
        let place = |buf: Buf| places[buf.0].expect("a buffer that is used stays");
        let mut used = used.iter();
        self.bufs.retain(|_| *used.next().unwrap_or(&true));
        for buf in &mut self.bufs {
            buf.gradient = buf.gradient.and_then(|gradient| places[gradient.0]);
        }
        for view in self.steps.iter_mut().flat_map(|dispatch| &mut dispatch.args).chain(&mut self.gates) {
            view.buf = place(view.buf);
        }
        self.observed.views().for_each(|view| view.buf = place(view.buf));
        places
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
                    dispatch.label(),
                    views.join(", ")
                )?;
            }
        }
        Ok(())
    }
}
