//! What the user writes: a network as a list of layers.

mod build;
pub mod layers;
pub mod loss;
pub mod lower;
pub mod optimiser;

use std::fmt;

use crate::cpu::activation::Activation;
use crate::error::{Error, Result};
use crate::network::layers::Layer;
use crate::network::layers::norm::Over;
use crate::program::params::{Arena, ArenaBuilder};
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;

/// Layers in the order in which a sample passes them.
///
/// ```
/// use wgrad::network::Network;
/// let network: Network = "dense 128, relu, dense 10".parse()?;
/// assert_eq!(network.layers.len(), 3);
/// # Ok::<(), wgrad::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub layers: Vec<Layer>,
}

/// No network has more layers: its text must fit a model file, and its step a submission.
const MOST_LAYERS: usize = 10_000;

/// Blocks within blocks.
const MOST_DEPTH: usize = 16;

impl std::str::FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Network> {
        Network::parse_layers(text).map_err(|problem| Error::Usage(format!("network, {problem}")))
    }
}

/// The layers between the commas that stand outside of braces.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut first, mut depth) = (Vec::new(), 0, 0usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1).ok_or("there is a “}” without its “{”")?,
            ',' if depth == 0 => {
                parts.push(&text[first..at]);
                first = at + 1;
            }
            _ => {}
        }
        if depth > MOST_DEPTH {
            return Err(format!("blocks are at most {MOST_DEPTH} deep within one another"));
        }
    }
    parts.push(&text[first..]);
    if depth == 0 { Ok(parts) } else { Err("there is a “{” without its “}”".to_owned()) }
}

impl fmt::Display for Network {
    /// The text form.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let layers: Vec<String> = self.layers.iter().map(Layer::to_string).collect();
        f.write_str(&layers.join(", "))
    }
}

impl Network {
    /// Reads layers; the problem is a part of a sentence.
    pub(crate) fn parse_layers(text: &str) -> Result<Network, String> {
        if text.trim().is_empty() {
            return Err("there are no layers; write them as in “dense 128, relu, dense 10”".to_owned());
        }
        let count = text.split(',').count();
        if count > MOST_LAYERS {
            return Err(format!("there are {count} layers, and {MOST_LAYERS} are possible: use fewer"));
        }
        let layers = split(text)?.into_iter().enumerate().map(|(at, text)| {
            let text = text.trim();
            Layer::parse(text).map_err(|problem| format!("layer {} “{text}”: {problem}", at + 1))
        });
        Ok(Network { layers: layers.collect::<Result<_, String>>()? })
    }

    /// The shape in front of every layer, and behind the last.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the layer, the shape that it gets and what it needs.
    pub fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        self.shapes_within(input).map_err(|problem| Error::Usage(format!("network, {problem}")))
    }

    /// The same; the problem is a part of a sentence.
    pub(crate) fn shapes_within(&self, input: &Shape) -> Result<Vec<Shape>, String> {
        let mut shapes = vec![*input];
        for (at, layer) in self.layers.iter().enumerate() {
            let input = &shapes[at];
            let output = layer
                .output(input)
                .map_err(|problem| format!("layer {} “{layer}” gets {input}: {problem}", at + 1))?;
            shapes.push(output);
        }
        Ok(shapes)
    }

    /// The parameters of all layers.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn arena(&self, input: &Shape) -> Result<Arena> {
        self.shapes(input)?;
        let mut arena = ArenaBuilder::default();
        self.declare("", input, &mut arena);
        Ok(arena.place())
    }

    /// Adds the parameters of all layers, whose names begin with `prefix`.
    pub(crate) fn declare(&self, prefix: &str, input: &Shape, arena: &mut ArenaBuilder) {
        let Ok(shapes) = self.shapes_within(input) else { return };
        for ((at, layer), input) in self.layers.iter().enumerate().zip(shapes) {
            layer.declare(&format!("{prefix}{at}"), &input, arena);
        }
    }

    /// Checks that all layers can be trained on a batch of so many samples.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn check_batch(&self, input: &Shape, samples: usize) -> Result<()> {
        self.check_batch_within(input, samples).map_err(|problem| Error::Usage(format!("network, {problem}")))
    }

    /// Whether what it makes of a sample depends on the other samples of the batch.
    pub fn mixes_samples(&self) -> bool {
        self.layers.iter().any(|layer| match layer {
            Layer::Norm(norm) => norm.over != Over::Sample,
            Layer::Residual(residual) => residual.body.mixes_samples(),
            _ => false,
        })
    }

    /// Outputs of the first layer, where it is a dense one that takes the data as they come.
    pub(crate) fn dense_first(&self) -> Option<usize> {
        match self.layers.iter().find(|layer| **layer != Layer::Flatten) {
            Some(Layer::Dense { outputs, .. }) => Some(*outputs),
            _ => None,
        }
    }

    fn check_batch_within(&self, input: &Shape, samples: usize) -> Result<(), String> {
        for ((at, layer), input) in self.layers.iter().enumerate().zip(self.shapes_within(input)?) {
            let checked = match layer {
                Layer::Norm(norm) => norm.check_batch(&input, samples),
                Layer::Residual(residual) => residual
                    .body
                    .check_batch_within(&input, samples)
                    .map_err(|problem| format!("in its body, {problem}")),
                _ => Ok(()),
            };
            checked.map_err(|problem| format!("layer {} “{layer}” gets {input}: {problem}", at + 1))?;
        }
        Ok(())
    }

    /// Records the forward pass of all layers; the backward pass is left on the tape.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, input: &Shape) -> Tensor {
        recorder.start(x);
        let y = self.record_layers(recorder, x, input, "", true);
        recorder.enter(String::new());
        y
    }

    /// The same within a block, whose layers' names begin with `prefix`.
    pub(crate) fn record_within(
        &self,
        recorder: &mut Recorder,
        x: Tensor,
        input: &Shape,
        prefix: &str,
    ) -> Tensor {
        self.record_layers(recorder, x, input, prefix, false)
    }

    /// `note`: whether what lies between the layers is noted.
    fn record_layers(
        &self,
        recorder: &mut Recorder,
        mut x: Tensor,
        input: &Shape,
        prefix: &str,
        note: bool,
    ) -> Tensor {
        let shapes = self.shapes_within(input).expect("shapes were checked");
        let mut layers = self.layers.iter().zip(&shapes).enumerate().peekable();
        while let Some((at, (layer, input))) = layers.next() {
            let kind = layer.to_string();
            recorder.enter(format!("{prefix}{at} {}", kind.split(' ').next().unwrap_or_default()));
            let mut next = Activation::Identity;
            if recorder.fuse
                && layer.takes_activation()
                && let Some((_, (Layer::Activation(kind), _))) = layers.peek()
                && kind.slope_is_in_output()
            {
                next = *kind;
                layers.next();
                if note {
                    recorder.pass(None);
                }
            }
            x = layer.record(recorder, x, input, &format!("{prefix}{at}"), next);
            if note {
                recorder.pass(Some(x));
            }
        }
        x
    }
}
