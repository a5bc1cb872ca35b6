//! The recorder: layers tell it what they compute, and it writes the plain Program, a dispatch for each
//! operation.
//!
//! Going forward a layer records its dispatches and leaves a closure on the tape that records the
//! derivative. [`Recorder::backward`] runs the closures from last to first, once, at lowering; training only
//! replays dispatches. What makes the Program fast comes afterwards: see [`rewrite`](super::rewrite).

mod product;
mod tape;

pub use product::Product;

use super::params::Arena;
use super::shape::Shape;
use super::{Activated, Boundary, Buf, Dispatch, Program, Role, View};
use crate::kernel::consts;
use crate::kernel::{Activation, Consts, Element, Kernel, aligned};
use crate::table;

/// Activations while a Program is recorded: one row per sample, and within it
/// channel by channel, row by row (NCHW).
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    pub value: View,
    pub rows: usize,
    /// The sizes of one sample.
    pub shape: Shape,
    /// False for the data: nobody needs its gradient.
    pub needs_gradient: bool,
}

impl Tensor {
    /// Values of one sample.
    pub fn columns(&self) -> usize {
        self.shape.len()
    }
}

/// Where a gradient goes, and whether something is there already to add to.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    pub view: View,
    pub add: bool,
}

type Backward = Box<dyn FnOnce(&mut Recorder)>;

/// Writes a Program while layers describe themselves.
pub struct Recorder {
    pub program: Program,
    pub arena: Arena,
    /// Rows of a batch.
    pub batch: usize,
    /// Rows of the step in front of this batch: a step may consist of several, whose gradients
    /// of the parameters add up.
    pub first_row: usize,
    /// What layers multiply with: the parameters, or their average where that is measured.
    pub weights: Buf,
    /// Whether layers behave as in training: where that differs, as of dropout
    /// and batch normalisation, they behave as in prediction otherwise.
    pub training: bool,
    parameters: Buf,
    gradients: Buf,
    tape: Vec<Backward>,
    /// The name of the layer that records now, such as `0 dense`.
    layer: String,
    /// Numbers that have been given out for drawing.
    streams: usize,
    section_start: usize,
}

impl Recorder {
    /// A recorder for a network whose parameters are in `arena`.
    pub fn new(arena: Arena, batch: usize) -> Recorder {
        let mut program = Program::default();
        // A network without parameters still has views to bind.
        let learned = arena.learned_len().max(aligned(1));
        let parameters =
            program.declare("parameters", Element::Real, arena.len().max(learned), Role::Parameters);
        let gradients = program.declare("gradients", Element::Real, learned, Role::Gradients);
        Recorder {
            program,
            arena,
            batch,
            first_row: 0,
            weights: parameters.buf,
            training: false,
            parameters: parameters.buf,
            gradients: gradients.buf,
            tape: Vec::new(),
            layer: String::new(),
            streams: 0,
            section_start: 0,
        }
    }

    /// What is learned: the parameter arena without what is only kept.
    pub fn parameters(&self) -> View {
        View { len: self.gradients().len, ..self.arena_view() }
    }

    /// The whole parameter arena.
    pub fn arena_view(&self) -> View {
        self.program.whole(self.parameters)
    }

    /// The gradients of all that is learned, laid out like the parameters.
    pub fn gradients(&self) -> View {
        self.program.whole(self.gradients)
    }

    /// A parameter of the arena, and its gradient: set in the first batch of a step, added to in
    /// the others.
    ///
    /// # Panics
    /// When no layer has declared it.
    pub fn parameter(&self, name: &str) -> (View, Gradient) {
        let kept = self.kept(name);
        let view = View { buf: self.gradients, ..kept };
        (kept, Gradient { view, add: self.first_row > 0 })
    }

    /// A parameter of the arena that has no gradient.
    ///
    /// # Panics
    /// When no layer has declared it.
    pub fn kept(&self, name: &str) -> View {
        let param = self.arena.find(name).unwrap_or_else(|| panic!("no layer has declared {name}"));
        View { buf: self.weights, start: param.start, len: param.len() }
    }

    /// A new buffer.
    pub fn buffer(&mut self, name: &str, element: Element, len: usize, role: Role) -> View {
        self.program.declare(name, element, len, role)
    }

