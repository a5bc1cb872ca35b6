//! The CPU engine: runs a Program with the twins, in f32 to train, in f64 as the reference.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use super::device::{no_memory_for_copy, too_small};
use super::{Data, Engine, Ticket};
use crate::engine::profile::{Clock, Profiler, Span};
use crate::error::Result;
use crate::kernel::{Access, Call, Element, Kernel, Real, Slice, SliceMut, Step, Twin, threads};
use crate::memory::{mebibytes, zeros};
use crate::program::{Buf, Dispatch, Program, View};

/// The content of a buffer.
#[derive(Clone, Debug)]
pub enum Memory<T> {
    /// Real numbers, in the engine's precision.
    Real(Vec<T>),
    /// Integers, or packed bytes or f16.
    Uint(Vec<u32>),
}

impl<T: Real> Memory<T> {
    /// A part of the buffer.
    pub fn slice(&self, view: View) -> Slice<'_, T> {
        let range = view.start..view.start + view.len;
        match self {
            Memory::Real(values) => Slice::Real(&values[range]),
            Memory::Uint(values) => Slice::Uint(&values[range]),
        }
    }

    fn slice_mut(&mut self, view: View) -> SliceMut<'_, T> {
        self.all_mut().part(view.start, view.len).0
    }

    /// Puts the parts of `buf` that `views` name into `slots`, by the number of the view.
    ///
    /// Views don't overlap. A buffer that lives in another's memory is empty, and fills no slot.
    fn split<'a>(
        &'a mut self,
        buf: Buf,
        views: impl Iterator<Item = (usize, View)> + Clone,
        slots: &mut [SliceMut<'a, T>],
    ) {
        if self.is_empty() {
            return;
        }
        let (mut rest, mut passed) = (self.all_mut(), 0);
        let next = |passed| {
            let behind = views.clone().filter(|(_, view)| view.buf == buf && view.start >= passed);
            behind.min_by_key(|(_, view)| view.start)
        };
        while let Some((number, view)) = next(passed) {
            let (part, behind) = rest.part(view.start - passed, view.len);
            slots[number] = part;
            (rest, passed) = (behind, view.start + view.len);
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Memory::Real(values) => values.is_empty(),
            Memory::Uint(values) => values.is_empty(),
        }
    }

    fn all_mut(&mut self) -> SliceMut<'_, T> {
        match self {
            Memory::Real(values) => SliceMut::Real(values),
            Memory::Uint(values) => SliceMut::Uint(values),
        }
    }
}

impl<'a, T> SliceMut<'a, T> {
    /// `len` elements from `start` on, and the rest behind them.
    fn part(self, start: usize, len: usize) -> (SliceMut<'a, T>, SliceMut<'a, T>) {
        match self {
            SliceMut::Real(values) => {
                let (part, rest) = values[start..].split_at_mut(len);
                (SliceMut::Real(part), SliceMut::Real(rest))
            }
            SliceMut::Uint(values) => {
                let (part, rest) = values[start..].split_at_mut(len);
                (SliceMut::Uint(part), SliceMut::Uint(rest))
            }
        }
    }
}

