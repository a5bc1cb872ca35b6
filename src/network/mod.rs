//! Networks: layers, losses and optimisers, and how a network is lowered to a Program.
//!
//! A network is a list of layers, as the user writes it. A layer knows its text form and records its dispatches;
//! [`lower`] makes a Program of a network, a loss and the sizes of the data.
//!
//! Depends on `program`, and everything below. Read this file first, then `layers/dense.rs` and `lower/mod.rs`.

mod build;
pub mod layers;
pub mod loss;
pub mod lower;
pub mod optimiser;

use std::fmt;

use crate::error::{Error, Result};
use crate::network::layers::{Layer, chain};
use crate::program::params::{Arena, ArenaBuilder};
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;

/// Layers in the order in which a sample passes them.
///
/// ```
/// use wgrad::Network;
/// let network: Network = "dense 128, relu, dense 10".parse()?;
/// assert_eq!(network.layers.len(), 3);
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

impl std::str::FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Network> {
        let layers = chain::parse(text);
        layers.map(|layers| Network { layers }).map_err(|problem| Error::Usage(in_network(&problem)))
    }
}

impl fmt::Display for Network {
    /// The text form.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&chain::text(&self.layers))
    }
}

/// A problem of a layer as one of the network.
fn in_network(problem: &str) -> String {
    format!("⟨network⟩, {problem}")
}

/// A network that doesn't go with the shape of its input or the size of its batches.
fn unfit(problem: String) -> Error {
    Error::Setting { key: "network", problem: in_network(&problem) }
}

impl Network {
    /// The input shape of every layer, and the output shape of the last.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the layer, its input shape and what it needs.
    pub fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        chain::shapes(&self.layers, input).map_err(unfit)
    }

    /// The parameters of all layers.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn arena(&self, input: &Shape) -> Result<Arena> {
        self.shapes(input)?;
        let mut arena = ArenaBuilder::default();
        chain::declare(&self.layers, "", input, &mut arena);
        Ok(arena.place())
    }

    /// Checks that all layers can be trained on batches of `samples` samples.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn check_batch(&self, input: &Shape, samples: usize) -> Result<()> {
        chain::check_batch(&self.layers, input, samples).map_err(unfit)
    }

    /// The number of layers, with those of blocks.
    pub fn count(&self) -> usize {
        chain::count(&self.layers)
    }

    /// Whether the output for a sample depends on the other samples of its batch.
    pub fn mixes_samples(&self) -> bool {
        chain::mixes_samples(&self.layers)
    }

    /// Records the forward pass of all layers.
    ///
    /// The backward pass is left on the tape. `x` is a batch of samples of shape `input`; the result is the output of
    /// the last layer.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, input: &Shape) -> Tensor {
        recorder.start(x);
        let y = chain::record(&self.layers, recorder, x, input, "", Recorder::pass);
        recorder.enter(String::new());
        y
    }
}
