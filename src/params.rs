//! The parameter arena: every parameter of a network in one buffer.
//!
//! Gradients and optimiser state have buffers of the same layout, so an update
//! is one dispatch, a model one download and a gradient norm one reduction.

use rand::RngExt;

use crate::program::aligned;
use crate::rng::{Purpose, generator};

/// How a parameter gets its first values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialiser {
    /// Uniform in [-bound, bound).
    Uniform(f32),
}

/// One parameter: its name and shape as PyTorch has them, and its place.
#[derive(Clone, Debug)]
pub struct Param {
    /// `0.weight`, `0.bias`, …: the layer's index in the network, then PyTorch's name.
    pub name: String,
    pub shape: Vec<usize>,
    /// First word in the arena.
    pub start: usize,
    pub initialiser: Initialiser,
}

impl Param {
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Names, shapes and places of all parameters.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    pub params: Vec<Param>,
    len: usize,
}

impl Arena {
    /// Appends a parameter and returns its index.
    pub fn add(&mut self, name: String, shape: Vec<usize>, initialiser: Initialiser) -> usize {
        let param = Param { name, shape, start: self.len, initialiser };
        self.len += aligned(param.len());
        self.params.push(param);
        self.params.len() - 1
    }

    /// Words of the arena, padding included. The padding stays zero: its
    /// gradients are never written.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// How many numbers are learned.
    pub fn count(&self) -> usize {
        self.params.iter().map(Param::len).sum()
    }

    /// First values, drawn from the seed: each parameter from a generator of its own.
    pub fn initial_values(&self, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; self.len];
        for (index, param) in self.params.iter().enumerate() {
            let mut rng = generator(seed, Purpose::Weights, index as u64);
            for value in &mut values[param.start..][..param.len()] {
                *value = match param.initialiser {
                    Initialiser::Uniform(bound) => bound * (2.0 * rng.random::<f32>() - 1.0),
                };
            }
        }
        values
    }
}
