//! y = activate(x·Wᵀ + b)   x: (B, inputs)  W: (outputs, inputs)  b: (outputs)  y: (B, outputs)
//!
//! The layout of W is that of PyTorch's `nn.Linear`.

use super::Layer;
use super::words::{Inits, Words};
use crate::cpu::activation::Activation;
use crate::cpu::matmul::Epilogue;
use crate::program::View;
use crate::program::init::Fans;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Gradient, Product, Recorder, Tensor};
use crate::program::shape::Shape;

/// Shaders number weights by u32, and a buffer of more than this fits no adapter.
const MOST_WEIGHTS: usize = 1 << 30;

pub fn parse(words: &mut Words) -> Result<Layer, String> {
    let Some(text) = words.next() else {
        return Err("dense takes the number of its outputs, as in “dense 128”".to_owned());
    };
    let outputs = match text.parse() {
        Ok(outputs) if (1..=MOST_WEIGHTS).contains(&outputs) => outputs,
        _ => {
            return Err(format!(
                "“{text}” is no number of outputs; it is a whole number from 1 to {MOST_WEIGHTS}"
            ));
        }
    };
    let mut inits = Inits::default();
    while let Some(word) = words.next() {
        if !inits.parse(word, words)? {
            return Err(format!("dense takes no “{word}”; behind its outputs it takes {}", Inits::TAKES));
        }
    }
    Ok(Layer::Dense { outputs, inits })
}

pub fn output(outputs: usize, input: &Shape) -> Result<Shape, String> {
    match outputs.checked_mul(input.len()) {
        Some(weights) if weights <= MOST_WEIGHTS => Ok(Shape::flat(outputs)),
        _ => Err(format!("{outputs} outputs from an input of {input} take more than {MOST_WEIGHTS} weights")),
    }
}

/// W and b uniform in ±1/√inputs, as `nn.Linear` draws them.
pub fn declare(path: &str, outputs: usize, inits: Inits, input: &Shape, arena: &mut ArenaBuilder) {
    let fans = Fans { fan_in: input.len(), fan_out: outputs };
    arena.add(format!("{path}.weight"), vec![outputs, input.len()], inits.weight(fans));
    arena.add(format!("{path}.bias"), vec![outputs], inits.bias(fans));
}

pub fn record(
    recorder: &mut Recorder,
    x: Tensor,
    outputs: usize,
    path: &str,
    activation: Activation,
) -> Tensor {
    let (weight, dweight) = recorder.parameter(&format!("{path}.weight"));
    let (bias, dbias) = recorder.parameter(&format!("{path}.bias"));
    let (batch, inputs) = (x.rows, x.columns());
    let y = recorder.tensor("y", outputs, activation);
    match x.pixels {
        Some(pixels) => recorder.pixel_dense(x, pixels, [weight, bias], y),
        None => {
            let weighted_sums = Product {
                m: batch,
                n: outputs,
                k: inputs,
                a: x.value,
                transpose_a: false,
                b: weight,
                transpose_b: true,
                epilogue: Some((Epilogue::Bias, activation, bias)),
                c: Gradient { view: y.value, add: false },
                of_a_layer: true,
                of_a_gradient: false,
            };
            recorder.matmul(weighted_sums, "weighted sums");
            recorder.note_dense(x, y);
        }
    }

    recorder.on_backward(move |recorder| {
        // dz, the gradient of the weighted sums: see Tensor::made_by.
        let dz = recorder.written_gradient(y);
        match x.pixels {
            Some(pixels) => recorder.pixel_gradient(dz, x, pixels, [dweight, dbias]),
            None => recorder.weight_gradient(dz, x.value, batch, dweight, dbias),
        }
        if x.needs_gradient && !recorder.is_carried_back(y) {
            record_input_gradient(recorder, dz, weight, outputs, x);
        }
    });
    y
}

/// dx = dz·W, times the derivative of the activation that made x
fn record_input_gradient(recorder: &mut Recorder, dz: View, weight: View, outputs: usize, x: Tensor) {
    let input_gradient = Product {
        m: x.rows,
        n: x.columns(),
        k: outputs,
        a: dz,
        transpose_a: false,
        b: weight,
        transpose_b: false,
        epilogue: (x.made_by != Activation::Identity).then_some((Epilogue::Slope, x.made_by, x.value)),
        c: recorder.gradient(x),
        of_a_layer: true,
        of_a_gradient: true,
    };
    recorder.matmul(input_gradient, "input gradient");
}
