//! The recorder, with which layers write the plain Program: one dispatch per operation.
//!
//! Going forward a layer records its dispatches and leaves a closure on the tape that records the
//! derivative. [`Recorder::backward`] runs the closures from last to first, once, at lowering; training only
//! replays dispatches. The [rewrites](super::rewrite) make the Program fast afterwards.

mod product;
mod tape;

pub use product::Product;

use super::params::Arena;
use super::shape::Shape;
use super::{Activated, Buf, Dispatch, ObservedActivation, Program, Role, View};
use crate::kernel::consts;
use crate::kernel::{Activation, Consts, Element, Kernel, aligned};
use crate::table;

/// Activations while a Program is recorded, in NCHW order.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// The values, (rows, shape).
    pub value: View,
    /// Samples of a batch.
    pub rows: usize,
    /// The sizes of one sample.
    pub shape: Shape,
    /// False for the data.
    pub needs_gradient: bool,
}

impl Tensor {
    /// Values of one sample.
    pub fn columns(&self) -> usize {
        self.shape.len()
    }
}

/// The view that a gradient is written to, and whether to add to it.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    /// The gradient.
    pub view: View,
    /// Whether it has been written before in this step.
    pub add: bool,
}

type Backward = Box<dyn FnOnce(&mut Recorder)>;

/// Writes a Program, dispatch by dispatch.
pub struct Recorder {
    /// The Program recorded so far.
    pub program: Program,
    /// The parameters.
    pub arena: Arena,
    /// Samples of a batch.
    pub batch: usize,
    /// Samples of the step in front of this batch.
    ///
    /// A step may have several batches, whose gradients of the parameters add up.
    pub first_row: usize,
    /// The weights that layers use: the parameters, or their EMA.
    pub weights: Buf,
    /// Whether dropout and batch normalisation compute as in training, or as in prediction.
    pub training: bool,
    parameters: Buf,
    gradients: Buf,
    tape: Vec<Backward>,
    /// The layer that records now, such as `0 dense`.
    layer: String,
    /// Random streams that have been given out.
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

    /// The learned part of the parameter arena.
    pub fn parameters(&self) -> View {
        View { len: self.gradients().len, ..self.arena_view() }
    }

    /// The whole parameter arena.
    pub fn arena_view(&self) -> View {
        self.program.whole(self.parameters)
    }

    /// The gradients of the learned parameters, in the layout of the arena.
    pub fn gradients(&self) -> View {
        self.program.whole(self.gradients)
    }

    /// A parameter and its gradient, which all batches of a step but the first add to.
    ///
    /// # Panics
    /// When no layer has declared it.
    pub fn parameter(&self, name: &str) -> (View, Gradient) {
        let kept = self.kept(name);
        let view = View { buf: self.gradients, ..kept };
        (kept, Gradient { view, add: self.first_row > 0 })
    }

    /// A parameter, without its gradient.
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

    /// A buffer of this section alone; such buffers may share memory.
    pub fn scratch(&mut self, name: &str, element: Element, len: usize) -> View {
        self.buffer(name, element, len, Role::Activations)
    }

    /// A scratch buffer whose name begins with the layer's.
    pub fn local(&mut self, name: &str, element: Element, len: usize) -> View {
        let name = if self.layer.is_empty() { name.to_owned() } else { format!("{}.{name}", self.layer) };
        self.scratch(&name, element, len)
    }

    /// A scratch buffer for activations, (batch, shape).
    pub fn tensor(&mut self, name: &str, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        let value = self.local(name, Element::Real, self.batch * shape.len());
        Tensor { value, rows: self.batch, shape, needs_gradient: true }
    }

    /// A scratch buffer for labels, (batch).
    pub fn labels(&mut self) -> View {
        self.scratch("labels", Element::Uint, self.batch)
    }

    /// The layer that records now, such as `0 dense`.
    pub fn layer_name(&self) -> String {
        self.layer.clone()
    }

    /// Sets the layer that records from here on.
    pub fn enter(&mut self, layer: String) {
        self.layer = layer;
    }

    /// Begins a batch of a step, with `first_row` samples in front of it.
    ///
    /// Random numbers are drawn as for one large batch.
    pub fn begin_batch(&mut self, first_row: usize) {
        (self.first_row, self.streams) = (first_row, 0);
    }

    /// A random stream that no other layer of the section has.
    pub fn stream(&mut self) -> usize {
        self.streams += 1;
        self.streams - 1
    }

    /// Notes the output of an activation function in [`Program::observed`].
    pub fn note_activation(&mut self, activation: Activation, y: Tensor) {
        let layer = self.layer.clone();
        self.program.observed.activated.push(Activated { layer, activation, value: y.value, shape: y.shape });
    }

    /// Notes the input of a network's first layer in [`Program::observed`].
    pub fn start(&mut self, input: Tensor) {
        self.program.observed.activations.clear();
        self.pass(input);
    }

    /// Notes the output of the next layer in [`Program::observed`].
    pub fn pass(&mut self, output: Tensor) {
        self.program
            .observed
            .activations
            .push(ObservedActivation { value: Some(output.value), gradient: None });
    }

    /// Appends a dispatch.
    pub fn dispatch(&mut self, kernel: &'static Kernel, consts: Consts, args: Vec<View>, what: &str) {
        let dispatch = Dispatch::new(kernel, consts, args, what).of_layer(&self.layer);
        self.program.steps.push(dispatch);
    }

    /// Records an update that `guard` may stop.
    ///
    /// `guard` comes first and gets the view of the gates; the dispatches of `update` stand behind them: see
    /// [`Dispatch::gate`].
    ///
    /// # Panics
    /// When it is called twice: a Program has one buffer of gates.
    pub fn guarded(&mut self, guard: impl FnOnce(&mut Recorder, View), update: impl FnOnce(&mut Recorder)) {
        assert!(self.program.gates.is_none(), "a program has one buffer of gates");
        // Their length follows from the number of dispatches of the update.
        let gates = self.buffer("gates", Element::Uint, 0, Role::Guard);
        self.program.gates = Some(gates);
        guard(self, gates);
        let first = self.program.steps.len();
        update(self);
        self.program.steps[first..].iter_mut().for_each(|dispatch| dispatch.gate = Some(0));
        self.program.number_gates();
    }

    /// Ends a section: everything recorded since the last one.
    ///
    /// Sections don't read each other's scratch buffers.
    pub fn section(&mut self, name: &str) {
        let end = self.program.steps.len();
        self.program.sections.push((name.to_owned(), self.section_start..end));
        self.section_start = end;
        self.tape.clear();
        self.streams = 0;
    }

    /// A sum over the batch in slices, which are added up in order.
    ///
    /// `record` writes the slices one behind the other.
    pub fn in_slices(
        &mut self,
        slices: usize,
        to: Gradient,
        what: &str,
        record: impl FnOnce(&mut Recorder, View),
    ) {
        // `record` never adds, so a single slice that is added to something goes through a sum as well.
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
