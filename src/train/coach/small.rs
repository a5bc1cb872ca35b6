//! Findings about small data sets, at the end of a run.

use super::finding::{EpochMeasures, Finding, FindingKind, percent};
use crate::train::recipe::Recipe;

/// The samples below which a set is small.
const SMALL: usize = 1000;

/// Steps that a small network needs to learn a small set.
const STEPS: usize = 1500;

/// The accuracy on the train part below which a run has not learned it.
const LEARNED: f64 = 0.9;

/// The gap between the accuracies of the parts that is worth a sentence, besides its standard error.
const GAP: f64 = 0.1;

/// Standard errors of a clear difference.
pub(super) const STANDARD_ERRORS: f64 = 2.0;

/// The standard error of an accuracy over so many samples.
pub(super) fn accuracy_error(accuracy: f64, samples: usize) -> f64 {
    (accuracy * (1.0 - accuracy) / samples.max(1) as f64).sqrt()
}

/// The steps that a run has taken.
pub(super) fn steps(recipe: &Recipe, now: &EpochMeasures) -> usize {
    now.train.samples.div_ceil(recipe.step_samples().max(1)) * now.epoch
}

/// The last epoch of a run on a small set.
fn end<'a>(recipe: &Recipe, past: &'a [EpochMeasures]) -> Option<&'a EpochMeasures> {
    past.last().filter(|now| now.epoch == recipe.epochs && (1..SMALL).contains(&now.train.samples))
}

/// A run that ends after a few steps without having learned.
pub(super) fn few_steps(recipe: &Recipe, past: &[EpochMeasures]) -> Option<Finding> {
    let now = end(recipe, past)?;
    let steps = steps(recipe, now);
    if steps >= STEPS || now.train.accuracy >= LEARNED {
        return None;
    }
    let epochs = (STEPS * now.epoch).div_ceil(steps.max(1));
    let cnn = if recipe.network.to_string().contains("conv") { "" } else { " or ⟨network cnn⟩" };
    let sentence = format!(
        "the run ends after {steps} steps on {} samples, with {} of them correct: try ⟨epochs {epochs}⟩{cnn}",
        now.train.samples,
        percent(now.train.accuracy)
    );
    Some(Finding { kind: FindingKind::FewSteps, severity: 1.0, sentence })
}

/// A small set that is learned, but not beyond its samples.
pub(super) fn gap(recipe: &Recipe, past: &[EpochMeasures]) -> Option<Finding> {
    let now = end(recipe, past)?;
    let validation = now.validation.filter(|validation| validation.samples > 0)?;
    let error = accuracy_error(validation.accuracy, validation.samples);
    if now.train.accuracy - validation.accuracy <= GAP + STANDARD_ERRORS * error {
        return None;
    }
    let augment = if recipe.augment.is_none() { "⟨augment⟩, " } else { "" };
    let sentence = format!(
        "{} of the {} train samples are correct, but {} (± {}) of the validation part: try {augment}dropout, or \
         more samples",
        percent(now.train.accuracy),
        now.train.samples,
        percent(validation.accuracy),
        percent(error)
    );
    Some(Finding { kind: FindingKind::Gap, severity: 1.0, sentence })
}
