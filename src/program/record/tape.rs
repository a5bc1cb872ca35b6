//! The tape: closures of layers that record their derivatives.

use super::{Gradient, Recorder, Tensor};
use crate::kernel::Element;
use crate::program::View;

impl Recorder {
    /// Puts a closure that records the derivative on the tape.
    pub fn on_backward(&mut self, record: impl FnOnce(&mut Recorder) + 'static) {
        let layer = self.layer.clone();
        self.tape.push(Box::new(move |recorder| {
            recorder.enter(layer);
            record(recorder);
        }));
    }

    /// Records the backward pass: runs the tape from last to first.
    pub fn backward(&mut self) {
        while let Some(record) = self.tape.pop() {
            record(self);
        }
        self.enter(String::new());
        let gradients = &self.program.bufs;
        for activation in &mut self.program.observed.activations {
            let buf = activation.value.and_then(|value| gradients[value.buf.0].gradient);
            activation.gradient = buf.map(|buf| View { buf, start: 0, len: gradients[buf.0].len });
        }
    }

    /// The gradient of a tensor, to be written: the first writer sets it, later writers add.
    pub fn gradient(&mut self, of: Tensor) -> Gradient {
        let decl = &self.program.bufs[of.value.buf.0];
        if let Some(buf) = decl.gradient {
            return Gradient { view: self.program.whole(buf), add: true };
        }
        let name = format!("d{}", decl.name);
        let view = self.scratch(&name, Element::Real, of.value.len);
        self.program.bufs[of.value.buf.0].gradient = Some(view.buf);
        Gradient { view, add: false }
    }

    /// The gradient of a tensor, written by the layers behind it.
    ///
    /// # Panics
    /// When none has written it: a layer's output is always used.
    pub fn written_gradient(&self, of: Tensor) -> View {
        let buf = self.program.bufs[of.value.buf.0].gradient.expect("a layer's output is used");
        self.program.whole(buf)
    }
}
