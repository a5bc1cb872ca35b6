//! What a network is made of. A layer family is one file: forward and its
//! derivative stand on one screen.

pub mod activation;
pub mod dense;

use std::fmt;

use crate::cpu::activation::Activation;
use crate::error::suggestion;
use crate::params::Arena;
use crate::record::{Recorder, Tensor};

/// Values of one sample between two layers: `[outputs]` or `[channels, height, width]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// How many values that is.
    pub fn len(&self) -> usize {
        self.0.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sizes: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&sizes.join("×"))
    }
}

/// One layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// y = x·Wᵀ + b
    Dense { outputs: usize },
    /// A function of each value.
    Activation(Activation),
    /// Each sample's values made positive with sum 1.
    Softmax,
    /// The same values in one row; dense layers do it by themselves.
    Flatten,
}

/// Names in the text form of a network.
pub const NAMES: &[&str] = &["dense", "relu", "leaky-relu", "sigmoid", "tanh", "softmax", "flatten"];

impl Layer {
    /// Reads a layer from its text form, such as `dense 128`.
    ///
    /// # Errors
    /// What is wrong, as a part of a sentence.
    pub fn parse(text: &str) -> Result<Layer, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let arguments: Vec<&str> = words.collect();
        let none = |layer| match arguments.as_slice() {
            [] => Ok(layer),
            [first, ..] => Err(format!("{name} takes no “{first}”")),
        };
        match name {
            "dense" => dense::parse(&arguments),
            "relu" => none(Layer::Activation(Activation::Relu)),
            "leaky-relu" => activation::parse_leaky_relu(&arguments),
            "sigmoid" => none(Layer::Activation(Activation::Sigmoid)),
            "tanh" => none(Layer::Activation(Activation::Tanh)),
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
            Layer::Dense { outputs } => dense::output(*outputs, input),
            Layer::Activation(_) | Layer::Softmax => Ok(input.clone()),
            Layer::Flatten => Ok(Shape(vec![input.len()])),
        }
    }

    /// Adds its parameters to the arena; `index` is its place in the network.
    pub fn declare(&self, index: usize, input: &Shape, arena: &mut Arena) {
        match self {
            Layer::Dense { outputs } => dense::declare(index, *outputs, input, arena),
            Layer::Activation(_) | Layer::Softmax | Layer::Flatten => {}
        }
    }

    /// Multiplications (each with its addition) to push one sample through.
    pub fn multiply_adds(&self, input: &Shape) -> usize {
        match self {
            Layer::Dense { outputs } => outputs * input.len(),
            Layer::Activation(_) | Layer::Softmax | Layer::Flatten => 0,
        }
    }

    /// Records the forward pass and leaves the backward pass on the tape.
    /// `parameter` is the arena index of its first parameter; `next` the
    /// activation behind it that it may take into its epilogue.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, parameter: usize, next: Activation) -> Tensor {
        match self {
            Layer::Dense { outputs } => dense::record(recorder, x, *outputs, parameter, next),
            Layer::Activation(kind) => activation::record(recorder, x, *kind),
            Layer::Softmax => activation::record_softmax(recorder, x),
            Layer::Flatten => x,
        }
    }

    /// Whether it can apply the activation behind it in its own epilogue.
    pub fn takes_activation(&self) -> bool {
        matches!(self, Layer::Dense { .. })
    }
}

impl fmt::Display for Layer {
    /// The text form that [`Layer::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Layer::Dense { outputs } => write!(f, "dense {outputs}"),
            Layer::Activation(Activation::Identity) => write!(f, "identity"),
            Layer::Activation(Activation::Relu) => write!(f, "relu"),
            Layer::Activation(Activation::LeakyRelu(slope)) => write!(f, "leaky-relu {slope}"),
            Layer::Activation(Activation::Sigmoid) => write!(f, "sigmoid"),
            Layer::Activation(Activation::Tanh) => write!(f, "tanh"),
            Layer::Softmax => write!(f, "softmax"),
            Layer::Flatten => write!(f, "flatten"),
        }
    }
}
