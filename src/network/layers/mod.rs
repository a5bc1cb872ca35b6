//! What a network is made of. A layer family is one file: forward and its
//! derivative stand on one screen.

pub mod activation;
pub mod chain;
pub mod conv;
pub mod dense;
pub mod dropout;
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
use conv::Conv;
use dense::Dense;
use norm::Norm;
use pool::{Kept, Pool};
use words::Inits;

/// One layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// y = x·Wᵀ + b
    Dense { outputs: usize, inits: Inits },
    /// A weighted sum of every small window of an image.
    Conv(Conv),
    /// The largest value or the mean of every window.
    Pool(Pool),
    /// Values made to have mean 0 and variance 1.
    Norm(Norm),
    /// Each value left out with this probability, while training.
    Dropout(f32),
    /// What a few layers make of x, and x itself.
    Residual(Residual),
    /// A function of each value.
    Activation(Activation),
    /// Each sample's values made positive with sum 1.
    Softmax,
    /// The same values in one row; dense layers do it by themselves.
    Flatten,
}

/// A residual block as the user writes it: `residual { conv 16 3x3 pad 1, relu }`; see `residual.rs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Residual {
    pub body: Vec<Layer>,
}

/// Names in the text form of a network.
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
    /// A dense layer that is drawn as PyTorch draws it.
    pub fn dense(outputs: usize) -> Layer {
        Layer::Dense { outputs, inits: Inits::default() }
    }

    /// Reads a layer from its text form, such as `dense 128`.
    ///
    /// # Errors
    /// What is wrong, as a part of a sentence.
    pub fn parse(text: &str) -> Result<Layer, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let none = |layer| match words.clone().next() {
            None => Ok(layer),
            Some(first) => Err(format!("{name} takes no “{first}”")),
        };
        match name {
            "dense" => {
                dense::parse(&mut words).map(|Dense { outputs, inits }| Layer::Dense { outputs, inits })
            }
            "conv" => conv::parse(&mut words).map(Layer::Conv),
            "maxpool" => pool::parse(Kept::Maximum, &mut words).map(Layer::Pool),
            "avgpool" => pool::parse(Kept::Mean, &mut words).map(Layer::Pool),
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
            "" => Err("nothing between two commas".to_owned()),
            _ => Err(format!(
                "there is no such layer{}; there are {}",
                suggestion(name, NAMES),
                NAMES.join(", ")
            )),
        }
    }

    /// The shape it makes of `input`.
    ///
    /// # Errors
    /// What does not fit, as a part of a sentence.
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

    /// Adds its parameters to the arena; `path` is its place in the network, such as `0`.
    pub fn declare(&self, path: &str, input: &Shape, arena: &mut ArenaBuilder) {
        match self {
            Layer::Dense { outputs, inits } => dense::declare(path, *outputs, *inits, input, arena),
            Layer::Conv(conv) => conv.declare(path, input, arena),
            Layer::Norm(norm) => norm.declare(path, input, arena),
            Layer::Residual(residual) => residual.declare(path, input, arena),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Activation(_) | Layer::Softmax | Layer::Flatten => {}
        }
    }

    /// Multiplications (each with its addition) to push one sample through.
    pub fn multiply_adds(&self, input: &Shape) -> usize {
        match self {
            Layer::Dense { outputs, .. } => outputs * input.len(),
            Layer::Conv(conv) => conv.multiply_adds(input),
            Layer::Norm(_) => input.len(),
            Layer::Residual(residual) => residual.multiply_adds(input),
            Layer::Pool(_) | Layer::Dropout(_) | Layer::Activation(_) | Layer::Softmax | Layer::Flatten => 0,
        }
    }

    /// Records the forward pass and leaves the backward pass on the tape.
    /// `input` is the shape it gets, `path` what its parameters' names begin with.
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
            Layer::Activation(Activation::LeakyRelu(slope)) => write!(f, "leaky-relu {slope}"),
            Layer::Activation(Activation::Sigmoid) => write!(f, "sigmoid"),
            Layer::Activation(Activation::Tanh) => write!(f, "tanh"),
            Layer::Activation(Activation::Gelu) => write!(f, "gelu"),
            Layer::Activation(Activation::Silu) => write!(f, "silu"),
            Layer::Softmax => write!(f, "softmax"),
            Layer::Flatten => write!(f, "flatten"),
        }
    }
}
