//! One layer on the real kernels, one dispatch at a time.
//!
//! Training runs the same dispatches with many samples to a batch; here each runs alone and its result is read.

mod layer;
mod record;

pub use layer::{DenseLayer, Scope};

use super::machine::Machine;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::{Activation, Slice, Step};
use crate::program::{Program, View};
use crate::report::page::Note;
use record::{
    ACTIVATION_DELTA, BIAS_DELTA, ERROR, HOT_COLD, STAGES, SUMS, UPDATE, Views, WEIGHT_DELTA, record,
};

/// The numbers of one step of gradient descent.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// The weights before the step, and after it: (outputs, inputs).
    pub before: Vec<f32>,
    pub weights: Vec<f32>,
    pub prediction: Vec<f32>,
    /// Per prediction.
    pub error: Vec<f32>,
    /// Per weighted sum, with the derivative of an activation.
    pub delta: Vec<f32>,
    pub weight_delta: Vec<f32>,
    /// After the step; empty without a bias.
    pub bias: Vec<f32>,
}

impl Iteration {
    /// Whether all of its numbers are finite.
    pub fn is_finite(&self) -> bool {
        finite([&self.prediction, &self.error, &self.delta, &self.weight_delta, &self.weights, &self.bias])
    }
}

/// The numbers of one step of hot and cold learning.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The weights before the step, and after it: (outputs, inputs).
    pub before: Vec<f32>,
    pub weights: Vec<f32>,
    pub prediction: Vec<f32>,
    /// Per prediction.
    pub error: Vec<f32>,
    /// For each weight the error of its output if it went a step up, or down.
    pub up: Vec<f32>,
    pub down: Vec<f32>,
}

impl Attempt {
    /// Whether all of its numbers are finite.
    pub fn is_finite(&self) -> bool {
        finite([&self.prediction, &self.error, &self.up, &self.down, &self.weights])
    }
}

fn finite<const N: usize>(all: [&Vec<f32>; N]) -> bool {
    all.into_iter().all(|values| values.iter().all(|value| value.is_finite()))
}

/// One layer, ready to compute.
pub struct Workbench {
    pub layer: DenseLayer,
    engine: Box<dyn Engine>,
    program: Program,
    views: Views,
    note: Note,
}

impl Workbench {
    /// Opens the machine with the dispatches that the layer's scope needs.
    ///
    /// # Errors
    /// As the machine says.
    pub fn new(machine: &Machine, layer: DenseLayer) -> Result<Workbench> {
        let (program, views) = record(&layer);
        // In the order in which the lessons use them.
        let used =
            STAGES.iter().filter_map(|what| program.steps.iter().find(|dispatch| dispatch.what == *what));
        let note = machine.note(used);
        let engine = machine.open(program.clone())?;
        Ok(Workbench { layer, engine, program, views, note })
    }

    /// The shaders or twins that it runs.
    pub fn note(&self) -> Note {
        self.note.clone()
    }

    /// (samples, inputs)
    pub fn set_input(&mut self, values: &[f32]) -> Result<()> {
        self.engine.write(self.views.input, Slice::Real(values))
    }

    /// (outputs, inputs): each row makes one output. Hot and cold learning starts here.
    pub fn set_weights(&mut self, values: &[f32]) -> Result<()> {
        self.engine.write(self.views.starts, Slice::Real(values))?;
        self.engine.write(self.views.positions, Slice::Real(&vec![0.0; values.len()]))?;
        self.engine.write(self.views.weights, Slice::Real(values))
    }

    /// (outputs)
    pub fn set_bias(&mut self, values: &[f32]) -> Result<()> {
        self.engine.write(self.views.bias, Slice::Real(values))
    }

    /// (samples, outputs)
    pub fn set_goal(&mut self, values: &[f32]) -> Result<()> {
        self.engine.write(self.views.goal, Slice::Real(values))
    }

