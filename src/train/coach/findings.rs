//! The numbers that give reason for advice, and why just these.

use super::finding::{Finding, FindingKind, Moment};
use crate::kernel::Activation;
use crate::train::recipe::Recipe;
use crate::train::trainer::{Activity, Movement, Vitals};

/// The largest fraction of a matrix's norm that one step changes. About a thousandth is usual
/// (Stanford's CS231n, “Ratio of weights:updates”); this is a hundred times that.
const LEAP: f64 = 0.1;

/// The fraction of a layer's units that may be dead. Some are in any network; CS231n has seen 40 % at
/// too high a learning rate, and a quarter is a layer that was meant to be larger.
const DEAD: f64 = 0.25;

/// The fraction of a layer's outputs that may lie where it is nearly flat: from half on, a gradient
/// passes only for a minority. X. Glorot and Y. Bengio, “Understanding the difficulty of
/// training deep feedforward neural networks” (2010), see whole layers end there.
const SATURATED: f64 = 0.5;

/// The largest ratio between the gradients of a layer and of the last one. A sigmoid passes on a quarter
/// at the most, so this is five of them; layers that learn stay within a hundred of each other.
const APART: f64 = 1e3;

/// The fraction of a matrix's norm below which a step gets nowhere: a hundredth of the usual one, and
/// 100,000 steps change the weights by their own size.
const STANDSTILL: f64 = 1e-5;

/// The fraction by which a validation loss may be above its lowest: the generalisation loss of 5 % in
/// L. Prechelt, “Early Stopping – But When?” (1998).
const OVER_FITTING: f64 = 0.05;

/// Epochs in which a loss must fall by [`PLATEAU_GAIN`], half of what PyTorch's `ReduceLROnPlateau`
/// waits before it acts.
const PLATEAU: usize = 5;
const PLATEAU_GAIN: f64 = 0.01;

/// An accuracy with which there is nothing left to learn.
const LEARNED: f64 = 0.99;

/// The fraction of the learning rate below which a schedule is bringing the run to its end.
const ENDING: f64 = 0.1;

/// Everything worth a sentence after the last of these epochs.
pub(super) fn find(recipe: &Recipe, past: &[Moment], vitals: Option<&Vitals>, rate: f32) -> Vec<Finding> {
    // One cause at a time: the others, and losses that stay, may follow from it.
    let cause = vitals.and_then(|vitals| {
        let causes = [leap(vitals, rate), dead_units(vitals, rate), saturation(vitals), gradients(vitals)];
        causes.into_iter().flatten().next()
    });
    // A run that has learned its samples, or is being brought to its end, needs no advice.
    let learned = past.last().is_none_or(|moment| moment.train.accuracy >= LEARNED);
    let ending = f64::from(rate) < ENDING * f64::from(recipe.learning_rate);
    let stuck = || {
        let standstill = vitals.and_then(|vitals| standstill(past, vitals, rate));
        standstill.or_else(|| plateau(recipe, past)).filter(|_| !learned && !ending)
    };
    let first = cause.or_else(stuck);
    first.into_iter().chain(over_fitting(recipe, past)).collect()
}

fn leap(vitals: &Vitals, rate: f32) -> Option<Finding> {
    let worst = by_fraction(vitals).max_by(|one, two| one.1.total_cmp(&two.1));
    let (movement, fraction) = worst.filter(|(_, fraction)| *fraction > LEAP)?;
    let sentence = format!(
        "one step changed {} by {} of its norm, where 0.1 % is usual: try a lower learning rate, such as {}, \
         or ⟨schedule constant warmup 100⟩",
        movement.name,
        percent(fraction),
        rounded(rate / 10.0)
    );
    Some(Finding { kind: FindingKind::Leap, severity: fraction, sentence })
}

/// The fraction of its norm by which each matrix changed; a matrix of zeros has none.
fn by_fraction(vitals: &Vitals) -> impl Iterator<Item = (&Movement, f64)> {
    let moved = vitals.movements.iter().filter(|movement| movement.weights > 0.0);
    moved.map(|movement| (movement, movement.change / movement.weights))
}

fn dead_units(vitals: &Vitals, rate: f32) -> Option<Finding> {
    // Other activations are 0 only for an input of 0.
    let relus = || vitals.activities.iter().filter(|activity| activity.activation == Activation::Relu);
    let dead = |activity: &Activity| activity.dead as f64 / activity.units as f64;
    let worst = relus().max_by(|one, two| dead(one).total_cmp(&dead(two)))?;
    let others = relus().filter(|activity| dead(activity) >= DEAD).count().checked_sub(1)?;
    let sentence = format!(
        "{} of the {} relus of layer {} are dead: 0 for each of {} samples{}: try a lower learning rate, such as \
         {}, or leaky-relu",
        worst.dead,
        worst.units,
        worst.layer,
        vitals.samples,
        and_others(others),
        rounded(rate / 3.0)
    );
    Some(Finding { kind: FindingKind::DeadUnits, severity: dead(worst), sentence })
}

