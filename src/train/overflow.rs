//! Whether a model's numbers can overflow.
//!
//! relu makes 0 of NaN, and then the outputs are plausible numbers. So for such a model the values within the network are
//! looked at.

use crate::network::layers::Layer;
use crate::network::layers::norm::{Norm, Over};
use crate::program::params::Arena;
use crate::program::shape::Shape;
use crate::train::run::model::Model;

/// The largest magnitude that f32 is trusted with. It has 3.4e38; rounding and sums take less than the rest.
const LARGEST: f64 = 1e37;

/// The largest magnitude whose squares can be summed.
const LARGEST_TO_SQUARE: f64 = 1e16;

/// Whether some picture might give a value that is not finite within the network.
///
/// It is decided by the largest magnitude that each layer can have: that of its input times the weights' magnitudes.
pub(super) fn may_overflow(model: &Model) -> bool {
    let scale_and_shift = model.normaliser.scale_and_shift();
    let (scales, shifts) = scale_and_shift.split_at(scale_and_shift.len() / 2);
    let channels = scales.iter().zip(shifts);
    let input = channels.map(|(scale, shift)| 255.0 * f64::from(scale.abs()) + f64::from(shift.abs()));
    let bounds = Bounds { arena: &model.arena(), parameters: &model.parameters };
    let output = bounds.chain(&model.network.layers, "", &model.shape, input.collect());
    largest(&output) > LARGEST
}

/// The largest magnitudes of values: of each channel, or one for all of them.
type Magnitudes = Vec<f64>;

fn largest(of: &Magnitudes) -> f64 {
    // Not finite counts as the largest: max would leave NaN out.
    of.iter().fold(0.0, |most, value| if value.is_finite() { f64::max(most, *value) } else { f64::INFINITY })
}

struct Bounds<'a> {
    arena: &'a Arena,
    parameters: &'a [f32],
}

impl Bounds<'_> {
    fn chain(&self, layers: &[Layer], prefix: &str, input: &Shape, mut x: Magnitudes) -> Magnitudes {
        let mut shape = *input;
        for (at, layer) in layers.iter().enumerate() {
            x = self.layer(layer, &format!("{prefix}{at}"), &shape, x);
            if largest(&x) > LARGEST {
                return vec![f64::INFINITY];
            }
            shape = layer.output(&shape).unwrap_or(shape);
        }
        x
    }

    fn layer(&self, layer: &Layer, path: &str, input: &Shape, x: Magnitudes) -> Magnitudes {
        match layer {
            Layer::Dense { .. } | Layer::Conv(_) => self.product(path, largest(&x)),
            Layer::Norm(norm) => self.norm(norm, path, input.len(), x),
            Layer::Residual(residual) => {
                let (x, shortcut) = (largest(&x), format!("{path}.shortcut"));
                let body = self.chain(&residual.body, &format!("{path}.body."), input, vec![x]);
                let beside = if self.of(&shortcut, "weight").is_empty() {
                    x
                } else {
                    largest(&self.product(&shortcut, x))
                };
                vec![largest(&body) + beside]
            }
            Layer::Softmax => vec![1.0],
            // |f(x)| ≤ |x|, or ≤ 1.
            Layer::Activation(_) => x.into_iter().map(|value| value.max(1.0)).collect(),
            Layer::Pool(_) | Layer::Dropout(_) => x,
            Layer::Flatten => vec![largest(&x)],
        }
    }

    /// Of weighted sums: the weights of each output by magnitude, times the input's.
    fn product(&self, path: &str, x: f64) -> Magnitudes {
        let (weights, biases) = (self.of(path, "weight"), self.of(path, "bias"));
        let outputs = self.rows(path);
        let sums = weights.chunks(weights.len().div_ceil(outputs).max(1));
        let sums = sums.map(|row| row.iter().map(|weight| f64::from(weight.abs())).sum::<f64>() * x);
        let bias = |at: usize| biases.get(at).map_or(0.0, |bias| f64::from(bias.abs()));
        sums.enumerate().map(|(at, sum)| sum + bias(at)).collect()
    }

    fn norm(&self, norm: &Norm, path: &str, values: usize, x: Magnitudes) -> Magnitudes {
        let (weights, biases) = (self.of(path, "weight"), self.of(path, "bias"));
        let affine = |at: usize, x: f64| f64::from(weights[at].abs()) * x + f64::from(biases[at].abs());
        if norm.over == Over::Sample {
            // Its mean square is 1, so a value is at most the root of their number.
            let unit = if largest(&x) > LARGEST_TO_SQUARE { f64::INFINITY } else { (values as f64).sqrt() };
            let all: Magnitudes = (0..weights.len()).map(|at| affine(at, unit)).collect();
            return vec![largest(&all)];
        }
        let (means, variances) = (self.of(path, "running_mean"), self.of(path, "running_var"));
        let channel = |at: usize| {
            let centred = x.get(at).copied().unwrap_or(largest(&x)) + f64::from(means[at].abs());
            affine(at, centred / f64::from(variances[at] + norm.epsilon).sqrt())
        };
        (0..weights.len()).map(channel).collect()
    }

    /// The values of a parameter; none if there is no such one.
    fn of(&self, path: &str, name: &str) -> &[f32] {
        let found = self.arena.find(&format!("{path}.{name}"));
        found.map_or(&[], |param| &self.parameters[param.start..][..param.len()])
    }

    /// The outputs of the layer with these weights.
    fn rows(&self, path: &str) -> usize {
        let found = self.arena.find(&format!("{path}.weight"));
        found.and_then(|param| param.shape.first().copied()).unwrap_or(1).max(1)
    }
}
