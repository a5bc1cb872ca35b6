//! The state of training: activations, and changes of weights in a step. It reads what is on the device and changes
//! nothing that lasts.

use super::Trainer;
use crate::error::Result;
use crate::kernel::{Access, Activation, Step};
use crate::network::lower::{Lowered, TRAIN};
use crate::program::params::Param;
use crate::program::{Activated, MAX_RESULT, View};

/// Samples that tell a dead unit from one that is seldom active. A unit that is above 0 for 2 % of all samples is 0
/// for all of these with a probability of 0.98²⁵⁶ = 0.6 %.
const SAMPLES: usize = 256;

/// The fraction of an activation's largest derivative below which it is saturated. A gradient that passes is scaled
/// by the derivative.
const FLAT: f64 = 0.05;

/// The activations and weights of a run at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostics {
    /// Samples whose activations were observed.
    pub samples: usize,
    /// The activations, in the order of the network.
    pub activations: Vec<ActivationStats>,
    /// The changes of weights, in the order of the network.
    pub weight_changes: Vec<WeightChange>,
}

/// Counts of the outputs of an activation within the network.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationStats {
    /// The layer's label, such as `3 relu`. `0 dense` has absorbed its activation.
    pub layer: String,
    /// The activation.
    pub activation: Activation,
    /// Outputs of a dense layer, or channels of an image.
    pub units: usize,
    /// Units that are 0 for every sample, everywhere in the image.
    pub dead: usize,
    /// The fraction of all outputs that are saturated, for sigmoid and tanh.
    pub saturated: f64,
}

/// The change of a weight matrix, or convolution kernels, in a step.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightChange {
    /// The parameter, such as `0.weight`.
    pub name: String,
    /// The root of the mean square of its gradient's elements.
    pub gradient: f64,
    /// The norm of the weights before the step.
    pub weights: f64,
    /// The norm of their change in the step.
    pub change: f64,
}

impl Trainer {
    /// The step of an epoch to observe, counted from 0. It is the last with a whole batch, as a smaller one has a
    /// noisier gradient.
    pub fn observed_step(&self) -> usize {
        let samples = self.lowered.part(TRAIN).map_or(0, |part| part.samples);
        (samples / self.lowered.step_samples(TRAIN)).saturating_sub(1)
    }

    /// Observes the run after a step. `before` are the [`Trainer::parameters`] from before it.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the device fails.
    pub fn diagnostics(&mut self, before: &[f32]) -> Result<Diagnostics> {
        let Lowered { arena, parameters, gradients, .. } = &self.lowered;
        let matrices = arena.params.iter().filter(|param| !param.is_vector());
        let change = |param: &Param| -> Result<WeightChange> {
            let mut sums = SquareSums::default();
            // In pieces, so that this takes little memory.
            for (at, before) in before[param.start..][..param.len()].chunks(PIECE).enumerate() {
                let start = param.start + at * PIECE;
                let part = |of: &View| View { buf: of.buf, start: of.start + start, len: before.len() };
                let after = self.engine.read(part(parameters))?.real();
                sums.add(before, &after, &self.engine.read(part(gradients))?.real());
            }
            Ok(sums.change(param))
        };
        let weight_changes = matrices.map(change).collect::<Result<_>>()?;
        let (samples, activations) = self.activations()?;
        Ok(Diagnostics { samples, activations, weight_changes })
    }

    /// Counts the outputs of activations for the epoch's first samples.
    fn activations(&mut self) -> Result<(usize, Vec<ActivationStats>)> {
        self.order()?;
        let within = self.lowered.program.observed.activated.clone();
        let mut seen: Vec<ActivationCounts> = within.iter().map(ActivationCounts::new).collect();
        let samples = self.views(TRAIN)?.samples;
        let mut rows = 0;
        for at in 0..=self.observed_step() {
            let step = self.scalars(TRAIN, 0, at, samples);
            let real = (step.samples as usize).min(self.lowered.batch);
            let mut from = self.lowered.program.section(TRAIN).start;
            for (activated, seen) in within.iter().zip(&mut seen) {
                let values = self.forward(&mut from, activated.value, &step)?;
                seen.take(activated, &values, real);
            }
            rows += real;
            if rows >= SAMPLES {
                break;
            }
        }
        let activations = within.into_iter().zip(seen).map(|(activated, seen)| seen.stats(activated, rows));
        Ok((rows, activations.collect()))
    }

