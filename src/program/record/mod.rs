//! The recorder: layers tell it what they compute, and it writes the Program.
//!
//! Going forward a layer records its dispatches and leaves a closure on the
//! tape that records the derivative. [`Recorder::backward`] runs the closures
//! from last to first, once, at lowering; training only replays dispatches.

mod choice;
mod dense_loss;
mod halves;
mod pixels;
mod product;
mod slices;
mod tape;
mod variants;
mod versions;
mod watch;

pub use choice::Choice;
pub use pixels::{PixelKernels, Pixels};
pub use product::Product;
pub use variants::{Class, On, Variant};
pub use versions::Versions;

use std::collections::HashMap;

use crate::consts;
use crate::cpu::activation::Activation;
use crate::kernel::{Consts, Element, Kernel, aligned};
use crate::network::layers::Dims;
use crate::program::params::Arena;
use crate::program::{Buf, BufDecl, Dispatch, Program, Role, View};
use crate::table;

/// Activations while a Program is recorded: one row per sample, and within it
/// channel by channel, row by row (NCHW).
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    pub value: View,
    pub rows: usize,
    /// Of one sample.
    pub dims: Dims,
    /// The activation that was applied in the epilogue of the weighted sum.
    /// Whoever writes this tensor's gradient writes the gradient of the
    /// weighted sum, that is multiplied by the activation's derivative.
    pub made_by: Activation,
    /// False for the data: nobody needs its gradient.
    pub needs_gradient: bool,
    /// Where the first layer unpacks its input itself, what it picks it from; `value` is all images then.
    pub pixels: Option<Pixels>,
}

impl Tensor {
    /// Values of one sample.
    pub fn columns(&self) -> usize {
        self.dims.len()
    }
}

/// Where a gradient goes, and whether something is there already to add to.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    pub view: View,
    pub add: bool,
}

/// What lies between two layers of a network while a section runs, in front of
/// the first layer or behind the last.
#[derive(Clone, Copy, Debug)]
pub struct Boundary {
    /// None where the layer in front took the one behind into its epilogue, or the
    /// first layer unpacks pixels: then what is between them is in no buffer.
    pub value: Option<View>,
    /// The gradient of the value, as [`Tensor::made_by`] asks for it; none
    /// where nobody needs it.
    pub gradient: Option<View>,
}

/// What an activation of a network has made.
#[derive(Clone, Debug)]
pub struct Activated {
    /// The layer that made it, which may have taken the activation behind it into its epilogue:
    /// such as `0 dense` or `3 relu`.
    pub layer: String,
    pub activation: Activation,
    /// A row per sample.
    pub value: View,
    /// Of one sample.
    pub dims: Dims,
}

type Backward = Box<dyn FnOnce(&mut Recorder)>;

/// Writes a Program while layers describe themselves.
pub struct Recorder {
    pub program: Program,
    pub arena: Arena,
    pub versions: Versions,
    /// Whether activations go into the epilogues of weighted sums.
    pub fuse: bool,
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
    /// Of the network that was recorded last, see [`Recorder::boundaries`].
    passed: Vec<Option<Tensor>>,
    activated: Vec<Activated>,
    written: HashMap<Buf, View>,
    watch: watch::Watch,
    /// Input and output of the dense layer that was recorded last, but for one that unpacks pixels.
    last_dense: Option<[Tensor; 2]>,
    /// The output of the dense layer whose input gradient the loss has computed.
    carried_back: Option<Buf>,
    /// Copies in half precision that this section has made, by what they are of and whether that was taken
    /// for a gradient.
    halved: HashMap<(Buf, usize, bool), View>,
    layer: String,
    streams: usize,
    section_start: usize,
}

