//! Findings about an epoch, with their thresholds and where these come from.

use super::finding::{EpochMeasures, Finding, FindingKind, percent};
use super::small::{self, STANDARD_ERRORS};
use crate::kernel::Activation;
use crate::train::recipe::Recipe;
use crate::train::trainer::{ActivationStats, Diagnostics, Measure, WeightChange};

/// The largest fraction of a matrix's norm that one step changes. About a thousandth is usual
/// (Stanford's CS231n, “Ratio of weights:updates”); this is a hundred times that.
const LARGE_STEP: f64 = 0.1;

/// The most steps of a warm-up that is advised.
const WARMUP: usize = 100;

/// The largest fraction of a layer's units that may be dead. Any network has dead units; CS231n reports 40 % at too
/// high a learning rate.
const DEAD: f64 = 0.25;

/// The largest fraction of a layer's outputs that may be saturated. From half on, a gradient passes only for a
/// minority. X. Glorot and Y. Bengio, “Understanding the difficulty of training deep feedforward neural networks”
/// (2010), report whole layers that saturate.
const SATURATED: f64 = 0.5;

/// The largest ratio between gradients of a layer and the last one. A sigmoid passes on a quarter at the most, so
/// this is five of them; layers that learn stay within a hundred of each other.
const GRADIENT_RATIO: f64 = 1e3;

/// The fraction of a matrix's norm below which a step gets nowhere. It is a hundredth of the usual one: 100,000 steps
/// change the weights by their own size.
const SMALL_STEP: f64 = 1e-5;

/// The largest fraction by which a validation loss may exceed its lowest. It is the generalisation loss of 5 % in L.
/// Prechelt, “Early Stopping – But When?” (1998).
const OVER_FITTING: f64 = 0.05;

/// Epochs in a row whose validation loss must be too high, beyond its noise. One epoch, or a
/// few samples, say little.
const CONFIRMED: usize = 3;

/// Steps from which a loss that does not fall may be the network's fault.
const CONVERGED: usize = 300;

/// Epochs in which a loss must fall by [`PLATEAU_FALL`]. It is half of what PyTorch's `ReduceLROnPlateau` waits
/// before it acts.
const PLATEAU: usize = 5;
const PLATEAU_FALL: f64 = 0.01;

/// The ratio of the standard deviation of the samples' losses to their mean. A default run on digits ends with 6.8
/// (0.609 to 0.089): a few wrong samples make up most of the loss. The coach has no losses of single samples.
const SPREAD: f64 = 7.0;

/// The fraction of the learning rate below which a run is ending.
const ENDING_RATE: f64 = 0.1;

/// The findings after the last of these epochs.
pub(super) fn find(
    recipe: &Recipe,
    past: &[EpochMeasures],
    diagnostics: Option<&Diagnostics>,
    rate: f32,
) -> Vec<Finding> {
    // One cause at a time: other causes, and a loss that does not fall, may follow from it.
    let cause = diagnostics.and_then(|diagnostics| {
        let causes = [
            large_step(recipe, past, diagnostics, rate),
            dead_units(diagnostics, rate),
            saturation(diagnostics),
            gradients(diagnostics),
        ];
        causes.into_iter().flatten().next()
    });
    // A run that has learned its samples, or whose schedule is ending, needs no advice.
    let learned = past.last().is_none_or(|epoch| epoch.train.accuracy >= small::LEARNED);
    let ending = f64::from(rate) < ENDING_RATE * f64::from(recipe.learning_rate);
    let stuck = || {
        let small_step = diagnostics.and_then(|diagnostics| small_step(past, diagnostics, rate));
        small_step.or_else(|| plateau(recipe, past)).filter(|_| !learned && !ending)
    };
    let first = cause.or_else(stuck);
    let over_fitting = over_fitting(recipe, past).or_else(|| small::gap(recipe, past));
    let over_fitting = over_fitting.or_else(|| small::unmeasured(recipe, past));
    let few_steps = || small::few_steps(recipe, past);
    first.or_else(few_steps).into_iter().chain(over_fitting).collect()
}

