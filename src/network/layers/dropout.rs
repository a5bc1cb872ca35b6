//! y = x / (1 - p) with probability 1 - p, else 0, in training only.
//!
//! As `nn.Dropout`. The mask is a function of the seed, the step and the index of a value, so nothing is kept for the
//! backward pass.

use super::words::{Words, number};
use crate::kernel::consts;
use crate::program::record::{Recorder, Tensor};
use crate::table;
use crate::text::shorten;

/// PyTorch's default.
const PROBABILITY: f32 = 0.5;

/// Reads the probability of dropping a value, behind `dropout`.
///
/// # Errors
/// The problem, as part of a sentence.
pub fn parse(words: &mut Words) -> Result<f32, String> {
    let probability = match words.clone().next() {
        None => PROBABILITY,
        Some(_) => number(words, "probability from 0 to below 1", |value| (0.0..1.0).contains(&value))?,
    };
    match words.next() {
        None => Ok(probability),
        Some(word) => Err(format!("dropout takes one probability, not also “{word}”", word = shorten(word))),
    }
}

/// y = x · mask / (1 - p)   dx = dy · mask / (1 - p)
pub fn record(recorder: &mut Recorder, x: Tensor, probability: f32) -> Tensor {
    if !recorder.training {
        return x;
    }
    let stream = recorder.stream();
    let y = recorder.tensor("y", x.shape);
    let y = Tensor { needs_gradient: x.needs_gradient, ..y };
    let first = recorder.first_row * x.columns();
    let consts = move |add: bool| {
        consts! { LENGTH: y.value.len, FIRST: first, KEEP: 1.0 - probability, STREAM: stream, ADD: add }
    };
    recorder.dispatch(&table::DROPOUT, consts(false), vec![x.value, y.value], "dropout");

    if !x.needs_gradient {
        return y;
    }
    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        let dx = recorder.gradient(x);
        recorder.dispatch(&table::DROPOUT, consts(dx.add), vec![dy, dx.view], "gradient through dropout");
    });
    y
}
