//! The tape: each layer leaves on it what records its derivative, and says where gradients go.

use super::{Gradient, Recorder, Tensor};
use crate::consts;
use crate::cpu::activation::Activation;
use crate::kernel::Element;
use crate::program::View;
use crate::table;

impl Recorder {
    /// Leaves the derivative on the tape.
    pub fn on_backward(&mut self, record: impl FnOnce(&mut Recorder) + 'static) {
        let layer = self.layer.clone();
        self.tape.push(Box::new(move |recorder| {
            recorder.enter(layer);
            record(recorder);
        }));
    }

    /// Records the backward pass: the tape, from last to first.
    pub fn backward(&mut self) {
        while let Some(record) = self.tape.pop() {
            record(self);
        }
        self.enter(String::new());
    }

    /// Where to write the gradient of a tensor: the first writer sets, later writers add.
    pub fn gradient(&mut self, of: Tensor) -> Gradient {
        if let Some(view) = self.written.get(&of.value.buf) {
            return Gradient { view: *view, add: true };
        }
        let name = format!("d{}", self.program.bufs[of.value.buf.0].name);
        let view = self.scratch(&name, Element::Real, of.value.len);
        self.written.insert(of.value.buf, view);
        Gradient { view, add: false }
    }

    /// The gradient that the layers behind a tensor have written.
    ///
    /// # Panics
    /// When none has: a layer's output is always used.
    pub fn written_gradient(&self, of: Tensor) -> View {
        self.written[&of.value.buf]
    }

    /// For layers that cannot multiply by the derivative of the activation in
    /// front of them: `record` writes the plain gradient of `of`, and a
    /// dispatch of its own makes of it what [`Tensor::made_by`] asks for.
    pub fn plain_gradient(&mut self, of: Tensor, record: impl FnOnce(&mut Recorder, Gradient)) {
        if of.made_by == Activation::Identity {
            let gradient = self.gradient(of);
            return record(self, gradient);
        }
        let plain = self.scratch("plain gradient", Element::Real, of.value.len);
        record(self, Gradient { view: plain, add: false });
        let gradient = self.gradient(of);
        self.activation_backward(of.made_by, of.value, plain, gradient);
    }

    /// dx = dy · activation'(y) as a dispatch of its own.
    pub fn activation_backward(&mut self, activation: Activation, y: View, dy: View, dx: Gradient) {
        let (kind, leak) = activation.consts();
        let consts = consts! { LENGTH: y.len, ACTIVATION: kind, LEAK: leak, ADD: dx.add };
        self.dispatch(
            &table::ACTIVATION_BACKWARD,
            consts,
            vec![y, dy, dx.view],
            "gradient through the activation",
        );
    }
}