    /// The weights as they are now.
    pub fn weights(&mut self) -> Result<Vec<f32>> {
        Ok(self.engine.read(self.views.weights)?.real())
    }

    /// The predictions: (samples, outputs).
    pub fn predict(&mut self) -> Result<Vec<f32>> {
        self.run(SUMS, 0.0, self.views.prediction)
    }

    /// The error of each of the last predictions; leaves the delta for [`Workbench::delta`].
    pub fn error(&mut self) -> Result<Vec<f32>> {
        let metrics = self.run(ERROR, 0.0, self.views.metrics)?;
        // Rows of error and correct.
        Ok(metrics.chunks_exact(2).map(|row| row[0]).collect())
    }

    /// The delta of each weighted sum, of the error that was measured last.
    pub fn delta(&mut self) -> Result<Vec<f32>> {
        if self.layer.activation == Activation::Identity {
            return Ok(self.engine.read(self.views.delta)?.real());
        }
        self.run(ACTIVATION_DELTA, 0.0, self.views.delta)
    }

    /// delta · input for each weight, from the last delta.
    pub fn weight_delta(&mut self) -> Result<Vec<f32>> {
        self.run(WEIGHT_DELTA, 0.0, self.views.dweights)
    }

    /// The sum of the deltas for each bias.
    pub fn bias_delta(&mut self) -> Result<Vec<f32>> {
        self.run(BIAS_DELTA, 0.0, self.views.dbias)
    }

    /// weights -= alpha · weight_delta; the biases likewise. Returns the weights.
    pub fn update(&mut self, alpha: f32) -> Result<Vec<f32>> {
        self.run(UPDATE, alpha, self.views.weights)
    }

    /// The gradient of the last error by each prediction: the delta before any activation.
    pub fn dprediction(&mut self) -> Result<Vec<f32>> {
        Ok(self.engine.read(self.views.dprediction)?.real())
    }

    /// weights -= alpha · change, with any change in place of the weight_delta. Returns the weights.
    pub fn update_by(&mut self, change: &[f32], alpha: f32) -> Result<Vec<f32>> {
        self.engine.write(self.views.dweights, Slice::Real(change))?;
        self.update(alpha)
    }

    /// A whole step of gradient descent.
    pub fn descend(&mut self, alpha: f32) -> Result<Iteration> {
        let before = self.weights()?;
        let prediction = self.predict()?;
        let error = self.error()?;
        let delta = self.delta()?;
        let weight_delta = self.weight_delta()?;
        if self.layer.bias {
            self.bias_delta()?;
        }
        let weights = self.update(alpha)?;
        let bias = if self.layer.bias { self.engine.read(self.views.bias)?.real() } else { Vec::new() };
        Ok(Iteration { before, weights, prediction, error, delta, weight_delta, bias })
    }

    /// A whole step of hot and cold learning.
    pub fn walk(&mut self, step: f32) -> Result<Attempt> {
        let before = self.weights()?;
        let prediction = self.predict()?;
        let error = self.error()?;
        let tries = self.run(HOT_COLD, step, self.views.tries)?;
        // Neighbours read the old positions while the new ones are written, so they are two buffers.
        let moved = self.engine.read(self.views.moved)?;
        self.engine.write(self.views.positions, moved.as_slice())?;
        let (up, down) = tries.chunks_exact(2).map(|both| (both[0], both[1])).unzip();
        Ok(Attempt { before, weights: self.weights()?, prediction, error, up, down })
    }

    /// Runs one dispatch and reads its result.
    fn run(&mut self, stage: &str, learning_rate: f32, result: View) -> Result<Vec<f32>> {
        let step = Step {
            samples: (self.layer.samples * self.layer.outputs) as u32,
            learning_rate,
            ..Step::default()
        };
        let ticket = self.engine.submit(self.program.section(stage), &[step], result)?;
        self.engine.wait(ticket)
    }
}
