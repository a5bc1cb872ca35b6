//! Layers: one file per family, with the forward pass and its gradient on one screen.

pub mod activation;
pub mod chain;
pub mod conv;
pub mod dense;
pub mod dropout;
mod limits;
pub mod norm;
pub mod pool;
mod residual;
pub mod words;

use std::fmt;

use crate::error::suggestion;
use crate::kernel::Activation;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;
use crate::text::shorten;
use conv::Conv;
use dense::Dense;
use norm::Norm;
use pool::{Pool, Reduction};
use words::Inits;

/// One layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A dense layer: y = x·Wᵀ + b.
    Dense {
        /// The number of outputs.
        outputs: usize,
        /// The initialisers of W and b.
        inits: Inits,
    },
    /// A convolution: a weighted sum over every window of an image.
    Conv(Conv),
    /// The maximum or the mean of every window.
    Pool(Pool),
    /// Normalisation to mean 0 and variance 1.
    Norm(Norm),
    /// Dropout with this probability, in training only.
    Dropout(f32),
    /// A residual block: the output of its body plus its input.
    Residual(Residual),
    /// A function of each value.
    Activation(Activation),
    /// Softmax over the values of each sample.
    Softmax,
    /// The values of each sample as one row.
    ///
    /// Dense layers need no such layer.
    Flatten,
}

/// A residual block as the user writes it: `residual { conv 16 3x3 pad 1, relu }`; see `residual.rs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Residual {
    /// The layers between the input and the sum.
    pub body: Vec<Layer>,
}

/// The names of layers in the text form.
pub const NAMES: &[&str] = &[
    "dense",
    "conv",
    "maxpool",
    "avgpool",
    "globalavgpool",
    "batchnorm",
    "layernorm",
    "dropout",
    "residual",
    "relu",
    "leaky-relu",
    "sigmoid",
    "tanh",
    "gelu",
    "silu",
    "softmax",
    "flatten",
];

impl Layer {
    /// A dense layer with PyTorch's initialisers.
    pub fn dense(outputs: usize) -> Layer {
        Layer::Dense { outputs, inits: Inits::default() }
    }

