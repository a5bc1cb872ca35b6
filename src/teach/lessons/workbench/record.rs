//! The Program of a workbench: one dispatch per stage, each a section of its own.

use super::layer::{DenseLayer, Scope};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Element, Epilogue, Kernel, aligned};
use crate::program::{Buf, BufDecl, Dispatch, Program, Role, View};
use crate::table;

/// A stage reads what an earlier section has left, so no buffer is scratch.
const KEPT: Role = Role::Data;

// The stages; each is a section of the Program with one dispatch.
pub(super) const SUMS: &str = "weighted sums";
pub(super) const ERROR: &str = "error and delta";
pub(super) const ACTIVATION_DELTA: &str = "delta through the activation";
pub(super) const WEIGHT_DELTA: &str = "weight_delta";
pub(super) const BIAS_DELTA: &str = "bias_delta";
pub(super) const UPDATE: &str = "update";
pub(super) const HOT_COLD: &str = "hot and cold";
pub(super) const STAGES: [&str; 7] =
    [SUMS, ERROR, ACTIVATION_DELTA, WEIGHT_DELTA, BIAS_DELTA, UPDATE, HOT_COLD];

/// The views of a workbench.
#[derive(Clone, Copy)]
pub(super) struct Views {
    pub input: View,
    pub goal: View,
    pub prediction: View,
    /// The gradient of the error by the predictions.
    pub dprediction: View,
    pub metrics: View,
    pub delta: View,
    pub weights: View,
    pub bias: View,
    pub dweights: View,
    pub dbias: View,
    /// Whole arenas, as the update takes them.
    pub parameters: View,
    pub gradients: View,
    /// The state of hot and cold learning.
    pub starts: View,
    pub positions: View,
    pub moved: View,
    pub tries: View,
}

/// Writes the Program of a layer.
struct Recording {
    program: Program,
}

impl Recording {
    fn buffer(&mut self, name: &str, len: usize, role: Role) -> View {
        let name = name.to_owned();
        self.program.bufs.push(BufDecl::new(name, Element::Real, len, role));
        View { buf: Buf(self.program.bufs.len() - 1), start: 0, len }
    }

    fn stage(&mut self, what: &str, kernel: &'static Kernel, consts: Consts, args: Vec<View>) {
        let at = self.program.steps.len();
        self.program.steps.push(Dispatch::new(kernel, consts, args, what));
        self.program.sections.push((what.to_owned(), at..at + 1));
    }
}

/// The Program of a layer, and where its numbers lie.
pub(super) fn record(layer: &DenseLayer) -> (Program, Views) {
    let mut recording = Recording { program: Program::default() };
    let views = buffers(&mut recording, layer);
    let &DenseLayer { samples, inputs, outputs, .. } = layer;
    let predictions = samples * outputs;
    let (kind, leak) = layer.activation.consts();
    let plain = !layer.bias && layer.activation == Activation::Identity;
    let (epilogue, extra) = if plain { (Epilogue::Plain, views.input) } else { (Epilogue::Bias, views.bias) };
    let sums = consts! {
        M: samples, N: outputs, K: inputs, TRANSPOSE_A: false, TRANSPOSE_B: true, ADD: false,
        EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
    };
    let args = vec![views.input, views.weights, extra, views.prediction];
    recording.stage(SUMS, &table::MATMUL_NAIVE, sums, args);
    if layer.scope >= Scope::Measure {
        // Each prediction is a row, so that it has its own error. The kernel averages the gradient over its rows;
        // the factor undoes that.
        let factor = layer.factor * predictions as f32;
        let error = consts! {
            BATCH: predictions, CLASSES: 1usize, SLOTS: 1usize, PITCH: predictions, FIRST: 0usize,
            FACTOR: factor, SCALE: 1.0f32,
        };
        let args = vec![views.prediction, views.goal, views.dprediction, views.metrics];
        recording.stage(ERROR, &table::SQUARED_ERROR, error, args);
    }
    match layer.scope {
        Scope::Predict | Scope::Measure => {}
        Scope::Descend => record_descent(&mut recording, layer, &views),
        Scope::HotAndCold => {
            let walk = consts! { BATCH: samples, INPUTS: inputs, OUTPUTS: outputs };
            let args = vec![
                views.input,
                views.goal,
                views.starts,
                views.positions,
                views.tries,
                views.moved,
                views.weights,
            ];
            recording.stage(HOT_COLD, &table::HOT_COLD, walk, args);
        }
    }
    (recording.program, views)
}

fn record_descent(recording: &mut Recording, layer: &DenseLayer, views: &Views) {
    let &DenseLayer { samples, inputs, outputs, .. } = layer;
    let (kind, leak) = layer.activation.consts();
    if layer.activation != Activation::Identity {
        let backward = consts! { LENGTH: samples * outputs, ACTIVATION: kind, LEAK: leak, ADD: false };
        let args = vec![views.prediction, views.dprediction, views.delta];
        recording.stage(ACTIVATION_DELTA, &table::ACTIVATION_BACKWARD, backward, args);
    }
    let (identity, no_leak) = Activation::Identity.consts();
    let product = consts! {
        M: outputs, N: inputs, K: samples, TRANSPOSE_A: true, TRANSPOSE_B: false, ADD: false,
        EPILOGUE: Const::Uint(Epilogue::Plain as u32), ACTIVATION: identity, LEAK: no_leak,
    };
    let args = vec![views.delta, views.input, views.delta, views.dweights];
    recording.stage(WEIGHT_DELTA, &table::MATMUL_NAIVE, product, args);
    if layer.bias {
        let sums = consts! { ROWS: samples, COLUMNS: outputs, ADD: false };
        recording.stage(BIAS_DELTA, &table::COLUMN_SUMS, sums, vec![views.delta, views.dbias]);
    }
    let update = consts! { LENGTH: views.parameters.len, DECAYED: 0usize, DECAY: 0.0f32 };
    recording.stage(UPDATE, &table::SGD, update, vec![views.gradients, views.parameters]);
}

fn buffers(recording: &mut Recording, layer: &DenseLayer) -> Views {
    let &DenseLayer { samples, inputs, outputs, .. } = layer;
    let bias_at = aligned(outputs * inputs);
    let arena = bias_at + aligned(outputs);
    let weights = |whole: View| View { len: outputs * inputs, ..whole };
    let bias = |whole: View| View { start: bias_at, len: outputs, ..whole };
    let parameters = recording.buffer("weights", arena, Role::Parameters);
    let gradients = recording.buffer("weight_delta", arena, KEPT);
    let dprediction = recording.buffer("dprediction", samples * outputs, KEPT);
    let delta = match layer.activation {
        Activation::Identity => dprediction,
        _ => recording.buffer("delta", samples * outputs, KEPT),
    };
    Views {
        input: recording.buffer("input", samples * inputs, Role::Data),
        goal: recording.buffer("goal", samples * outputs, Role::Data),
        prediction: recording.buffer("prediction", samples * outputs, KEPT),
        metrics: recording.buffer("error", samples * outputs * 2, Role::Metrics),
        dprediction,
        delta,
        weights: weights(parameters),
        bias: bias(parameters),
        dweights: weights(gradients),
        dbias: bias(gradients),
        parameters,
        gradients,
        starts: recording.buffer("starts", outputs * inputs, Role::Parameters),
        positions: recording.buffer("positions", outputs * inputs, Role::Parameters),
        moved: recording.buffer("moved", outputs * inputs, Role::Parameters),
        tries: recording.buffer("tries", outputs * inputs * 2, KEPT),
    }
}
