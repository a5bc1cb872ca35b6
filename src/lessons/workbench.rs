//! One layer on the real kernels, one dispatch at a time: every intermediate
//! comes back to be printed.
//!
//! Training records the same dispatches with many samples to a batch and never
//! looks in between; here each runs alone and its result is read.

use super::machine::Machine;
use super::page::Note;
use crate::consts;
use crate::cpu::activation::Activation;
use crate::cpu::matmul::Epilogue;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::{Const, Consts, Element, Kernel, Slice, Step};
use crate::kernels;
use crate::program::{Buf, BufDecl, Dispatch, Program, Role, View, aligned};

/// What a workbench is built for; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Weighted sums.
    Predict,
    /// … and how far they are from the goals.
    Measure,
    /// … and the gradient, and the update.
    Descend,
}

/// The layer on the bench: prediction = activate(input · weightsᵀ + bias).
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// Rows of the input; several are only needed to predict many at once.
    pub samples: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub bias: bool,
    pub activation: Activation,
    /// delta = factor · (prediction - goal): 2 as calculus has it, 1 for first lessons.
    pub factor: f32,
    pub scope: Scope,
}

impl Layer {
    /// One sample, no bias, no activation, and no factor 2.
    pub fn linear(inputs: usize, outputs: usize, scope: Scope) -> Layer {
        let (activation, factor) = (Activation::Identity, 1.0);
        Layer { samples: 1, inputs, outputs, bias: false, activation, factor, scope }
    }
}

/// What one step of gradient descent computed.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// The weights before the step, and after it: (outputs, inputs).
    pub before: Vec<f32>,
    pub weights: Vec<f32>,
    pub prediction: Vec<f32>,
    /// Per prediction.
    pub error: Vec<f32>,
    /// Per weighted sum: where there is an activation, after its derivative.
    pub delta: Vec<f32>,
    pub weight_delta: Vec<f32>,
    /// After the step; empty without a bias.
    pub bias: Vec<f32>,
}

impl Iteration {
    /// Whether all of it is still numbers.
    pub fn is_finite(&self) -> bool {
        [&self.prediction, &self.error, &self.delta, &self.weight_delta, &self.weights, &self.bias]
            .into_iter()
            .all(|values| values.iter().all(|value| value.is_finite()))
    }
}

/// Where everything lies.
#[derive(Clone, Copy)]
struct Views {
    input: View,
    goal: View,
    prediction: View,
    /// The gradient of the error in the predictions.
    dprediction: View,
    metrics: View,
    delta: View,
    weights: View,
    bias: View,
    dweights: View,
    dbias: View,
    /// Whole arenas, as the update takes them.
    parameters: View,
    gradients: View,
    velocities: View,
}

/// One layer, ready to compute.
pub struct Workbench {
    pub layer: Layer,
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
    pub fn new(machine: &Machine, layer: Layer) -> Result<Workbench> {
        let (program, views) = record(&layer);
        let used: Vec<(&'static str, &'static Kernel)> = STAGES
            .iter()
            .filter_map(|what| {
                let at = program.steps.iter().find(|dispatch| dispatch.label == *what)?;
                Some((*what, at.kernel))
            })
            .collect();
        let engine = machine.open(program.clone())?;
        Ok(Workbench { layer, engine, program, views, note: Note::new(machine, &used) })
    }

    /// The shaders and twins that are used.
    pub fn note(&self) -> Note {
        self.note.clone()
    }

    /// (samples, inputs)
    pub fn set_input(&mut self, values: &[f32]) -> Result<()> {
        self.engine.write(self.views.input, Slice::Real(values))
    }

    /// (outputs, inputs): each row makes one output.
    pub fn set_weights(&mut self, values: &[f32]) -> Result<()> {
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

    /// The error of each prediction that was made last; leaves the delta for
    /// [`Workbench::delta`].
    pub fn error(&mut self) -> Result<Vec<f32>> {
        let metrics = self.run(ERROR, 0.0, self.views.metrics)?;
        // Rows of error and hit.
        Ok(metrics.chunks_exact(2).map(|row| row[0]).collect())
    }

    /// The delta of each weighted sum, of the error that was measured last.
    pub fn delta(&mut self) -> Result<Vec<f32>> {
        if self.layer.activation == Activation::Identity {
            return Ok(self.engine.read(self.views.delta)?.real());
        }
        self.run(SLOPE, 0.0, self.views.delta)
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

    /// The gradient of the error in each prediction, of the error that was
    /// measured last: the delta before any activation.
    pub fn dprediction(&mut self) -> Result<Vec<f32>> {
        Ok(self.engine.read(self.views.dprediction)?.real())
    }

    /// weights -= alpha · change, with a change of the caller's own in the
    /// place of the weight_delta. Returns the weights.
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
        let bias = match self.layer.bias {
            true => self.engine.read(self.views.bias)?.real(),
            false => Vec::new(),
        };
        Ok(Iteration { before, weights, prediction, error, delta, weight_delta, bias })
    }

    /// Runs one dispatch and reads its result.
    fn run(&mut self, stage: &str, rate: f32, result: View) -> Result<Vec<f32>> {
        let step = Step {
            samples: (self.layer.samples * self.layer.outputs) as u32,
            learning_rate: rate,
            ..Step::default()
        };
        let ticket = self.engine.submit(self.program.section(stage), &[step], result)?;
        self.engine.wait(ticket)
    }
}

// The stages; each is a section of the Program with one dispatch.
const SUMS: &str = "weighted sums";
const ERROR: &str = "error and delta";
const SLOPE: &str = "delta through the activation";
const WEIGHT_DELTA: &str = "weight_delta";
const BIAS_DELTA: &str = "bias_delta";
const UPDATE: &str = "update";
const STAGES: [&str; 6] = [SUMS, ERROR, SLOPE, WEIGHT_DELTA, BIAS_DELTA, UPDATE];

/// Writes the Program of a layer.
struct Recording {
    program: Program,
}

impl Recording {
    fn buffer(&mut self, name: &str, len: usize, role: Role) -> View {
        let name = name.to_owned();
        self.program.bufs.push(BufDecl { name, element: Element::Real, len, role });
        View { buf: Buf(self.program.bufs.len() - 1), start: 0, len }
    }

