//! Networks: layers, losses and optimisers, and how a network is lowered to a Program.
//!
//! A network is a list of layers, as the user writes it. Layers know how they are read and what they record;
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
    pub layers: Vec<Layer>,
}

impl std::str::FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Network> {
        chain::parse(text).map(|layers| Network { layers }).map_err(wrong)
    }
}

impl fmt::Display for Network {
    /// The text form.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&chain::text(&self.layers))
    }
}

/// A problem of a layer as one of the network.
fn wrong(problem: String) -> Error {
    Error::Usage(format!("network, {problem}"))
}

impl Network {
    /// The shape in front of every layer, and behind the last.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the layer, the shape that it gets and what it needs.
    pub fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        chain::shapes(&self.layers, input).map_err(wrong)
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

    /// Checks that all layers can be trained on a batch of so many samples.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn check_batch(&self, input: &Shape, samples: usize) -> Result<()> {
        chain::check_batch(&self.layers, input, samples).map_err(wrong)
    }

    /// Whether what it makes of a sample depends on the other samples of the batch.
    pub fn mixes_samples(&self) -> bool {
        chain::mixes_samples(&self.layers)
    }

    /// Records the forward pass of all layers; the backward pass is left on the tape.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, input: &Shape) -> Tensor {
        recorder.start(x);
        let y = chain::record(&self.layers, recorder, x, input, "", Recorder::pass);
        recorder.enter(String::new());
        y
    }
}