    /// Runs dispatches up to the one that writes a view. Returns the view's values.
    ///
    /// They are read before their memory serves another buffer. Dispatches that write lasting buffers are left out: in the
    /// forward pass these are the running statistics of norms, which it doesn't read.
    fn forward(&mut self, from: &mut usize, view: View, step: &Step) -> Result<Vec<f32>> {
        let steps = &self.lowered.program.steps;
        let writes = |at: usize, fits: &dyn Fn(&View) -> bool| {
            let bound = steps[at].args.iter().zip(steps[at].kernel.binds);
            bound.filter(|(_, bind)| bind.access != Access::Read).any(|(view, _)| fits(view))
        };
        let made = (*from..steps.len()).find(|at| writes(*at, &|written| written.buf == view.buf));
        let end = made.expect("a program writes what its layers make") + 1;
        let lasting = |at: &usize| writes(*at, &|view| self.lowered.program.bufs[view.buf.0].role.lasts());
        let left_out: Vec<usize> = (*from..end).filter(lasting).collect();
        let mut start = *from;
        for at in left_out {
            if start < at {
                let ticket = self.engine.submit(start..at, &[*step], View { len: 1, ..view })?;
                self.engine.wait(ticket)?;
            }
            start = at + 1;
        }
        *from = end;
        // One round trip where the values fit into the result of a submission.
        let result = if view.len <= MAX_RESULT { view } else { View { len: 1, ..view } };
        let ticket = self.engine.submit(start..end, &[*step], result)?;
        let values = self.engine.wait(ticket)?;
        if values.len() == view.len { Ok(values) } else { Ok(self.engine.read(view)?.real()) }
    }
}

/// Counts of an activation so far.
struct ActivationCounts {
    /// Units that were anything but 0.
    alive: Vec<bool>,
    flat: usize,
}

impl ActivationCounts {
    fn new(activated: &Activated) -> ActivationCounts {
        ActivationCounts { alive: vec![false; activated.shape.channels], flat: 0 }
    }

    /// Takes the values of the first `rows` samples.
    fn take(&mut self, activated: &Activated, values: &[f32], rows: usize) {
        let dims = activated.shape;
        let plane = dims.height * dims.width;
        let flat = |value: &&f32| derivative(activated.activation, f64::from(**value)) < FLAT;
        for row in values.chunks_exact(dims.len()).take(rows) {
            self.flat += row.iter().filter(flat).count();
            for (alive, unit) in self.alive.iter_mut().zip(row.chunks_exact(plane)) {
                *alive |= unit.iter().any(|value| *value != 0.0);
            }
        }
    }

    fn stats(self, activated: Activated, rows: usize) -> ActivationStats {
        ActivationStats {
            units: self.alive.len(),
            dead: self.alive.iter().filter(|alive| !**alive).count(),
            saturated: self.flat as f64 / (rows * activated.shape.len()) as f64,
            layer: activated.layer,
            activation: activated.activation,
        }
    }
}

/// The derivative of an activation, as a fraction of the largest. It is computed from the output y.
///
/// It is y·(1 - y) of at most 1/4 for sigmoid, and 1 - y² for tanh; others are never saturated and give 1.
fn derivative(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::Sigmoid => 4.0 * y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
        _ => 1.0,
    }
}

/// Words of a matrix that are fetched at once.
const PIECE: usize = 1 << 20;

/// Sums of squares over a matrix.
#[derive(Default)]
struct SquareSums {
    gradient: f64,
    weights: f64,
    change: f64,
}

impl SquareSums {
    fn add(&mut self, before: &[f32], after: &[f32], gradient: &[f32]) {
        for ((before, after), gradient) in before.iter().zip(after).zip(gradient) {
            let [before, after, gradient] = [before, after, gradient].map(|value| f64::from(*value));
            self.gradient += gradient * gradient;
            self.weights += before * before;
            self.change += (before - after) * (before - after);
        }
    }

    fn change(self, param: &Param) -> WeightChange {
        WeightChange {
            name: param.name.clone(),
            gradient: self.gradient.sqrt() / (param.len() as f64).sqrt(),
            weights: self.weights.sqrt(),
            change: self.change.sqrt(),
        }
    }
}