impl Recorder {
    /// A recorder for a network whose parameters are in `arena`.
    pub fn new(arena: Arena, batch: usize, versions: Versions, fuse: bool) -> Recorder {
        let mut program = Program::default();
        // A network without parameters still has views to bind.
        let learned = arena.learned_len().max(aligned(1));
        let mut declare = |name: &str, len, role| {
            program.bufs.push(BufDecl::new(name, Element::Real, len, role));
            Buf(program.bufs.len() - 1)
        };
        let parameters = declare("parameters", arena.len().max(learned), Role::Parameters);
        let gradients = declare("gradients", learned, Role::Gradients);
        Recorder {
            program,
            arena,
            versions,
            fuse,
            batch,
            first_row: 0,
            weights: parameters,
            training: false,
            parameters,
            gradients,
            tape: Vec::new(),
            passed: Vec::new(),
            activated: Vec::new(),
            written: HashMap::new(),
            watch: watch::Watch::default(),
            last_dense: None,
            carried_back: None,
            halved: HashMap::new(),
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
        self.whole(self.parameters)
    }

    /// The gradients of all that is learned, laid out like the parameters.
    pub fn gradients(&self) -> View {
        self.whole(self.gradients)
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

    fn whole(&self, buf: Buf) -> View {
        View { buf, start: 0, len: self.program.bufs[buf.0].len }
    }

    /// A new buffer.
    pub fn buffer(&mut self, name: &str, element: Element, len: usize, role: Role) -> View {
        self.program.bufs.push(BufDecl::new(name, element, len, role));
        self.whole(Buf(self.program.bufs.len() - 1))
    }

    /// A buffer that only this section needs; lowering lets those share memory.
    pub fn scratch(&mut self, name: &str, element: Element, len: usize) -> View {
        self.buffer(name, element, len, Role::Activations)
    }

    /// Activations with a row per sample.
    pub fn tensor(&mut self, name: &str, dims: impl Into<Dims>, made_by: Activation) -> Tensor {
        let dims = dims.into();
        let value = self.local(name, Element::Real, self.batch * dims.len());
        if made_by != Activation::Identity {
            self.note_activation(made_by, value, dims);
        }
        Tensor { value, rows: self.batch, dims, made_by, needs_gradient: true, pixels: None }
    }

    /// Notes that an activation makes a tensor.
    pub fn note_activation(&mut self, activation: Activation, value: View, dims: Dims) {
        self.activated.push(Activated { layer: self.layer.clone(), activation, value, dims });
    }

    /// What activations have made in this section so far, but for the network's own output.
    pub fn activated_within(&self, output: Tensor) -> Vec<Activated> {
        let within = self.activated.iter().filter(|made| made.value.buf != output.value.buf);
        within.cloned().collect()
    }

    /// A scratch buffer with the layer's name in front of its own.
    pub fn local(&mut self, name: &str, element: Element, len: usize) -> View {
        let name = if self.layer.is_empty() { name.to_owned() } else { format!("{}.{name}", self.layer) };
        self.scratch(&name, element, len)
    }

    /// A label per sample.
    pub fn labels(&mut self) -> View {
        self.scratch("labels", Element::Uint, self.batch)
    }

    /// The name of the layer that records now.
    pub fn layer_name(&self) -> String {
        self.layer.clone()
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

    /// Names the layer that records from here on.
    pub fn enter(&mut self, layer: String) {
        self.layer = layer;
    }

    /// Notes what lies in front of a network's first layer.
    pub fn start(&mut self, input: Tensor) {
        self.passed = vec![Some(input)];
    }

    /// Notes what lies behind the next layer: none where it has been taken into an epilogue.
    pub fn pass(&mut self, output: Option<Tensor>) {
        self.passed.push(output);
    }

    /// In front of each layer that was recorded since [`Recorder::start`], and
    /// behind the last; gradients only after [`Recorder::backward`].
    pub fn boundaries(&self) -> Vec<Boundary> {
        let boundary = |tensor: &Option<Tensor>| Boundary {
            value: tensor.filter(|tensor| tensor.pixels.is_none()).map(|tensor| tensor.value),
            gradient: tensor.and_then(|tensor| self.written.get(&tensor.value.buf).copied()),
        };
        self.passed.iter().map(boundary).collect()
    }

    /// Appends a dispatch.
    pub fn dispatch(&mut self, kernel: &'static Kernel, consts: Consts, args: Vec<View>, what: &str) {
        let label = if self.layer.is_empty() { what.to_owned() } else { format!("{}: {what}", self.layer) };
        self.program.steps.push(Dispatch::new(kernel, consts, args, label));
    }

    /// Puts what `record` dispatches behind gates, see [`Dispatch::gate`], and returns the buffer that
    /// opens and closes them.
    ///
    /// # Panics
    /// When it is called twice: a Program has one such buffer.
    pub fn gated(&mut self, record: impl FnOnce(&mut Recorder)) -> View {
        assert!(self.program.gates.is_none(), "a program has one buffer of gates");
        let first = self.program.steps.len();
        record(self);
        for (gate, dispatch) in self.program.steps[first..].iter_mut().enumerate() {
            dispatch.gate = Some(gate);
        }
        // A network without parameters still has a buffer to bind.
        let gates = (self.program.steps.len() - first).max(1);
        let view = self.buffer("gates", Element::Uint, 3 * gates, Role::Guard);
        self.program.gates = Some(view);
        view
    }

    /// Closes a section: everything recorded since the last one. None knows of
    /// the scratch buffers of another.
    pub fn section(&mut self, name: &str) {
        let end = self.program.steps.len();
        self.program.sections.push((name.to_owned(), self.section_start..end));
        self.section_start = end;
        self.written.clear();
        self.halved.clear();
        (self.last_dense, self.carried_back) = (None, None);
        self.passed.clear();
        self.activated.clear();
        self.tape.clear();
        self.streams = 0;
    }

    /// A convolution or its input gradient, by the chosen version.
    pub fn conv(&mut self, consts: Consts, args: Vec<View>, what: &str) {
        let (kernel, consts) = self.versions.conv(consts);
        self.dispatch(kernel, consts, args, what);
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

    /// A convolution's weight gradient, by the chosen version.
    pub fn conv_weights(&mut self, consts: Consts, args: Vec<View>, what: &str) {
        let (kernel, consts) = self.versions.conv_weights(consts);
        self.dispatch(kernel, consts, args, what);
    }
}