fn large_step(
    recipe: &Recipe,
    past: &[EpochMeasures],
    diagnostics: &Diagnostics,
    rate: f32,
) -> Option<Finding> {
    let worst = by_fraction(diagnostics).max_by(|one, two| one.1.total_cmp(&two.1));
    let (weight_change, fraction) = worst.filter(|(_, fraction)| *fraction > LARGE_STEP)?;
    // A warm-up that is shorter than the run.
    let steps = past.last().map_or(0, |now| small::steps(recipe, now) / now.epoch.max(1) * recipe.epochs);
    let warmup = match WARMUP.min(steps / 10) {
        0 => String::new(),
        warmup => format!(", or ⟨schedule constant warmup {warmup}⟩"),
    };
    let sentence = format!(
        "one step changed {} by {} of its norm, where 0.1 % is usual: try a lower learning rate, such as {}{warmup}",
        weight_change.name,
        percent(fraction),
        rounded(rate / 10.0)
    );
    Some(Finding { kind: FindingKind::LargeStep, severity: fraction, sentence })
}

/// The fraction of its norm by which each matrix changed. A matrix of zeros has none.
fn by_fraction(diagnostics: &Diagnostics) -> impl Iterator<Item = (&WeightChange, f64)> {
    let moved = diagnostics.weight_changes.iter().filter(|weight_change| weight_change.weights > 0.0);
    moved.map(|weight_change| (weight_change, weight_change.change / weight_change.weights))
}

fn dead_units(diagnostics: &Diagnostics, rate: f32) -> Option<Finding> {
    // Other activations are 0 only for an input of 0.
    let relus = || diagnostics.activations.iter().filter(|stats| stats.activation == Activation::Relu);
    let dead = |stats: &ActivationStats| stats.dead as f64 / stats.units as f64;
    let worst = relus().max_by(|one, two| dead(one).total_cmp(&dead(two)))?;
    let others = relus().filter(|stats| dead(stats) >= DEAD).count().checked_sub(1)?;
    let sentence = format!(
        "{} of the {} relus of layer {} are dead: 0 for each of {} samples{}: try a lower learning rate, such as \
         {}, or leaky-relu",
        worst.dead,
        worst.units,
        worst.layer,
        diagnostics.samples,
        and_others(others),
        rounded(rate / 3.0)
    );
    Some(Finding { kind: FindingKind::DeadUnits, severity: dead(worst), sentence })
}

fn saturation(diagnostics: &Diagnostics) -> Option<Finding> {
    let activations = || diagnostics.activations.iter();
    let worst = activations().max_by(|one, two| one.saturated.total_cmp(&two.saturated))?;
    let others = activations().filter(|stats| stats.saturated >= SATURATED).count().checked_sub(1)?;
    let name = if worst.activation == Activation::Tanh { "tanh" } else { "sigmoid" };
    let sentence = format!(
        "{} of the outputs of layer {} are saturated, where {name} is nearly flat{}: try batchnorm in front of \
         it, smaller first weights (“init”), or relu",
        percent(worst.saturated),
        worst.layer,
        and_others(others)
    );
    Some(Finding { kind: FindingKind::Saturation, severity: worst.saturated, sentence })
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and there is 1 more such layer)".to_owned(),
        _ => format!(" (and there are {others} more such layers)"),
    }
}

