//! The tape: each layer leaves on it what records its derivative, and says where gradients go.

use super::{Gradient, Recorder, Tensor};
use crate::kernel::Element;
use crate::program::View;

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
        let gradients = &self.program.bufs;
        for boundary in &mut self.program.observed.boundaries {
            let buf = boundary.value.and_then(|value| gradients[value.buf.0].gradient);
            boundary.gradient = buf.map(|buf| View { buf, start: 0, len: gradients[buf.0].len });
        }
    }

    /// Where to write the gradient of a tensor: the first writer sets, later writers add.
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

    /// The gradient that the layers behind a tensor have written.
    ///
    /// # Panics
    /// When none has: a layer's output is always used.
    pub fn written_gradient(&self, of: Tensor) -> View {
        let buf = self.program.bufs[of.value.buf.0].gradient.expect("a layer's output is used");
        self.program.whole(buf)
    }
}