    /// Reads a layer from its text form, such as `dense 128`.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn parse(text: &str) -> Result<Layer, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let none = |layer| match words.clone().next() {
            None => Ok(layer),
            Some(first) => Err(format!("{name} takes no “{first}”", first = shorten(first))),
        };
        match name {
            "dense" => {
                dense::parse(&mut words).map(|Dense { outputs, inits }| Layer::Dense { outputs, inits })
            }
            "conv" => conv::parse(&mut words).map(Layer::Conv),
            "maxpool" => pool::parse(Reduction::Maximum, &mut words).map(Layer::Pool),
            "avgpool" => pool::parse(Reduction::Mean, &mut words).map(Layer::Pool),
            "batchnorm" => norm::parse(Norm::BATCH, &mut words).map(Layer::Norm),
            "layernorm" => norm::parse(Norm::SAMPLE, &mut words).map(Layer::Norm),
            "dropout" => dropout::parse(&mut words).map(Layer::Dropout),
            "residual" => {
                Residual::parse(text.trim_start().trim_start_matches("residual")).map(Layer::Residual)
            }
            "globalavgpool" => none(Layer::Pool(Pool::GLOBAL)),
            "relu" => none(Layer::Activation(Activation::Relu)),
            "leaky-relu" => activation::parse_leaky_relu(&mut words).map(Layer::Activation),
            "sigmoid" => none(Layer::Activation(Activation::Sigmoid)),
            "tanh" => none(Layer::Activation(Activation::Tanh)),
            "gelu" => none(Layer::Activation(Activation::Gelu)),
            "silu" => none(Layer::Activation(Activation::Silu)),
            "softmax" => none(Layer::Softmax),
            "flatten" => none(Layer::Flatten),
            "" => Err("there is nothing between two commas: leave one out".to_owned()),
            _ => {
                Err(format!("this is no layer{} (layers are {})", suggestion(name, NAMES), NAMES.join(", ")))
            }
        }
    }

    /// The output shape for one sample of shape `input`.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn output(&self, input: &Shape) -> Result<Shape, String> {
        match self {
            Layer::Dense { outputs, .. } => dense::output(*outputs, input),
            Layer::Conv(conv) => conv.output(input),
            Layer::Pool(pool) => pool.output(input),
            Layer::Residual(residual) => residual.output(input),
            Layer::Norm(_) | Layer::Dropout(_) | Layer::Activation(_) | Layer::Softmax => Ok(*input),
            Layer::Flatten => Ok(Shape::flat(input.len())),
        }
    }

    /// Adds its parameters to the arena.
    ///
    /// `path` is its index in the network, such as `0`.
    pub fn declare(&self, path: &str, input: &Shape, arena: &mut ArenaBuilder) {
        match self {
            Layer::Dense { outputs, inits } => dense::declare(path, *outputs, *inits, input, arena),
            Layer::Conv(conv) => conv.declare(path, input, arena),
            Layer::Norm(norm) => norm.declare(path, input, arena),
            Layer::Residual(residual) => residual.declare(path, input, arena),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Activation(_) | Layer::Softmax | Layer::Flatten => {}
        }
    }

    /// Multiply-adds of the forward pass of one sample.
    pub fn multiply_adds(&self, input: &Shape) -> usize {
        match self {
            Layer::Dense { outputs, .. } => outputs * input.len(),
            Layer::Conv(conv) => conv.multiply_adds(input),
            Layer::Norm(_) => input.len(),
            Layer::Residual(residual) => residual.multiply_adds(input),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Activation(_) | Layer::Softmax | Layer::Flatten => 0,
        }
    }

    /// Records the forward pass, and leaves the backward pass on the tape.
    ///
    /// `x` is a batch of samples of shape `input`. The names of its parameters begin with `path`.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, input: &Shape, path: &str) -> Tensor {
        match self {
            Layer::Dense { outputs, .. } => dense::record(recorder, x, *outputs, path),
            Layer::Conv(conv) => conv.record(recorder, x, path),
            Layer::Pool(pool) => pool.record(recorder, x),
            Layer::Norm(norm) => norm.record(recorder, x, path),
            Layer::Dropout(probability) => dropout::record(recorder, x, *probability),
            Layer::Residual(residual) => residual.record(recorder, x, input, path),
            Layer::Activation(kind) => activation::record(recorder, x, *kind),
            Layer::Softmax => activation::record_softmax(recorder, x),
            Layer::Flatten => Tensor { shape: Shape::flat(x.columns()), ..x },
        }
    }
}

impl fmt::Display for Layer {
    /// The text form that [`Layer::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Layer::Dense { outputs, inits } => write!(f, "dense {outputs}{inits}"),
            Layer::Conv(conv) => conv.fmt(f),
            Layer::Pool(pool) => pool.fmt(f),
            Layer::Norm(norm) => norm.fmt(f),
            Layer::Dropout(probability) => write!(f, "dropout {probability}"),
            Layer::Residual(residual) => residual.fmt(f),
            Layer::Activation(Activation::Identity) => write!(f, "identity"),
            Layer::Activation(Activation::Relu) => write!(f, "relu"),
            Layer::Activation(Activation::LeakyRelu(leak)) => write!(f, "leaky-relu {leak}"),
            Layer::Activation(Activation::Sigmoid) => write!(f, "sigmoid"),
            Layer::Activation(Activation::Tanh) => write!(f, "tanh"),
            Layer::Activation(Activation::Gelu) => write!(f, "gelu"),
            Layer::Activation(Activation::Silu) => write!(f, "silu"),
            Layer::Softmax => write!(f, "softmax"),
            Layer::Flatten => write!(f, "flatten"),
        }
    }
}