    /// A buffer that only this section needs; lowering lets those share memory.
    pub fn scratch(&mut self, name: &str, element: Element, len: usize) -> View {
        self.buffer(name, element, len, Role::Activations)
    }

    /// A scratch buffer with the layer's name in front of its own.
    pub fn local(&mut self, name: &str, element: Element, len: usize) -> View {
        let name = if self.layer.is_empty() { name.to_owned() } else { format!("{}.{name}", self.layer) };
        self.scratch(&name, element, len)
    }

    /// Activations with a row per sample.
    pub fn tensor(&mut self, name: &str, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        let value = self.local(name, Element::Real, self.batch * shape.len());
        Tensor { value, rows: self.batch, shape, needs_gradient: true }
    }

    /// A label per sample.
    pub fn labels(&mut self) -> View {
        self.scratch("labels", Element::Uint, self.batch)
    }

    /// The name of the layer that records now.
    pub fn layer_name(&self) -> String {
        self.layer.clone()
    }

    /// Names the layer that records from here on.
    pub fn enter(&mut self, layer: String) {
        self.layer = layer;
    }

    /// Begins a batch of a step that has so many rows in front of it: what is drawn at random is
    /// drawn as for rows of one large batch.
    pub fn begin_batch(&mut self, first_row: usize) {
        (self.first_row, self.streams) = (first_row, 0);
    }

    /// A number that no other layer of the section gets, for drawing.
    pub fn stream(&mut self) -> usize {
        self.streams += 1;
        self.streams - 1
    }

    /// Notes what an activation makes, for those who look at it.
    pub fn note_activation(&mut self, activation: Activation, y: Tensor) {
        let layer = self.layer.clone();
        self.program.observed.activated.push(Activated { layer, activation, value: y.value, shape: y.shape });
    }

    /// Notes what lies in front of a network's first layer.
    pub fn start(&mut self, input: Tensor) {
        self.program.observed.boundaries.clear();
        self.pass(input);
    }

    /// Notes what lies behind the next layer.
    pub fn pass(&mut self, output: Tensor) {
        self.program.observed.boundaries.push(Boundary { value: Some(output.value), gradient: None });
    }

    /// Appends a dispatch.
    pub fn dispatch(&mut self, kernel: &'static Kernel, consts: Consts, args: Vec<View>, what: &str) {
        let dispatch = Dispatch::new(kernel, consts, args, what).of_layer(&self.layer);
        self.program.steps.push(dispatch);
    }

    /// Records an update that `guard` may stop: the guard first, with the view of the gates that it opens
    /// and closes, then the dispatches behind them, see [`Dispatch::gate`].
    ///
    /// # Panics
    /// When it is called twice: a Program has one buffer of gates.
    pub fn guarded(&mut self, guard: impl FnOnce(&mut Recorder, View), update: impl FnOnce(&mut Recorder)) {
        assert!(self.program.gates.is_none(), "a program has one buffer of gates");
        // How long it is follows from how many dispatches the update has.
        let gates = self.buffer("gates", Element::Uint, 0, Role::Guard);
        self.program.gates = Some(gates);
        guard(self, gates);
        let first = self.program.steps.len();
        update(self);
        self.program.steps[first..].iter_mut().for_each(|dispatch| dispatch.gate = Some(0));
        self.program.number_gates();
    }

    /// Closes a section: everything recorded since the last one. None knows of
    /// the scratch buffers of another.
    pub fn section(&mut self, name: &str) {
        let end = self.program.steps.len();
        self.program.sections.push((name.to_owned(), self.section_start..end));
        self.section_start = end;
        self.tape.clear();
        self.streams = 0;
    }

    /// A sum over the batch whose terms are so many numbers each: `record` writes
    /// it in slices, one after the other, and they are added up in that order.
    pub fn in_slices(
        &mut self,
        slices: usize,
        to: Gradient,
        what: &str,
        record: impl FnOnce(&mut Recorder, View),
    ) {
        // What writes slices only sets them, so what adds to something is a slice as well.
        if slices == 1 && !to.add {
            return record(self, to.view);
        }
        let columns = to.view.len;
        let partial = self.local(&format!("{what} in slices"), Element::Real, slices * columns);
        record(self, partial);
        let consts = consts! { ROWS: slices, COLUMNS: columns, ADD: to.add };
        self.dispatch(&table::COLUMN_SUMS, consts, vec![partial, to.view], what);
    }
}
