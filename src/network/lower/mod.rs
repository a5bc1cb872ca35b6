//! Lowering: from a network, a loss and data sizes to a Program.
//!
//! Its sections train a step, measure a part of the data, and predict. Layers record the plain Program, rewrites make it
//! fast, and buffers that are not needed at the same time share memory.

mod f16;
mod gather;
mod lowered;
mod sizes;
mod training;
mod update;
mod what;

pub use gather::words;
pub(crate) use gather::{Gathering, gather, input};
pub use lowered::{Lowered, PartViews};
pub use training::{EMA, Training};
pub(crate) use update::{metrics, watch};
pub use what::{HELD_OUT, Lowering, Mode, PREDICT, Part, TRAIN, VALIDATION};

use crate::error::Result;
use crate::kernel::{Augmentation, Element};
use crate::network::loss::{Metrics, Weighting};
use crate::program::record::Recorder;
use crate::program::rewrite::rewrite;
use crate::program::shape::Shape;
use crate::program::{Buf, MAX_STEPS, Observed, Role, View};
use sizes::{MAX_ROWS, check_batches, check_sizes, explain_size};

/// Lowers a network.
///
/// # Errors
/// [`Error::Setting`](crate::error::Error::Setting) when network, data and settings do not go together,
/// [`Error::Device`](crate::error::Error::Device) when the Program does not fit the device.
pub fn lower(what: &Lowering) -> Result<Lowered> {
    if what.mode == Mode::Explain { checked(what, record) } else { checked(what, record_shared) }
}

/// Lowers a network without sharing memory between buffers.
///
/// It computes the same bits as [`lower`], and all values of a step can be read after it.
///
/// # Errors
/// As [`lower`].
pub fn lower_unshared(what: &Lowering) -> Result<Lowered> {
    checked(what, record)
}

/// Records a Program and checks it.
fn checked(what: &Lowering, record: fn(&Lowering) -> Result<Lowered>) -> Result<Lowered> {
    let lowered = record(what)?;
    // Sizes come from the user; a broken rule would be a mistake in a layer.
    lowered.program.fits(&what.limits).map_err(|error| explain_size(what, &error, record))?;
    lowered.program.validate()?;
    Ok(lowered)
}

/// Records the plain Program and rewrites it.
fn record(what: &Lowering) -> Result<Lowered> {
    let mut lowered = record_plain(what)?;
    lowered.program = rewrite(lowered.program, &what.choice, &what.rewrites);
    lowered.drop_unused();
    Ok(lowered)
}

/// [`record`], then lets buffers share memory.
fn record_shared(what: &Lowering) -> Result<Lowered> {
    let mut lowered = record(what)?;
    lowered.program.share(&[lowered.output.buf]);
    Ok(lowered)
}

fn record_plain(what: &Lowering) -> Result<Lowered> {
    let input_shape = *what.shape;
    let shapes = what.network.shapes(&input_shape)?;
    let arena = what.network.arena(&input_shape)?;
    what.training.check()?;
    check_batches(what)?;
    check_sizes(what, &shapes, &arena)?;
    let pitch = what.training.pitch(what.batch);
    let slots = (MAX_ROWS / (2 * pitch)).clamp(1, MAX_STEPS);
    let mut recorder = Recorder::new(arena, what.batch);
    let states = what.training.optimiser.declare(&mut recorder);
    let ema = what.training.declare_ema(&mut recorder);
    let weighting = what.training.declare_weights(&mut recorder, what.classes);
    let normaliser = recorder.buffer("normaliser", Element::Real, 2 * what.shape.channels, Role::Data);
    let metrics = metrics(&mut recorder, slots, pitch);
    let norm = recorder.buffer("norm", Element::Real, 1, Role::Guard);
    let parts: Vec<PartViews> =
        what.parts.iter().map(|part| declare(&mut recorder, part, what.shape)).collect();

    let mut observed = Observed::default();
    for part in &parts {
        let trains = what.mode.trains(part.name);
        recorder.weights = weights_for(trains, &recorder, ema);
        // Other parts measure the plain loss.
        let end = PartEnd { metrics, weighting: weighting.filter(|_| trains) };
        let seen = record_part(&mut recorder, what, &gathering(what, part, normaliser), part, &end);
        if trains {
            observed = seen;
            update::update(&mut recorder, &what.training, &states, ema, norm, metrics);
        }
        recorder.section(part.name);
    }
    recorder.training = false;
    recorder.weights = weights_for(false, &recorder, ema);
    let value = recorder.buffer("input", Element::Real, what.batch * what.shape.len(), Role::Data);
    let x = input(value, what.shape, what.batch);
    let output = what.network.record(&mut recorder, x, &input_shape);
    recorder.section(PREDICT);
    recorder.program.observed = observed;
    Ok(Lowered {
        network: what.network.clone(),
        loss: what.loss,
        shape: input_shape,
        mode: what.mode,
        parameters: recorder.arena_view(),
        gradients: recorder.gradients(),
        input: x.value,
        output: output.value,
        program: recorder.program,
        arena: recorder.arena,
        batch: what.batch,
        classes: what.classes,
        slots,
        parts,
        norm,
        training: what.training.clone(),
        states,
        normaliser,
        ema,
        class_weights: weighting.map(|weighting| weighting.weights),
        metrics,
    })
}

/// The end of a part, after the network.
struct PartEnd {
    metrics: Metrics,
    weighting: Option<Weighting>,
}

/// Records the batches of a part's step, and returns what observers read.
///
/// A batch is a forward pass, the loss and, in training, a backward pass.
fn record_part(
    recorder: &mut Recorder,
    what: &Lowering,
    how: &Gathering,
    part: &PartViews,
    end: &PartEnd,
) -> Observed {
    let trains = what.mode.trains(part.name);
    recorder.training = trains && what.mode.layers_train();
    let mut activated = Vec::new();
    for batch in 0..if trains { what.training.accumulate } else { 1 } {
        recorder.begin_batch(batch * what.batch);
        let (x, labels) = gather(recorder, part, how);
        let output = what.network.record(recorder, x, what.shape);
        what.loss.record(recorder, output, labels, end.metrics, end.weighting);
        let made = std::mem::take(&mut recorder.program.observed.activated);
        if batch == 0 {
            // The output of the network is not among the activations.
            activated = made.into_iter().filter(|made| made.value.buf != output.value.buf).collect();
        }
        if trains {
            recorder.backward();
        }
    }
    recorder.first_row = 0;
    Observed { activated, ..std::mem::take(&mut recorder.program.observed) }
}

/// The weights that layers multiply with.
///
/// Training uses the parameters, measuring their EMA if there is one.
fn weights_for(trains: bool, recorder: &Recorder, ema: Option<View>) -> Buf {
    ema.filter(|_| !trains).unwrap_or(recorder.parameters()).buf
}

fn declare(recorder: &mut Recorder, part: &Part, shape: &Shape) -> PartViews {
    let mut buffer =
        |what: &str, len| recorder.buffer(&format!("{} {what}", part.name), Element::Uint, len, Role::Data);
    PartViews {
        name: part.name,
        samples: part.samples,
        images: buffer("images", part.samples * words(shape)),
        labels: buffer("labels", part.samples),
        order: buffer("order", part.samples),
    }
}

/// The settings of gathering a part's samples.
fn gathering<'a>(what: &Lowering<'a>, part: &PartViews, normaliser: View) -> Gathering<'a> {
    Gathering {
        shape: what.shape,
        batch: what.batch,
        normaliser,
        augment: if what.mode.trains(part.name) { what.augment } else { Augmentation::default() },
        binding_bytes: what.limits.binding_bytes,
    }
}