/// Gradients that vanish or explode between the last layer and the others.
fn gradients(diagnostics: &Diagnostics) -> Option<Finding> {
    let (last, others) = diagnostics.weight_changes.split_last()?;
    let ratio = |weight_change: &WeightChange| weight_change.gradient / last.gradient;
    // A last gradient of 0 gives no ratio.
    let known = others.iter().filter(|weight_change| ratio(weight_change).is_finite());
    let deviation = |weight_change: &&WeightChange| (ratio(weight_change).ln()).abs();
    let worst = known.max_by(|one, two| deviation(one).total_cmp(&deviation(two)))?;
    let ratio = ratio(worst);
    let (kind, severity, what) = if ratio * GRADIENT_RATIO < 1.0 {
        let what = "vanishes: try batchnorm, residual blocks, or relu in place of sigmoid and tanh";
        (FindingKind::VanishingGradient, 1.0 / ratio.max(f64::MIN_POSITIVE), what)
    } else if ratio > GRADIENT_RATIO {
        (
            FindingKind::ExplodingGradient,
            ratio,
            "explodes: try ⟨clip_norm 1⟩, batchnorm, or smaller first weights",
        )
    } else {
        return None;
    };
    let sentence = format!(
        "the gradient of {}, of {:.1e}, is {ratio:.1e} of that of {} and so {what}",
        worst.name, worst.gradient, last.name
    );
    Some(Finding { kind, severity, sentence })
}

fn small_step(past: &[EpochMeasures], diagnostics: &Diagnostics, rate: f32) -> Option<Finding> {
    let [.., before, now] = past else { return None };
    let fallen = (before.train.loss - now.train.loss) / before.train.loss;
    let fraction = by_fraction(diagnostics).map(|(_, fraction)| fraction).max_by(f64::total_cmp)?;
    if fraction >= SMALL_STEP || fallen >= PLATEAU_FALL {
        return None;
    }
    let sentence = format!(
        "a step changes no weights by more than {fraction:.1e} of their norm, where 1e-3 is usual, and the train loss \
         is still {:.4}: try a higher learning rate, such as {}, or the one that lr-find suggests",
        now.train.loss,
        rounded(rate * 10.0)
    );
    Some(Finding { kind: FindingKind::SmallStep, severity: 1.0 / fraction.max(f64::MIN_POSITIVE), sentence })
}

/// The spread of a mean loss that is within noise, for samples whose losses are spread as [`SPREAD`] says.
fn loss_noise(loss: f64, samples: usize) -> f64 {
    STANDARD_ERRORS * SPREAD * loss / (samples as f64).sqrt()
}

/// The validation loss goes up while the train loss goes down.
fn over_fitting(recipe: &Recipe, past: &[EpochMeasures]) -> Option<Finding> {
    let now = past.last()?;
    let latest = now.validation?.loss;
    let measured = past.iter().filter_map(|epoch| Some((epoch, epoch.validation?.loss)));
    let (best, lowest) = measured.min_by(|one, two| one.1.total_cmp(&two.1))?;
    let excess = latest / lowest - 1.0;
    let after: Vec<Measure> =
        past.iter().filter(|epoch| epoch.epoch > best.epoch).filter_map(|epoch| epoch.validation).collect();
    let recent = &after[after.len().checked_sub(CONFIRMED)?..];
    // Resumed runs have no count for earlier epochs; all have the same samples.
    let samples = now.validation?.samples;
    let clear =
        |measure: &Measure| measure.loss - lowest > loss_noise(lowest, samples).max(OVER_FITTING * lowest);
    let accuracy = recent.iter().map(|measure| measure.accuracy).sum::<f64>() / CONFIRMED as f64;
    let before = best.validation?.accuracy;
    let error = small::accuracy_error(before, samples).hypot(small::accuracy_error(accuracy, samples));
    let better = accuracy > before + error;
    // An excess over a loss of 0 is no fraction.
    if lowest <= 0.0
        || samples < small::FEWEST
        || better
        || !recent.iter().all(clear)
        || now.train.loss > best.train.loss * (1.0 - PLATEAU_FALL)
    {
        return None;
    }
    let stopping = if recipe.stop_early.is_none() { "⟨stop_early validation-loss⟩, " } else { "" };
    let sentence = format!(
        "over-fitting: the validation loss {latest:.4} is {} above its lowest, that of epoch {}, while the train \
         loss fell from {:.4} to {:.4}: try {stopping}⟨augment⟩, dropout, weight-decay, or fewer units",
        percent(excess),
        best.epoch,
        best.train.loss,
        now.train.loss
    );
    Some(Finding { kind: FindingKind::OverFitting, severity: excess, sentence })
}

