//! The validation part: training samples set aside for choosing settings.
//!
//! Settings chosen by the held-out part would make its accuracy too good.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::dataset::Samples;
use crate::error::{Error, Result};

/// Splits `train` into a train part and a validation part, in this order.
///
/// `fraction` of the samples, rounded to the nearest, go to the second part, and `fraction` of each class as nearly as
/// whole numbers allow. No class loses its last training sample. The choice is drawn from `seed` alone. Samples keep
/// their order within each part.
///
/// # Errors
///
/// [`Error::Setting`] if `fraction` isn't between 0 and 1 or leaves nothing to validate with; [`Error::Data`] if a label
/// isn't below `classes`.
pub fn split_validation(
    mut train: Samples,
    fraction: f64,
    classes: usize,
    seed: u64,
) -> Result<(Samples, Samples)> {
    let refused = |problem| Error::Setting { key: "validation", problem };
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(refused(format!(
            "the ⟨validation⟩ part is {fraction}, but it takes a number above 0 and below 1"
        )));
    }
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in train.labels.iter().enumerate() {
        let class = members.get_mut(label as usize).ok_or_else(|| {
            Error::Data(format!(
                "sample {index} has the label {label}, but there are only {classes} classes, so correct the labels"
            ))
        })?;
        class.push(index);
    }

    let quotas = quotas(&members, fraction, train.len());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = vec![false; train.len()];
    for (class, quota) in members.iter_mut().zip(quotas) {
        class.shuffle(&mut rng);
        class[..quota].iter().for_each(|&index| chosen[index] = true);
    }
    let (validation, rest): (Vec<_>, Vec<_>) = (0..train.len()).partition(|&index| chosen[index]);
    if validation.is_empty() {
        return Err(refused(format!(
            "the ⟨validation⟩ part of {fraction} of {} training samples would be empty, \
             so use a larger one or leave it out",
            train.len()
        )));
    }
    let validation = train.subset(&validation);
    train.keep(&rest);
    Ok((train, validation))
}

/// The number of samples to set aside of each class.
///
/// Each is rounded down, then the classes that lost most by it get one more, until `fraction` of the whole is reached.
fn quotas(members: &[Vec<usize>], fraction: f64, total: usize) -> Vec<usize> {
    let exact = |class: usize| members[class].len() as f64 * fraction;
    let mut quotas: Vec<usize> = (0..members.len()).map(|class| exact(class) as usize).collect();
    // Classes that keep a training sample when they give one more.
    let mut by_loss: Vec<usize> =
        (0..members.len()).filter(|&class| quotas[class] + 1 < members[class].len()).collect();
    // A stable sort: equal losses go by class.
    by_loss.sort_by(|&a, &b| exact(b).fract().total_cmp(&exact(a).fract()));
    let missing = ((total as f64 * fraction).round() as usize).saturating_sub(quotas.iter().sum());
    for class in by_loss.into_iter().take(missing) {
        quotas[class] += 1;
    }
    quotas
}
