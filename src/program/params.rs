//! The parameter arena: every parameter of a network in one buffer.
//!
//! Gradients and optimiser state have buffers of the same layout, so an update is one dispatch, a model one download
//! and a gradient norm one reduction. Running statistics stand behind the learned parameters: they have no gradient, and
//! no optimiser changes them.

use rand::RngExt;

use crate::kernel::aligned;
use crate::kernel::rng::{Purpose, generator};
pub use crate::program::init::Initialiser;

/// One parameter: its name and shape as PyTorch has them, and its offset.
#[derive(Clone, Debug)]
pub struct Param {
    /// `0.weight`, `0.bias`, …: the layer's index in the network, then PyTorch's name.
    pub name: String,
    /// As PyTorch has it, such as `[outputs, inputs]`.
    pub shape: Vec<usize>,
    /// First word in the arena.
    pub start: usize,
    /// Its first values.
    pub initialiser: Initialiser,
    /// Whether it has a gradient; running statistics have none.
    pub learned: bool,
}

impl Param {
    /// The number of its values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its part of the arena, see [`ArenaBuilder::place`].
    fn class(&self) -> usize {
        match (self.learned, self.is_vector()) {
            (true, false) => 0,
            (true, true) => 1,
            (false, _) => 2,
        }
    }

    /// Whether it has a single dimension, like biases and the weights of norms.
    pub fn is_vector(&self) -> bool {
        self.shape.len() <= 1
    }
}

/// The parameters that layers have declared, before they have offsets.
#[derive(Debug, Default)]
pub struct ArenaBuilder {
    params: Vec<Param>,
}

impl ArenaBuilder {
    /// Appends a parameter.
    pub fn add(&mut self, name: String, shape: Vec<usize>, initialiser: Initialiser) {
        self.params.push(Param { name, shape, start: 0, initialiser, learned: true });
    }

    /// Appends a buffer of the network, such as running statistics: it has no gradient.
    pub fn keep(&mut self, name: String, shape: Vec<usize>, initialiser: Initialiser) {
        self.params.push(Param { name, shape, start: 0, initialiser, learned: false });
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// Gives every parameter its offset: matrices first, then vectors, then what isn't learned.
    ///
    /// So the parameters without weight decay, biases and norms, are one range of the arena.
    pub fn place(mut self) -> Arena {
        let (mut len, mut ends) = (0, [0; 3]);
        for (class, end) in ends.iter_mut().enumerate() {
            for param in self.params.iter_mut().filter(|param| param.class() == class) {
                param.start = len;
                len += aligned(param.len());
            }
            *end = len;
        }
        Arena { params: self.params, ends }
    }
}

/// Names, shapes and offsets of all parameters.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    /// In the order of PyTorch's `state_dict`.
    pub params: Vec<Param>,
    /// Words up to the end of the matrices, of the learned parameters, and of all.
    ends: [usize; 3],
}

impl Arena {
    /// The parameter of this name.
    pub fn find(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Words of all learned parameters with two or more dimensions, padding included.
    ///
    /// They stand first.
    pub fn matrices(&self) -> usize {
        self.ends[0]
    }

    /// Words of the learned parameters, padding included; they stand first.
    pub fn learned_len(&self) -> usize {
        self.ends[1]
    }

    /// Words of the arena, padding included.
    ///
    /// The padding stays zero: its gradients are never written.
    pub fn len(&self) -> usize {
        self.ends[2]
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The number of learned values.
    pub fn count(&self) -> usize {
        self.params.iter().filter(|param| param.learned).map(Param::len).sum()
    }

    /// The first values of the arena: each parameter has a generator of its own, from the seed.
    pub fn initial_values(&self, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; self.len()];
        for (index, param) in self.params.iter().enumerate() {
            let mut rng = generator(seed, Purpose::Weights, index as u64);
            for value in &mut values[param.start..][..param.len()] {
                *value = match param.initialiser {
                    Initialiser::Uniform(bound) => bound * (2.0 * rng.random::<f32>() - 1.0),
                    Initialiser::Normal(deviation) => deviation * normal(&mut rng),
                    Initialiser::Constant(value) => value,
                };
            }
        }
        values
    }
}

/// A standard normal number, by the method of Box and Muller.
fn normal(rng: &mut impl RngExt) -> f32 {
    // Above 0, where the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::init::Fans;

    /// The arena of two dense layers: from 50 values to 40, and on to 30.
    fn arena() -> Arena {
        let mut arena = ArenaBuilder::default();
        for (layer, outputs, inputs) in [(0, 40, 50), (2, 30, 40)] {
            let initialiser = Fans { fan_in: inputs, fan_out: outputs }.default();
            arena.add(format!("{layer}.weight"), vec![outputs, inputs], initialiser);
            arena.add(format!("{layer}.bias"), vec![outputs], initialiser);
        }
        arena.place()
    }

    #[test]
    fn first_weights_fill_their_range_around_zero() {
        let arena = arena();
        let values = arena.initial_values(1);
        for (param, inputs) in arena.params.iter().zip([50.0f32, 50.0, 40.0, 40.0]) {
            let bound = 1.0 / inputs.sqrt();
            let values = &values[param.start..][..param.len()];
            let largest = values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            assert!(largest <= bound, "{}: {largest} is beyond {bound}", param.name);
            // At least 30 draws: the largest is below 0.8 of the bound once in 800 seeds.
            assert!(largest > 0.8 * bound, "{}: {largest} is far from {bound}", param.name);
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            // Four standard deviations of the mean of uniform draws.
            let spread = 4.0 * bound / (3.0 * values.len() as f32).sqrt();
            assert!(mean.abs() < spread, "{}: the mean is {mean}", param.name);
        }
    }

    #[test]
    fn padding_between_parameters_stays_zero() {
        let arena = arena();
        let mut values = arena.initial_values(1);
        for param in &arena.params {
            values[param.start..][..param.len()].fill(0.0);
        }
        assert!(values.iter().all(|value| *value == 0.0));
    }

    #[test]
    fn the_seed_alone_decides_the_first_weights() {
        let arena = arena();
        assert_eq!(arena.initial_values(1), arena.initial_values(1));
        let (one, two) = (arena.initial_values(1), arena.initial_values(2));
        for param in &arena.params {
            let range = param.start..param.start + param.len();
            assert_ne!(one[range.clone()], two[range], "{}", param.name);
        }
        // No parameter repeats the numbers of another.
        assert_ne!(one[arena.params[1].start], one[arena.params[0].start]);
    }
}
