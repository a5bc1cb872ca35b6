//! A Program: the network lowered once to a list of dispatches over named buffers.
//!
//! It is data. Engines run it; [`Program::validate`] checks every rule that a
//! GPU would, on a machine without one; its `Display` is a table.

mod share;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use crate::error::{Error, Result};
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

/// Workgroups along one dimension of a dispatch: WebGPU's limit.
const MOST_GROUPS: u32 = 65_535;

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

    /// Checks every rule that a GPU would check, and that views have the length their kernel says.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the dispatch: a Program that breaks a rule is
    /// a mistake in a layer, not in what the user wrote.
    pub fn validate(&self) -> Result<()> {
        for (at, dispatch) in self.steps.iter().enumerate() {
            self.check(dispatch).map_err(|problem| {
                Error::Failure(format!(
                    "dispatch {at} ({}, {}): {problem}",
                    dispatch.kernel.name, dispatch.label
                ))
            })?;
        }
        self.check_sharing().map_err(Error::Failure)?;
        self.check_order()
    }

    /// Checks that a section reads nothing from a scratch buffer before it has written it: what
    /// another section left there is not its own.
    fn check_order(&self) -> Result<()> {
        for (section, range) in &self.sections {
            let mut written: Vec<View> = Vec::new();
            for dispatch in &self.steps[range.clone()] {
                let bound = || dispatch.args.iter().zip(dispatch.kernel.binds);
                for (view, bind) in bound() {
                    let reads = bind.access.reads(&dispatch.consts);
                    if reads && !self.is_written(*view, &written) {
                        return Err(Error::Failure(format!(
                            "section {section}: {} of {} ({}) is read before it is written",
                            bind.name, dispatch.kernel.name, dispatch.label
                        )));
                    }
                }
                if let Some(lost) = self.lost_gradient(dispatch, &written) {
                    return Err(Error::Failure(format!(
                        "section {section}: {lost} of {} ({}) is a gradient of the parameters that was written \
                         before and is not added to",
                        dispatch.kernel.name, dispatch.label
                    )));
                }
                written
                    .extend(bound().filter(|(_, bind)| bind.access != Access::Read).map(|(view, _)| *view));
            }
        }
        Ok(())
    }

    /// Whether a view has content when so much has been written in its section. Of a report a step
    /// reads its own rows, which some dispatch has written before.
    fn is_written(&self, view: View, written: &[View]) -> bool {
        match self.bufs[view.buf.0].role {
            Role::Metrics => written.iter().any(|part| part.buf == view.buf),
            role => role.lasts() || covered(view, written),
        }
    }

    /// The binding by which a dispatch would set gradients of the parameters that another has
    /// written: all but the first must add.
    fn lost_gradient(&self, dispatch: &Dispatch, written: &[View]) -> Option<&'static str> {
        let sets = !dispatch.consts.adds();
        let mut bound = dispatch.args.iter().zip(dispatch.kernel.binds);
        let lost = bound.find(|(view, bind)| {
            bind.access == Access::Write
                && self.bufs[view.buf.0].role == Role::Gradients
                && written.iter().any(|one| one.buf == view.buf && one.start == view.start)
        });
        lost.filter(|_| sets).map(|(_, bind)| bind.name)
    }

    fn check(&self, dispatch: &Dispatch) -> Result<(), String> {
        let kernel = dispatch.kernel;
        let given: Vec<&str> = dispatch.consts.iter().map(|(name, _)| name).collect();
        if given != kernel.consts {
            return Err(format!("constants {given:?} where the kernel has {:?}", kernel.consts));
        }
        let gates = self.gates.map_or(0, |gates| gates.len / 3);
        if let Some(gate) = dispatch.gate.filter(|gate| *gate >= gates) {
            return Err(format!("it stands behind gate {gate}, and there are {gates}"));
        }
        if dispatch.args.len() != kernel.binds.len() {
            return Err(format!("{} views for {} bindings", dispatch.args.len(), kernel.binds.len()));
        }
        let (mut read, mut written) = (HashSet::new(), Vec::<View>::new());
        let lens = (kernel.lens)(&dispatch.consts);
        for ((view, bind), len) in dispatch.args.iter().zip(kernel.binds).zip(lens) {
            let buf = self.bufs.get(view.buf.0).ok_or_else(|| format!("{} has no buffer", bind.name))?;
            let inside = view.start.checked_add(view.len).is_some_and(|end| end <= buf.len);
            if !inside || view.len == 0 {
                return Err(format!("{} is outside its buffer {}", bind.name, buf.name));
            }
            if view.len != len {
                return Err(format!("{} has {} words, the kernel wants {len}", bind.name, view.len));
            }
            if !view.start.is_multiple_of(ALIGN) {
                return Err(format!("{} starts at word {}, not on {ALIGN}", bind.name, view.start));
            }
            if buf.element != bind.element {
                return Err(format!(
                    "{} wants {:?}, buffer {} holds {:?}",
                    bind.name, bind.element, buf.name, buf.element
                ));
            }
            // What is written may be bound in several parts, but not one of them twice, nor to read.
            let again = written
                .iter()
                .any(|one| if bind.access.writes() { one.overlaps(*view) } else { one.buf == view.buf });
            if bind.access.writes() {
                written.push(*view);
            } else {
                read.insert(view.buf);
            }
            if again || written.iter().any(|one| read.contains(&one.buf)) {
                return Err(format!("buffer {} is written and bound a second time", buf.name));
            }
        }
        (kernel.requires)(&dispatch.consts).map_err(str::to_owned)?;
        let groups = kernel.groups(&dispatch.consts);
        if groups.iter().any(|n| *n == 0 || *n > MOST_GROUPS) {
            return Err(format!("{groups:?} workgroups; one to {MOST_GROUPS} are allowed along a dimension"));
        }
        Ok(())
    }

    /// Checks that the Program fits a device.
    ///
    /// # Errors
    /// [`Error::Device`] with what is needed and what there is.
    pub fn fits(&self, limits: &Limits) -> Result<()> {
        let too_small = |what: &str, needed: u64, available: u64| {
            Error::Device(format!(
                "{what} needs {}, the device offers {}",
                mebibytes(needed),
                mebibytes(available)
            ))
        };
        for buf in &self.bufs {
            let bytes = buf.len as u64 * 4;
            if bytes > limits.buffer_bytes {
                return Err(too_small(&format!("the buffer “{}”", buf.name), bytes, limits.buffer_bytes));
            }
        }
        for dispatch in &self.steps {
            for (view, bind) in dispatch.args.iter().zip(dispatch.kernel.binds) {
                let bytes = view.len as u64 * 4;
                if bytes > limits.binding_bytes {
                    let what = format!("“{}” of {} ({})", bind.name, dispatch.kernel.name, dispatch.label);
                    return Err(too_small(&what, bytes, limits.binding_bytes));
                }
            }
        }
        match limits.memory_bytes {
            Some(memory) if self.shared_bytes() > memory => {
                Err(too_small("the run", self.shared_bytes(), memory))
            }
            _ => self.groups_fit(),
        }
    }

    /// Checks what no device offers more of.
    fn groups_fit(&self) -> Result<()> {
        for dispatch in &self.steps {
            let most = dispatch.kernel.groups(&dispatch.consts).into_iter().max().unwrap_or_default();
            if most > MOST_GROUPS {
                return Err(Error::Device(format!(
                    "{} ({}) needs {most} workgroups along a dimension, a device offers {MOST_GROUPS}",
                    dispatch.kernel.name, dispatch.label
                )));
            }
        }
        Ok(())
    }
}

/// Whether what has been written covers a view; the padding behind a view counts with it.
fn covered(view: View, written: &[View]) -> bool {
    let mut parts: Vec<&View> = written.iter().filter(|part| part.buf == view.buf).collect();
    parts.sort_by_key(|part| part.start);
    let mut covered = view.start;
    for part in parts {
        if part.start <= covered {
            covered = covered.max(part.start + aligned(part.len));
        }
    }
    covered >= view.start + view.len
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
