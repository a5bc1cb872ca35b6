//! y = x·Wᵀ + b   x: (B, inputs)  W: (outputs, inputs)  b: (outputs)  y: (B, outputs)
//!
//! The layout of W is that of PyTorch's `nn.Linear`.

use super::limits::MOST_WEIGHTS;
use super::words::{Inits, Words};
use crate::kernel::consts;
use crate::program::init::Fans;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Gradient, Product, Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;
use crate::text::shorten;

/// A dense layer as the user writes it.
pub struct Dense {
    /// The number of outputs.
    pub outputs: usize,
    /// The initialisers of W and b.
    pub inits: Inits,
}

/// Reads the words behind `dense`.
///
/// # Errors
/// The problem, as part of a sentence, as with all functions here.
pub fn parse(words: &mut Words) -> Result<Dense, String> {
    let Some(text) = words.next() else {
        return Err("dense takes the number of its outputs, as in “dense 128”".to_owned());
    };
    let outputs = match text.parse() {
        Ok(outputs) if (1..=MOST_WEIGHTS).contains(&outputs) => outputs,
        _ => {
            return Err(format!(
                "“{text}” is no number of outputs; it is a whole number from 1 to {MOST_WEIGHTS}",
                text = shorten(text)
            ));
        }
    };
    let mut inits = Inits::default();
    while let Some(word) = words.next() {
        if !inits.parse(word, words)? {
            return Err(format!(
                "dense takes no “{word}”; behind its outputs it takes {}",
                Inits::TAKES,
                word = shorten(word)
            ));
        }
    }
    Ok(Dense { outputs, inits })
}

/// The output shape for one sample, a row of `outputs` values.
///
/// # Errors
/// The problem, as part of a sentence.
pub fn output(outputs: usize, input: &Shape) -> Result<Shape, String> {
    match outputs.checked_mul(input.len()) {
        Some(weights) if weights <= MOST_WEIGHTS => Ok(Shape::flat(outputs)),
        _ => Err(format!(
            "{outputs} outputs from an input of {input} take more than {MOST_WEIGHTS} weights: use fewer outputs"
        )),
    }
}

/// Declares W and b, by default uniform in ±1/√inputs as in `nn.Linear`.
pub fn declare(path: &str, outputs: usize, inits: Inits, input: &Shape, arena: &mut ArenaBuilder) {
    let fans = Fans { fan_in: input.len(), fan_out: outputs };
    arena.add(format!("{path}.weight"), vec![outputs, input.len()], inits.weight(fans));
    arena.add(format!("{path}.bias"), vec![outputs], inits.bias(fans));
}

/// Records the forward pass, and leaves the backward pass on the tape.
pub fn record(recorder: &mut Recorder, x: Tensor, outputs: usize, path: &str) -> Tensor {
    let (weight, dweight) = recorder.parameter(&format!("{path}.weight"));
    let (bias, dbias) = recorder.parameter(&format!("{path}.bias"));
    let (batch, inputs) = (x.rows, x.columns());
    let y = recorder.tensor("y", outputs);
    let weighted_sums = Product {
        m: batch,
        n: outputs,
        k: inputs,
        a: x.value,
        transpose_a: false,
        b: weight,
        transpose_b: true,
        bias: Some(bias),
        c: Gradient { view: y.value, add: false },
    };
    recorder.matmul(weighted_sums, "weighted sums");

    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        // dW = dyᵀ·x
        let weight_gradient = Product {
            m: outputs,
            n: inputs,
            k: batch,
            a: dy,
            transpose_a: true,
            b: x.value,
            transpose_b: false,
            bias: None,
            c: dweight,
        };
        recorder.matmul(weight_gradient, "weight gradient");
        // db = Σ over the batch of dy
        let consts = consts! { ROWS: batch, COLUMNS: outputs, ADD: dbias.add };
        recorder.dispatch(&table::COLUMN_SUMS, consts, vec![dy, dbias.view], "bias gradient");
        if !x.needs_gradient {
            return;
        }
        // dx = dy·W
        let input_gradient = Product {
            m: batch,
            n: inputs,
            k: outputs,
            a: dy,
            transpose_a: false,
            b: weight,
            transpose_b: false,
            bias: None,
            c: recorder.gradient(x),
        };
        recorder.matmul(input_gradient, "input gradient");
    });
    y
}
