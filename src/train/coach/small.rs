//! Findings about small data sets, at the end of a run.

use super::finding::{EpochMeasures, Finding, FindingKind, percent};
use crate::train::recipe::{Recipe, SMALL_SET_STEPS};

/// The samples below which a set is small.
const SMALL: usize = 1000;

/// The accuracy on the train part below which a run has not learned it.
const TOO_LITTLE: f64 = 0.9;

/// The gap between the accuracies of the parts that is worth a sentence, besides its standard error.
const GAP: f64 = 0.1;

/// Standard errors of a clear difference.
pub(super) const STANDARD_ERRORS: f64 = 2.0;

/// The fewest validation samples from which advice is given.
pub(super) const FEWEST: usize = 20;

/// The accuracy on the train part from which a small set is learned.
pub(super) const LEARNED: f64 = 0.99;

/// The standard error of an accuracy, after A. Agresti and B. Coull, “Approximate Is Better than ‘Exact’” (1998): two
/// correct and two wrong samples are added, so that it isn't 0 when all samples are correct, or none.
pub(super) fn accuracy_error(accuracy: f64, samples: usize) -> f64 {
    let added = samples as f64 + 4.0;
    let middle = (accuracy * samples as f64 + 2.0) / added;
    (middle * (1.0 - middle) / added).sqrt()
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
    if steps >= SMALL_SET_STEPS || now.train.accuracy >= TOO_LITTLE {
        return None;
    }
    let epochs = (SMALL_SET_STEPS * now.epoch).div_ceil(steps.max(1));
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
    let validation = now.validation.filter(|validation| validation.samples >= FEWEST)?;
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

/// A small set that is learned, without a validation part.
pub(super) fn unmeasured(recipe: &Recipe, past: &[EpochMeasures]) -> Option<Finding> {
    let now = end(recipe, past)?;
    // A run on a few batches is meant to learn only these.
    if now.validation.is_some() || recipe.overfit_batches > 0 || now.train.accuracy < LEARNED {
        return None;
    }
    let samples = now.train.samples;
    let part = if samples / 5 >= FEWEST { 0.2 } else { 0.5 };
    let sentence = format!(
        "the {samples} train samples are learned, and no validation part tells whether more is: ⟨validation {part}⟩ \
         measures that"
    );
    Some(Finding { kind: FindingKind::NoValidation, severity: 1.0, sentence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::trainer::Measure;

    fn ends(train: (usize, f64), validation: Option<(usize, f64)>) -> (Option<Finding>, Option<Finding>) {
        let recipe = Recipe { epochs: 1, ..Recipe::defaults_for("digits", 64, 10, 48) };
        let measure = |(samples, accuracy)| Measure { samples, loss: 0.1, accuracy };
        let past = [EpochMeasures { epoch: 1, train: measure(train), validation: validation.map(measure) }];
        (gap(&recipe, &past), unmeasured(&recipe, &past))
    }

    #[test]
    fn a_learned_small_set_without_a_validation_part_has_a_sentence() {
        let said = |samples| ends((samples, 1.0), None).1.unwrap().sentence;
        assert!(
            said(48).contains("the 48 train samples are learned") && said(48).contains("⟨validation 0.5⟩")
        );
        assert!(said(168).contains("⟨validation 0.2⟩"));
        assert!(ends((48, 0.9), None).1.is_none() && ends((5000, 1.0), None).1.is_none());
        assert!(ends((48, 1.0), Some((24, 0.3))).1.is_none());
    }

    #[test]
    fn an_accuracy_of_none_or_all_has_an_error_and_few_samples_no_advice() {
        assert!(accuracy_error(0.0, 10) > 0.05 && accuracy_error(1.0, 10) > 0.05);
        assert!((accuracy_error(0.5, 10_000) - 0.005).abs() < 1e-6);
        assert!(ends((48, 1.0), Some((19, 0.0))).0.is_none() && ends((48, 1.0), Some((20, 0.0))).0.is_some());
    }
}