/// Selects the function of a kernel that runs.
type TwinOf<T> = fn(&'static Kernel) -> Twin<T>;

/// Runs a Program on the CPU, one dispatch after the other.
pub struct CpuEngine<T> {
    program: Program,
    /// Memory by buffer; empty for one that shares another's memory.
    memory: Vec<Memory<T>>,
    choice: TwinOf<T>,
    results: VecDeque<(u64, Vec<f32>)>,
    tickets: u64,
    /// The profiler that times dispatches, and the moment from which its times count.
    profiler: Option<(Profiler, Instant)>,
}

impl CpuEngine<f32> {
    /// An engine for training: a kernel's fast function where it has one, else its twin.
    ///
    /// # Errors
    /// As [`Program::validate`], [`Error::Device`](crate::error::Error::Device) when there is too little memory, and
    /// [`Error::Failure`](crate::error::Error::Failure) when no thread can be made.
    pub fn fast(program: Program) -> Result<CpuEngine<f32>> {
        CpuEngine::new(program, |kernel| kernel.fast.unwrap_or(kernel.twin))
    }

    /// An engine of the plain twins in f32.
    ///
    /// # Errors
    /// As [`CpuEngine::fast`].
    pub fn plain(program: Program) -> Result<CpuEngine<f32>> {
        CpuEngine::new(program, |kernel| kernel.twin)
    }
}

impl CpuEngine<f64> {
    /// An engine of the twins in f64, the reference for every other execution.
    ///
    /// # Errors
    /// As [`CpuEngine::fast`].
    pub fn oracle(program: Program) -> Result<CpuEngine<f64>> {
        CpuEngine::new(program, |kernel| kernel.oracle)
    }
}

impl<T: Real> CpuEngine<T> {
    fn new(program: Program, choice: TwinOf<T>) -> Result<CpuEngine<T>> {
        program.validate()?;
        threads::start()?;
        let memory = program.bufs.iter().map(|buf| {
            let len = if buf.shares.is_none() { buf.len } else { 0 };
            match buf.element {
                Element::Real => zeros(len).map(Memory::Real),
                Element::Uint => zeros(len).map(Memory::Uint),
            }
        });
        let memory = memory.collect::<Result<_, _>>().map_err(|shortage| {
            too_small(&format!("a buffer of the run's {} {shortage}", mebibytes(program.total_bytes())))
        })?;
        let mut engine =
            CpuEngine { program, memory, choice, results: VecDeque::new(), tickets: 0, profiler: None };
        if let Some(gates) = engine.program.gates {
            let open = engine.program.open_gates();
            engine.write(gates, Slice::Uint(&open))?;
        }
        Ok(engine)
    }

    /// The content of a view, in the engine's own precision.
    pub fn look(&self, view: View) -> Slice<'_, T> {
        self.memory[self.program.owner(view.buf).0].slice(view)
    }

    /// The real numbers in a view, mutable.
    ///
    /// # Panics
    /// When the buffer holds integers.
    pub fn numbers(&mut self, view: View) -> &mut [T] {
        let owner = self.program.owner(view.buf);
        match &mut self.memory[owner.0] {
            Memory::Real(values) => &mut values[view.start..view.start + view.len],
            Memory::Uint(_) => panic!("buffer {} holds integers", self.program.bufs[view.buf.0].name),
        }
    }

    /// Whether a dispatch is behind a closed gate.
    fn is_closed(&self, dispatch: &Dispatch) -> bool {
        let gate = dispatch.gate.zip(self.program.gates);
        gate.is_some_and(|(gate, gates)| self.look(gates).uint()[3 * gate] == 0)
    }

    /// Times each dispatch of the steps that a profile wants.
    pub fn with_profiler(mut self, profiler: &Profiler) -> CpuEngine<T> {
        self.profiler = Some((profiler.clone(), Instant::now()));
        self
    }

    /// Runs the dispatches `steps` once, in order.
    pub fn run(&mut self, steps: Range<usize>, step: &Step) {
        let watched = self.profiler.as_ref().filter(|(profiler, _)| profiler.claim(&steps, 1) > 0);
        let Some((profiler, origin)) = watched.cloned() else {
            return steps.for_each(|at| self.run_one(at, step));
        };
        let spans: Vec<Span> = steps
            .map(|at| {
                let begun = Instant::now();
                self.run_one(at, step);
                let seconds = begun.elapsed().as_secs_f64();
                Span { dispatch: at, step: step.index, start: (begun - origin).as_secs_f64(), seconds }
            })
            .collect();
        profiler.note(Clock::Host, spans);
    }

    fn run_one(&mut self, at: usize, step: &Step) {
        let dispatch = &self.program.steps[at];
        if !self.is_closed(dispatch) {
            let function = (self.choice)(dispatch.kernel);
            execute(&self.program, dispatch, function, step, &mut self.memory);
        }
    }
}

