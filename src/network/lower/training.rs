//! A training step after the gradients: clipping, the update, the EMA.

use std::fmt::Display;

use crate::error::{Error, Result};
use crate::kernel::Element;
use crate::kernel::consts;
use crate::network::loss::{Loss, Weighting};
use crate::network::optimiser::{Optimiser, State};
use crate::program::record::Recorder;
use crate::program::{Role, View};
use crate::table;

/// The buffer of the EMA of the weights, and its tensor in a checkpoint.
pub const EMA: &str = "ema";

/// The settings of a training step after the gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// The optimiser.
    pub optimiser: Optimiser,
    /// The largest norm of all gradients together. Larger ones are scaled down to it.
    pub clip_norm: Option<f32>,
    /// The largest absolute value of a gradient. Larger ones are clipped to it.
    pub clip_value: Option<f32>,
    /// Batches of a step. Their gradients are added up before the update.
    pub accumulate: usize,
    /// The largest decay of the EMA of the weights. Without it there is no EMA.
    pub ema: Option<f32>,
    /// The fraction of each label that is spread over all classes.
    pub label_smoothing: f32,
    /// The weight of each class in the loss. Empty when all are 1.
    pub class_weights: Vec<f32>,
}

impl Default for Training {
    /// Plain gradient descent, one batch per step.
    fn default() -> Training {
        Training::with(Optimiser::default())
    }
}

impl Training {
    /// An optimiser and defaults otherwise.
    pub fn with(optimiser: Optimiser) -> Training {
        Training {
            optimiser,
            clip_norm: None,
            clip_value: None,
            accumulate: 1,
            ema: None,
            label_smoothing: 0.0,
            class_weights: Vec::new(),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting and what it takes, and as [`Optimiser::check`].
    pub fn check(&self) -> Result<()> {
        self.optimiser.check()?;
        let wrong = |key, value: &dyn Display, takes: &str| {
            Err(Error::Setting { key, problem: format!("⟨{key}⟩ is {value}, but it takes {takes}") })
        };
        for (key, most) in [("clip_norm", self.clip_norm), ("clip_value", self.clip_value)] {
            if let Some(most) = most.filter(|most| !(most.is_finite() && *most > 0.0)) {
                return wrong(key, &most, "a number above 0");
            }
        }
        match self.ema {
            Some(ema) if !(0.0..1.0).contains(&ema) => {
                return wrong("ema", &ema, "a number from 0 to below 1");
            }
            _ => {}
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return wrong("label_smoothing", &self.label_smoothing, "a number from 0 to below 1");
        }
        match self.accumulate {
            0 => wrong("accumulate", &0, "a whole number from 1"),
            _ => Ok(()),
        }
    }

    /// Checks that the loss takes label smoothing and class weights.
    ///
    /// # Errors
    /// [`Error::Setting`] for a loss that takes no weights, or another number of class weights.
    pub fn check_loss(&self, loss: Loss, classes: usize) -> Result<()> {
        if !self.weighs() {
            return Ok(());
        }
        if loss != Loss::CrossEntropy {
            let problem = format!(
                "⟨label_smoothing⟩ and ⟨class_weights⟩ are for ⟨loss cross-entropy⟩, not for {loss}: leave them out, or \
                 use that loss"
            );
            return Err(Error::Setting { key: "loss", problem });
        }
        match self.class_weights.len() {
            given if given != 0 && given != classes => Err(Error::Setting {
                key: "class_weights",
                problem: format!("there are {given} class weights for {classes} classes: give one for each"),
            }),
            _ => Ok(()),
        }
    }

    /// Whether classes are weighted or labels smoothed.
    pub fn weighs(&self) -> bool {
        self.label_smoothing != 0.0 || !self.class_weights.is_empty()
    }

    /// Declares the class weights, if the loss needs them.
    pub fn declare_weights(&self, recorder: &mut Recorder, classes: usize) -> Option<Weighting> {
        self.weighs().then(|| Weighting {
            weights: recorder.buffer("class weights", Element::Real, classes, Role::Data),
            smoothing: self.label_smoothing,
        })
    }

    /// Rows of a step in the metrics: one per sample.
    pub fn pitch(&self, batch: usize) -> usize {
        batch.saturating_mul(self.accumulate)
    }

    /// The decay of the EMA in a step, after `steps` earlier ones.
    ///
    /// It is smaller in the first steps, so that the initial weights are soon forgotten.
    ///
    /// min(ema, (1 + n) / (10 + n)), as TensorFlow's `ExponentialMovingAverage` has it.
    pub fn ema_decay(&self, steps: usize) -> f32 {
        let steps = steps as f64;
        let decay = f64::from(self.ema.unwrap_or(0.0)).min((1.0 + steps) / (10.0 + steps));
        decay as f32
    }

    /// Declares the EMA of the weights, if there is one. It outlives a step as the optimiser state does.
    pub fn declare_ema(&self, recorder: &mut Recorder) -> Option<View> {
        // Running statistics of norms are in the arena, and averaged as well.
        let len = recorder.arena_view().len;
        self.ema.map(|_| recorder.buffer(EMA, Element::Real, len, Role::Optimiser))
    }

    /// Records clipping, the update and the EMA. `norm` is a single word.
    pub fn record(&self, recorder: &mut Recorder, states: &[State], ema: Option<View>, norm: View) {
        let gradients = recorder.gradients();
        let length = gradients.len;
        if let Some(most) = self.clip_norm {
            let consts = consts! { LENGTH: length, MOST: most };
            recorder.dispatch(&table::CLIP_NORM, consts, vec![norm, gradients], "clip by norm");
        }
        if let Some(most) = self.clip_value {
            let consts = consts! { LENGTH: length, MOST: most };
            recorder.dispatch(&table::CLIP_VALUE, consts, vec![gradients], "clip by value");
        }
        self.optimiser.record(recorder, states);
        if let Some(ema) = ema {
            let arguments = vec![recorder.arena_view(), ema];
            recorder.dispatch(&table::EMA, consts! { LENGTH: ema.len }, arguments, "ema");
        }
    }
}