fn saturation(vitals: &Vitals) -> Option<Finding> {
    let activities = || vitals.activities.iter();
    let worst = activities().max_by(|one, two| one.saturated.total_cmp(&two.saturated))?;
    let others = activities().filter(|activity| activity.saturated >= SATURATED).count().checked_sub(1)?;
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

/// Gradients that vanish or explode on their way from the last layer to the others.
fn gradients(vitals: &Vitals) -> Option<Finding> {
    let (last, others) = vitals.movements.split_last()?;
    let ratio = |movement: &Movement| movement.gradient / last.gradient;
    // A last gradient of 0 says nothing of the way.
    let known = others.iter().filter(|movement| ratio(movement).is_finite());
    let apart = |movement: &&Movement| (ratio(movement).ln()).abs();
    let worst = known.max_by(|one, two| apart(one).total_cmp(&apart(two)))?;
    let ratio = ratio(worst);
    let (kind, severity, what) = if ratio * APART < 1.0 {
        let what = "vanishes: try batchnorm, residual blocks, or relu in place of sigmoid and tanh";
        (FindingKind::VanishingGradient, 1.0 / ratio.max(f64::MIN_POSITIVE), what)
    } else if ratio > APART {
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

fn standstill(past: &[Moment], vitals: &Vitals, rate: f32) -> Option<Finding> {
    let [.., before, now] = past else { return None };
    let fallen = (before.train.loss - now.train.loss) / before.train.loss;
    let fraction = by_fraction(vitals).map(|(_, fraction)| fraction).max_by(f64::total_cmp)?;
    if fraction >= STANDSTILL || fallen >= PLATEAU_GAIN {
        return None;
    }
    let sentence = format!(
        "a step changes no weights by more than {fraction:.1e} of their norm, where 1e-3 is usual, and the train loss \
         is still {:.4}: try a higher learning rate, such as {}, or the one that lr-find suggests",
        now.train.loss,
        rounded(rate * 10.0)
    );
    Some(Finding { kind: FindingKind::Standstill, severity: 1.0 / fraction.max(f64::MIN_POSITIVE), sentence })
}

/// The validation loss goes up while the train loss goes down.
fn over_fitting(recipe: &Recipe, past: &[Moment]) -> Option<Finding> {
    let now = past.last()?;
    let latest = now.validation?.loss;
    let measured = past.iter().filter_map(|moment| Some((moment, moment.validation?.loss)));
    let (best, lowest) = measured.min_by(|one, two| one.1.total_cmp(&two.1))?;
    let excess = latest / lowest - 1.0;
    // Nothing is a fraction of a loss of 0.
    if lowest <= 0.0 || excess <= OVER_FITTING || now.train.loss > best.train.loss * (1.0 - PLATEAU_GAIN) {
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

fn plateau(recipe: &Recipe, past: &[Moment]) -> Option<Finding> {
    // The last epoch whose loss was lower by enough than that of the one before it.
    let mut last = 0;
    for (at, moment) in past.iter().enumerate() {
        if moment.train.loss <= past[last].train.loss * (1.0 - PLATEAU_GAIN) {
            last = at;
        }
    }
    let waited = past.len().checked_sub(last + 1)?;
    if waited < PLATEAU {
        return None;
    }
    let now = past.last()?;
    // The first cause is what the warning before the first step named.
    let advice = recipe.loss.warning(&recipe.network).unwrap_or_else(|| {
        "try a larger network, another ⟨learning_rate⟩ (lr-find suggests one), or ⟨schedule plateau⟩"
            .to_owned()
    });
    let sentence = format!(
        "the train loss has not fallen by 1 % in {waited} epochs: {:.4} and now {:.4}, with {} correct: {advice}",
        past[last].train.loss,
        now.train.loss,
        percent(now.train.accuracy)
    );
    Some(Finding { kind: FindingKind::Plateau, severity: waited as f64, sentence })
}

/// A fraction as a percentage.
fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A learning rate to type.
fn rounded(rate: f32) -> String {
    let short: f32 = format!("{rate:.1e}").parse().unwrap_or(rate);
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::trainer::Measure;

    #[test]
    fn a_validation_loss_of_zero_is_no_over_fitting() {
        let recipe = Recipe::defaults_for("digits", 64, 10, 100);
        let moment = |epoch, train, validation| {
            let measure = |loss| Measure { samples: 10, loss, accuracy: 1.0 };
            Moment { epoch, train: measure(train), validation: Some(measure(validation)) }
        };
        let said = |lowest, latest| over_fitting(&recipe, &[moment(1, 0.5, lowest), moment(2, 0.1, latest)]);
        assert!(said(0.0, 0.0).is_none() && said(0.0, 0.1).is_none() && said(0.1, 0.1).is_none());
        let found = said(0.1, 0.2).unwrap();
        assert!(found.severity == 1.0 && found.sentence.contains("100"), "{}", found.sentence);
    }
}