/// The most bindings that a kernel may have: WebGPU's limit.
const MOST_BINDINGS: usize = 8;

/// Runs one dispatch.
///
/// Written buffers are taken out of memory meanwhile, so a buffer that is read and written at once fails here, as on a
/// GPU.
fn execute<T: Real>(
    program: &Program,
    dispatch: &Dispatch,
    function: Twin<T>,
    step: &Step,
    memory: &mut [Memory<T>],
) {
    let in_owner = |view: &View| View { buf: program.owner(view.buf), ..*view };
    let bound = || dispatch.args.iter().map(in_owner).zip(dispatch.kernel.binds);
    let written = || bound().filter(|(_, bind)| bind.access != Access::Read).map(|(view, _)| view);
    let read = || bound().filter(|(_, bind)| bind.access == Access::Read).map(|(view, _)| view);
    // Arrays and not vectors: this runs for every dispatch of every step.
    let mut taken = [const { Memory::Uint(Vec::new()) }; MOST_BINDINGS];
    let firsts =
        || written().enumerate().filter(|(at, view)| written().take(*at).all(|other| other.buf != view.buf));
    for (at, view) in firsts() {
        std::mem::swap(&mut taken[at], &mut memory[view.buf.0]);
    }
    let mut reads = [Slice::Uint(&[]); MOST_BINDINGS];
    for (view, slot) in read().zip(&mut reads) {
        *slot = memory[view.buf.0].slice(view);
    }
    let mut writes: [SliceMut<T>; MOST_BINDINGS] = std::array::from_fn(|_| SliceMut::Uint(&mut []));
    for (view, taken) in written().zip(&mut taken) {
        taken.split(view.buf, written().enumerate(), &mut writes);
    }
    let (reads, writes) = (&reads[..read().count()], &mut writes[..written().count()]);
    function(Call { consts: &dispatch.consts, step }, reads, writes);
    for (at, view) in firsts() {
        std::mem::swap(&mut taken[at], &mut memory[view.buf.0]);
    }
}

/// A copy of values, each changed by `change`.
fn copied<A: Copy, B>(values: &[A], change: impl Fn(A) -> B) -> Result<Vec<B>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(values.len()).map_err(|_| no_memory_for_copy(values.len()))?;
    copy.extend(values.iter().map(|value| change(*value)));
    Ok(copy)
}

impl<T: Real> Engine for CpuEngine<T> {
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()> {
        let owner = self.program.owner(to.buf);
        match (self.memory[owner.0].slice_mut(to), data) {
            (SliceMut::Real(to), Slice::Real(from)) => {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = T::of((*from).into()));
            }
            (SliceMut::Uint(to), Slice::Uint(from)) => to.copy_from_slice(from),
            _ => panic!("buffer {} holds something else", self.program.bufs[to.buf.0].name),
        }
        Ok(())
    }

    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket> {
        // On a thread of the pool, from which a function starts work on the others without a wake-up.
        rayon::scope(|_| scalars.iter().for_each(|step| self.run(steps.clone(), step)));
        self.tickets += 1;
        let result = self.read(result)?.real();
        self.results.push_back((self.tickets, result));
        Ok(Ticket(self.tickets))
    }

    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>> {
        let (number, result) = self.results.pop_front().expect("a ticket is waited for once");
        assert_eq!(number, ticket.0, "tickets are waited for in order");
        Ok(result)
    }

    fn read(&mut self, from: View) -> Result<Data> {
        Ok(match self.look(from) {
            Slice::Real(values) => Data::Real(copied(values, |value| value.f64() as f32)?),
            Slice::Uint(values) => Data::Uint(copied(values, |value| value)?),
        })
    }
}
