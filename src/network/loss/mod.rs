//! Losses: what training minimises.

mod logits;
mod metrics;
mod weights;

pub use metrics::Metrics;
pub use weights::{ClassWeights, Weighting};

use std::fmt;

use crate::cpu::softmax::argmax;
use crate::error::{Error, Result, suggestion};
use crate::kernel::consts;
use crate::kernel::{Activation, Consts};
use crate::program::View;
use crate::program::record::{Recorder, Tensor};
use crate::table;
use crate::text::shorten;

/// A loss over the outputs of a network and the labels of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Softmax and cross-entropy in one, on logits; PyTorch's `CrossEntropyLoss`.
    CrossEntropy,
    /// Sigmoid and binary cross-entropy in one, mean over the outputs, on logits.
    ///
    /// PyTorch's `BCEWithLogitsLoss`.
    Bce,
    /// Squared error, mean over the outputs; PyTorch's `MSELoss`.
    Mse,
    /// Squared error summed over the outputs.
    ///
    /// Its gradient leaves out the factor 2, as first lessons do.
    SquaredError,
}

/// The names of losses in recipes.
pub const NAMES: &[&str] = &["cross-entropy", "bce", "mse", "squared-error"];

impl std::str::FromStr for Loss {
    type Err = Error;

    fn from_str(text: &str) -> Result<Loss> {
        match text {
            "cross-entropy" => Ok(Loss::CrossEntropy),
            "bce" => Ok(Loss::Bce),
            "mse" => Ok(Loss::Mse),
            "squared-error" => Ok(Loss::SquaredError),
            _ => Err(Error::Usage(format!(
                "⟨loss⟩: there is no “{text}”{}; there are {}",
                suggestion(text, NAMES),
                NAMES.join(", "),
                text = shorten(text)
            ))),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Loss::CrossEntropy => "cross-entropy",
            Loss::Bce => "bce",
            Loss::Mse => "mse",
            Loss::SquaredError => "squared-error",
        })
    }
}

impl Loss {
    /// Checks that a network with `outputs` outputs can be trained on `classes` classes.
    ///
    /// # Errors
    /// [`Error::Setting`] with the number of outputs that are needed.
    pub fn check(self, outputs: usize, classes: usize) -> Result<()> {
        let one_output_will_do = self != Loss::CrossEntropy && classes == 2;
        if outputs == classes || (one_output_will_do && outputs == 1) {
            return Ok(());
        }
        let also = if one_output_will_do { " (or one output)" } else { "" };
        let problem = format!(
            "the last layer of the ⟨network⟩ gives {outputs} values, but the data have {classes} classes: end it with \
             “dense {classes}”{also}"
        );
        Err(Error::Setting { key: "network", problem })
    }

    /// Whether [`Loss::probabilities`] are probabilities, and not the outputs themselves.
    pub fn has_probabilities(self) -> bool {
        matches!(self, Loss::CrossEntropy | Loss::Bce)
    }

    /// A number for each class from a row of outputs.
    ///
    /// They are probabilities by softmax or sigmoid, or the outputs themselves where the loss has no probabilities. One
    /// output for two classes is that of the second.
    pub fn probabilities(self, outputs: &[f32], classes: usize) -> Vec<f64> {
        let outputs = outputs.iter().map(|value| f64::from(*value));
        let each: Vec<f64> = match self {
            Loss::CrossEntropy => {
                let maximum = outputs.clone().fold(f64::NEG_INFINITY, f64::max);
                let terms: Vec<f64> = outputs.map(|z| (z - maximum).exp()).collect();
                let sum: f64 = terms.iter().sum();
                terms.iter().map(|term| term / sum).collect()
            }
            Loss::Bce => outputs.map(|z| Activation::Sigmoid.apply(z)).collect(),
            Loss::Mse | Loss::SquaredError => outputs.collect(),
        };
        match each.as_slice() {
            [second] if classes == 2 => vec![1.0 - second, *second],
            _ => each,
        }
    }

    /// The predicted class for a row of outputs.
    ///
    /// It is the first largest output; a single output above the threshold means class 1, else class 0. Kernels decide
    /// it in the same way when they count correct predictions.
    pub fn class(self, outputs: &[f32]) -> usize {
        match (outputs, self) {
            ([second], Loss::Mse | Loss::SquaredError) => usize::from(*second > 0.5),
            ([second], Loss::Bce) => usize::from(*second > 0.0),
            _ => argmax(outputs),
        }
    }

    /// Records the loss, its gradient, and whether each prediction is correct.
    ///
    /// `weighting` is for [`Loss::CrossEntropy`] alone; lowering checks that.
    pub fn record(
        self,
        recorder: &mut Recorder,
        output: Tensor,
        labels: View,
        metrics: Metrics,
        weighting: Option<Weighting>,
    ) {
        let (batch, classes) = (output.rows, output.columns());
        let Metrics { view, slots, pitch, .. } = metrics;
        let first = recorder.first_row;
        let sizes = || {
            consts! { BATCH: batch, CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first }
        };
        let squared = |factor: f32, scale: f32| {
            let factors = consts! { FACTOR: factor, SCALE: scale };
            Consts::new(sizes().iter().chain(factors.iter()).collect())
        };
        let targets =
            if self == Loss::CrossEntropy { labels } else { one_hot(recorder, labels, batch, classes) };
        let gradient = recorder.gradient(output).view;
        if let Some(Weighting { weights, smoothing }) = weighting {
            let smoothing = consts! { SMOOTHING: smoothing };
            let consts = Consts::new(sizes().iter().chain(smoothing.iter()).collect());
            let args = vec![output.value, targets, weights, gradient, view];
            return recorder.dispatch(&table::WEIGHTED_LOSS, consts, args, "loss and its gradient");
        }
        let (kernel, consts) = match self {
            Loss::CrossEntropy => (&table::SOFTMAX_LOSS, sizes()),
            Loss::Bce => (&table::BCE_LOSS, sizes()),
            Loss::Mse => (&table::SQUARED_ERROR, squared(2.0, 1.0 / classes as f32)),
            Loss::SquaredError => (&table::SQUARED_ERROR, squared(1.0, 1.0)),
        };
        let args = vec![output.value, targets, gradient, view];
        recorder.dispatch(kernel, consts, args, "loss and its gradient");
    }
}

/// Records one-hot targets from the labels.
fn one_hot(recorder: &mut Recorder, labels: View, batch: usize, classes: usize) -> View {
    let targets = recorder.tensor("targets", classes).value;
    let consts = consts! { BATCH: batch, CLASSES: classes };
    recorder.dispatch(&table::ONE_HOT, consts, vec![labels, targets], "targets from labels");
    targets
}
