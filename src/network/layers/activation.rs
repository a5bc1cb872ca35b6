//! Activations: a function of each value, or of each row.

use super::words::Words;
use crate::kernel::Activation;
use crate::kernel::consts;
use crate::program::View;
use crate::program::record::{Gradient, Recorder, Tensor};
use crate::table;
use crate::text::shorten;

/// The negative slope of PyTorch's `nn.LeakyReLU`.
const LEAK: f32 = 0.01;

/// Reads the negative slope behind `leaky-relu`.
///
/// # Errors
/// The problem, as part of a sentence.
pub fn parse_leaky_relu(words: &mut Words) -> Result<Activation, String> {
    let leak = match words.next() {
        None => LEAK,
        Some(text) => text
            .parse()
            .map_err(|_| format!("“{text}” is no slope; leave it out for {LEAK}", text = shorten(text)))?,
    };
    if let Some(second) = words.next() {
        return Err(format!("leaky-relu takes one slope, not also “{second}”", second = shorten(second)));
    }
    // A positive slope keeps the sign, so the derivative is a function of the output.
    if leak > 0.0 && leak < 1.0 {
        Ok(Activation::LeakyRelu(leak))
    } else {
        Err(format!("a slope of {leak} is not between 0 and 1"))
    }
}

/// y = activate(x)   dx = dy · activation'(y)
pub fn record(recorder: &mut Recorder, x: Tensor, activation: Activation) -> Tensor {
    let y = recorder.tensor("y", x.shape);
    let y = Tensor { needs_gradient: x.needs_gradient, ..y };
    recorder.note_activation(activation, y);
    let (kind, leak) = activation.consts();
    let consts = consts! { LENGTH: y.value.len, ACTIVATION: kind, LEAK: leak };
    recorder.dispatch(&table::ACTIVATION, consts, vec![x.value, y.value], "activation");

    if !x.needs_gradient {
        return y;
    }
    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        let known = if activation.derivative_is_in_output() { y.value } else { x.value };
        let dx = recorder.gradient(x);
        record_backward(recorder, activation, known, dy, dx);
    });
    y
}

/// dx = dy · activation'(y)
pub fn record_backward(recorder: &mut Recorder, activation: Activation, y: View, dy: View, dx: Gradient) {
    let (kind, leak) = activation.consts();
    let consts = consts! { LENGTH: y.len, ACTIVATION: kind, LEAK: leak, ADD: dx.add };
    let args = vec![y, dy, dx.view];
    recorder.dispatch(&table::ACTIVATION_BACKWARD, consts, args, "gradient through the activation");
}

/// y = softmax(x)   dx = y · (dy - Σ dy·y)
pub fn record_softmax(recorder: &mut Recorder, x: Tensor) -> Tensor {
    let y = recorder.tensor("y", x.shape);
    let y = Tensor { needs_gradient: x.needs_gradient, ..y };
    let consts = consts! { ROWS: x.rows, COLUMNS: x.columns() };
    recorder.dispatch(&table::SOFTMAX, consts, vec![x.value, y.value], "softmax");

    if !x.needs_gradient {
        return y;
    }
    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        let dx = recorder.gradient(x);
        let consts = consts! { ROWS: x.rows, COLUMNS: x.columns(), ADD: dx.add };
        let args = vec![y.value, dy, dx.view];
        recorder.dispatch(&table::SOFTMAX_BACKWARD, consts, args, "gradient through softmax");
    });
    y
}
