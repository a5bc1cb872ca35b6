//! Checks before recording, and the batch size that fits a device.

use super::gather::words;
use super::lowered::Lowered;
use super::what::{Lowering, TRAIN};
use crate::cpu::guard;
use crate::error::{DeviceFault, Error, Result};
use crate::kernel::aligned;
use crate::program::params::Arena;
use crate::program::shape::Shape;
use crate::program::{MAX_RESULT, MAX_STEPS, mebibytes};

/// The most words of losses and correct flags in a submission. The history of its steps stands before them.
pub(super) const MAX_ROWS: usize = MAX_RESULT - aligned(guard::HISTORY * MAX_STEPS);

/// The most layers of all batches of a step: each is recorded, and more would take minutes and gigabytes.
const MOST_LAYERS: usize = 100_000;

/// Checks that layers can be trained on the smallest batch.
pub fn check_batches(what: &Lowering) -> Result<()> {
    let trained = what.parts.iter().find(|part| what.mode.layers_train() && part.name == TRAIN);
    let Some(samples) = trained.map(|part| part.samples) else { return Ok(()) };
    let last = samples % what.batch;
    let whole = what.training.pitch(what.batch);
    if what.training.accumulate > 1 && !samples.is_multiple_of(whole) && what.network.mixes_samples() {
        return Err(setting(
            "accumulate",
            format!(
                "batch normalisation takes its means over whole batches, but steps of {} batches of {} do not divide \
                 {samples} samples: use another ⟨accumulate⟩ or ⟨batch_size⟩, or layernorm",
                what.training.accumulate, what.batch
            ),
        ));
    }
    what.network.check_batch(what.shape, if last == 0 { what.batch } else { last })
}

/// Checks sizes before they are multiplied.
pub fn check_sizes(what: &Lowering, shapes: &[Shape], arena: &Arena) -> Result<()> {
    // Shaders number elements by u32.
    const MOST: usize = 1 << 31;
    let outputs = shapes.last().map_or(0, Shape::len);
    what.loss.check(outputs, what.classes)?;
    what.training.check_loss(what.loss, what.classes)?;
    if arena.count() == 0 && what.parts.iter().any(|part| what.mode.trains(part.name)) {
        let problem =
            "the network has no parameters, so there is nothing to train: add a dense or a conv layer";
        return Err(setting("network", problem.to_owned()));
    }
    if arena.len() >= MOST {
        return Err(setting(
            "network",
            format!(
                "the network has {} parameters, and fewer than {MOST} are possible: use fewer or narrower layers",
                arena.count()
            ),
        ));
    }
    let batches = (MOST_LAYERS / what.network.count().max(1)).max(1);
    // The metrics of one step must fit into one result.
    if what.training.pitch(what.batch) > MAX_ROWS / 2 {
        let most = MAX_ROWS / 2 / what.training.accumulate;
        if most == 0 {
            return Err(too_many_batches(what, batches.min(MAX_ROWS / 2 / what.batch.min(MAX_ROWS / 2))));
        }
        let problem = format!("a batch of {} is too large: use ⟨batch_size {most}⟩ or smaller", what.batch);
        return Err(setting("batch_size", problem));
    }
    if what.training.accumulate > batches {
        return Err(too_many_batches(what, batches));
    }
    for part in &what.parts {
        if part.samples.saturating_mul(words(what.shape)) >= MOST {
            return Err(Error::Data(format!(
                "the {} part has more than {MOST} packed words: use fewer or smaller images",
                part.name
            )));
        }
    }
    let widest = shapes.iter().map(Shape::len).max().unwrap_or_default();
    if what.batch.saturating_mul(widest.max(2)) >= MOST {
        return Err(setting(
            "batch_size",
            format!(
                "a batch of {} with {widest} values per sample is too large: use a smaller ⟨batch_size⟩",
                what.batch
            ),
        ));
    }
    Ok(())
}

/// The error of a step that is made of too many batches.
fn too_many_batches(what: &Lowering, most: usize) -> Error {
    let accumulate = what.training.accumulate;
    let problem = format!(
        "a step of {accumulate} batches is too large: use ⟨accumulate {most}⟩ or smaller, with a larger ⟨batch_size⟩"
    );
    setting("accumulate", problem)
}

/// Adds the largest batch size that fits to an error about size. `record` records the Program.
pub fn explain_size(what: &Lowering, error: &Error, record: fn(&Lowering) -> Result<Lowered>) -> Error {
    let fits = |batch: usize| {
        record(&Lowering { batch, ..what.clone() })
            .is_ok_and(|lowered| lowered.program.fits(&what.limits).is_ok())
    };
    if !fits(1) {
        let fixed =
            mebibytes(what.parts.iter().map(|part| part.samples as u64 * words(what.shape) as u64 * 4).sum());
        return Error::Device(
            DeviceFault::TooSmall,
            format!(
                "{}; no batch size helps: use a smaller network or less data ({fixed} of images)",
                error.marked()
            ),
        );
    }
    let (mut most, mut least_too_many) = (1, what.batch);
    while most + 1 < least_too_many {
        let middle = most.midpoint(least_too_many);
        if fits(middle) { most = middle } else { least_too_many = middle }
    }
    let problem = format!("{}: use ⟨batch_size {most}⟩ or smaller", error.marked());
    Error::Device(DeviceFault::TooSmall, problem)
}

fn setting(key: &'static str, problem: String) -> Error {
    Error::Setting { key, problem }
}