    fn stage(&mut self, what: &str, kernel: &'static Kernel, consts: Consts, args: Vec<View>) {
        let at = self.program.steps.len();
        self.program.steps.push(Dispatch { kernel, consts, args, label: what.to_owned() });
        self.program.sections.push((what.to_owned(), at..at + 1));
    }
}

fn record(layer: &Layer) -> (Program, Views) {
    let mut recording = Recording { program: Program::default() };
    let views = buffers(&mut recording, layer);
    let &Layer { samples, inputs, outputs, .. } = layer;
    let predictions = samples * outputs;
    let (kind, leak) = layer.activation.consts();
    let plain = !layer.bias && layer.activation == Activation::Identity;
    let (epilogue, extra) = if plain { (Epilogue::Plain, views.input) } else { (Epilogue::Bias, views.bias) };
    let sums = consts! {
        M: samples, N: outputs, K: inputs, TRANSPOSE_A: false, TRANSPOSE_B: true, ADD: false,
        EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
    };
    let args = vec![views.input, views.weights, extra, views.prediction];
    recording.stage(SUMS, &kernels::MATMUL_NAIVE, sums, args);
    if layer.scope >= Scope::Measure {
        // Each prediction is a row of its own, to see its own error. The kernel
        // averages the gradient over its rows; the factor undoes that.
        let factor = layer.factor * predictions as f32;
        let error =
            consts! { BATCH: predictions, CLASSES: 1usize, SLOTS: 1usize, FACTOR: factor, SCALE: 1.0f32 };
        let args = vec![views.prediction, views.goal, views.dprediction, views.metrics];
        recording.stage(ERROR, &kernels::SQUARED_ERROR, error, args);
    }
    if layer.scope >= Scope::Descend {
        record_descent(&mut recording, layer, &views);
    }
    (recording.program, views)
}

fn record_descent(recording: &mut Recording, layer: &Layer, views: &Views) {
    let &Layer { samples, inputs, outputs, .. } = layer;
    let (kind, leak) = layer.activation.consts();
    if layer.activation != Activation::Identity {
        let slope = consts! { LENGTH: samples * outputs, ACTIVATION: kind, LEAK: leak, ADD: false };
        let args = vec![views.prediction, views.dprediction, views.delta];
        recording.stage(SLOPE, &kernels::ACTIVATION_BACKWARD, slope, args);
    }
    let (identity, no_leak) = Activation::Identity.consts();
    let product = consts! {
        M: outputs, N: inputs, K: samples, TRANSPOSE_A: true, TRANSPOSE_B: false, ADD: false,
        EPILOGUE: Const::Uint(Epilogue::Plain as u32), ACTIVATION: identity, LEAK: no_leak,
    };
    let args = vec![views.delta, views.input, views.delta, views.dweights];
    recording.stage(WEIGHT_DELTA, &kernels::MATMUL_NAIVE, product, args);
    if layer.bias {
        let sums = consts! { ROWS: samples, COLUMNS: outputs, ADD: false };
        recording.stage(BIAS_DELTA, &kernels::COLUMN_SUMS, sums, vec![views.delta, views.dbias]);
    }
    let update = consts! { LENGTH: views.parameters.len };
    let args = vec![views.gradients, views.parameters, views.velocities];
    recording.stage(UPDATE, &kernels::SGD, update, args);
}

fn buffers(recording: &mut Recording, layer: &Layer) -> Views {
    let &Layer { samples, inputs, outputs, .. } = layer;
    let bias_at = aligned(outputs * inputs);
    let arena = bias_at + aligned(outputs);
    let weights = |whole: View| View { len: outputs * inputs, ..whole };
    let bias = |whole: View| View { start: bias_at, len: outputs, ..whole };
    let parameters = recording.buffer("weights", arena, Role::Parameters);
    let gradients = recording.buffer("weight_delta", arena, Role::Gradients);
    let velocities = recording.buffer("velocities", arena, Role::Optimiser);
    let dprediction = recording.buffer("dprediction", samples * outputs, Role::Activations);
    let delta = match layer.activation {
        Activation::Identity => dprediction,
        _ => recording.buffer("delta", samples * outputs, Role::Activations),
    };
    Views {
        input: recording.buffer("input", samples * inputs, Role::Data),
        goal: recording.buffer("goal", samples * outputs, Role::Data),
        prediction: recording.buffer("prediction", samples * outputs, Role::Activations),
        metrics: recording.buffer("error", samples * outputs * 2, Role::Metrics),
        dprediction,
        delta,
        weights: weights(parameters),
        bias: bias(parameters),
        dweights: weights(gradients),
        dbias: bias(gradients),
        parameters,
        gradients,
        velocities,
    }
}