fn plateau(recipe: &Recipe, past: &[EpochMeasures]) -> Option<Finding> {
    // The last epoch whose loss was lower by PLATEAU_FALL.
    let mut last = 0;
    for (at, epoch) in past.iter().enumerate() {
        if epoch.train.loss <= past[last].train.loss * (1.0 - PLATEAU_FALL) {
            last = at;
        }
    }
    let waited = past.len().checked_sub(last + 1)?;
    if waited < PLATEAU {
        return None;
    }
    let now = past.last()?;
    // These schedules lower the rate themselves, towards the end.
    let lowers = recipe.schedule.is_fitted_to_the_run();
    if lowers && 3 * now.epoch < 2 * recipe.epochs {
        return None;
    }
    // The first cause is what the warning before the first step named.
    let advice = recipe.loss.warning(&recipe.network).unwrap_or_else(|| {
        let climbs = now.train.loss > past[last].train.loss * (1.0 + PLATEAU_FALL);
        let early = small::steps(recipe, now) < CONVERGED;
        let first = match (climbs, early) {
            (true, _) => "try a lower learning rate, such as the one that lr-find suggests",
            (_, true) => "try more ⟨epochs⟩, another ⟨learning_rate⟩ (lr-find suggests one)",
            _ => "try a larger network, another ⟨learning_rate⟩ (lr-find suggests one)",
        };
        if lowers { first.to_owned() } else { format!("{first}, or ⟨schedule plateau⟩") }
    });
    let sentence = format!(
        "the train loss has not fallen by 1 % in {waited} epochs: {:.4} and now {:.4}, with {} correct: {advice}",
        past[last].train.loss,
        now.train.loss,
        percent(now.train.accuracy)
    );
    Some(Finding { kind: FindingKind::Plateau, severity: waited as f64, sentence })
}

/// A learning rate in two digits.
fn rounded(rate: f32) -> String {
    let short: f32 = format!("{rate:.1e}").parse().unwrap_or(rate);
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_fitting_is_beyond_noise_and_lasts() {
        let recipe = Recipe::defaults_for("digits", 64, 10, 100);
        let epoch = |samples, epoch, train, validation| {
            let measure = |loss| Measure { samples, loss, accuracy: 0.9 };
            EpochMeasures { epoch, train: measure(train), validation: Some(measure(validation)) }
        };
        let run = |samples, losses: &[f64]| {
            let falling = |at: usize| 0.5 / (at + 1) as f64;
            let past: Vec<_> = losses
                .iter()
                .enumerate()
                .map(|(at, loss)| epoch(samples, at + 1, falling(at), *loss))
                .collect();
            over_fitting(&recipe, &past)
        };
        // Within the noise of 34 samples, though not of 3,400; and never after one epoch.
        assert!(run(34, &[0.1, 0.14, 0.14, 0.14]).is_none() && run(3400, &[0.1, 0.14, 0.14, 0.14]).is_some());
        // One more wrong sample among 34, with a loss of 6.8.
        assert!(run(34, &[0.1, 0.3, 0.3, 0.3]).is_none() && run(10, &[0.1, 9.0, 9.0, 9.0]).is_none());
        assert!(run(3400, &[0.1, 0.1, 0.1, 0.2]).is_none() && run(3400, &[0.1, 0.2]).is_none());
        let found = |lowest, latest| run(1000, &[lowest, latest, latest, latest]);
        assert!(found(0.0, 0.0).is_none() && found(0.0, 0.1).is_none() && found(0.1, 0.1).is_none());
        let finding = found(0.1, 0.2).unwrap();
        assert!(finding.severity == 1.0 && finding.sentence.contains("100"), "{}", finding.sentence);
    }
}
