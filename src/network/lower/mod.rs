//! Lowering: from a network, a loss and the sizes of the data to a Program
//! whose sections train a step, measure a part of the data, and predict.

mod gather;
mod halves;
mod sizes;
mod training;
mod update;

pub use training::{Training, Weighting};
pub(crate) use update::{metrics, watch};

use crate::cpu::guard;
use crate::data::ImageShape;
use crate::error::Result;
use crate::kernel::{Augmentation, Element, aligned};
use crate::network::Network;
use crate::network::layers::Shape;
use crate::network::loss::Loss;
use crate::network::optimiser::State;
use crate::program::params::Arena;
use crate::program::record::{Activated, Boundary, Recorder, Versions};
use crate::program::{Buf, Limits, MAX_RESULT, MAX_STEPS, Program, Role, View};
pub(crate) use gather::{Picking, gather, input};
use sizes::{check_batches, check_sizes, explain_size};

/// A part of the data that a Program reads.
#[derive(Clone, Debug)]
pub struct Part {
    /// `train`, `validation` or `held-out`; the name of its section.
    pub name: &'static str,
    pub samples: usize,
}

/// The part that the network learns from.
pub const TRAIN: &str = "train";
/// The part by which settings may be chosen.
pub const VALIDATION: &str = "validation";
/// The part that no choice may depend on.
pub const HELD_OUT: &str = "held-out";
/// The section that turns the input buffer into outputs.
pub const PREDICT: &str = "predict";

/// What is lowered.
#[derive(Clone, Debug)]
pub struct Lowering<'a> {
    pub network: &'a Network,
    pub loss: Loss,
    pub shape: &'a ImageShape,
    pub classes: usize,
    pub batch: usize,
    pub parts: Vec<Part>,
    pub versions: Versions,
    /// Whether activations go into the epilogues of weighted sums.
    pub fuse: bool,
    /// Whether layers behave as in prediction while the network learns: dropout
    /// keeps everything, batch normalisation uses its running statistics. For a
    /// step with one sample, of which there are no statistics.
    pub as_in_prediction: bool,
    /// Whether every buffer has memory of its own, so that all values of a step can
    /// be looked at after it.
    pub keep: bool,
    pub limits: Limits,
    /// How the samples of the train part are changed at random before each step; those of other parts
    /// stay as they are, because they are measured.
    pub augment: Augmentation,
    /// How the train section goes on from the loss; other sections don't depend on it.
    pub training: Training,
}

/// Where a part of the data lies.
#[derive(Clone, Debug)]
pub struct PartViews {
    pub name: &'static str,
    pub samples: usize,
    /// Packed pixels: a row of [`words`] words per sample.
    pub images: View,
    pub labels: View,
    /// The order in which samples are visited.
    pub order: View,
}

/// A lowered network: the Program, and where its data lie.
#[derive(Clone, Debug)]
pub struct Lowered {
    pub program: Program,
    pub arena: Arena,
    pub batch: usize,
    pub classes: usize,
    /// Steps of one submission at the most.
    pub slots: usize,
    pub parts: Vec<PartViews>,
    /// In section [`TRAIN`], in front of each layer and behind the last; empty without it. What
    /// lies there outlasts the step only where everything is kept.
    pub boundaries: Vec<Boundary>,
    pub parameters: View,
    pub gradients: View,
    /// The norm of the last gradients, a single word.
    pub norm: View,
    /// What activations make within the network in section [`TRAIN`], in the first batch of a step;
    /// it lies there until the memory serves another dispatch.
    pub activated: Vec<Activated>,
    /// As it was asked for.
    pub training: Training,
    /// What the optimiser keeps from step to step.
    pub states: Vec<State>,
    /// Scale of every channel, then shift of every channel.
    pub normaliser: View,
    /// The input of section [`PREDICT`]: (batch, values).
    pub input: View,
    /// The output of section [`PREDICT`]: (batch, outputs).
    pub output: View,
    /// The average of the weights, laid out like them: what is measured and saved, where there is one.
    pub averages: Option<View>,
    /// The weight of each class in the training loss, where they or the labels' smoothing are asked for.
    pub class_weights: Option<View>,
    metrics: Metrics,
}

/// Where steps leave what they measure: (slots, pitch, 2), a row of loss and hit for every
/// sample of a step. In their buffer, before them, the history: (slots, 2), the norm of a step's
/// gradients and how many of its numbers were flawed.
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    pub view: View,
    pub slots: usize,
    /// Rows of a step.
    pub pitch: usize,
}

impl Metrics {
    /// The history of all slots, and behind it the rows of the first `steps`.
    fn report(&self, steps: usize) -> View {
        View { start: 0, len: self.view.start + steps * self.pitch * 2, ..self.view }
    }
}

impl Lowered {
    /// The metrics of the first `steps` slots, see [`Metrics`].
    pub fn metrics(&self, steps: usize) -> View {
        View { len: steps * self.metrics.pitch * 2, ..self.metrics.view }
    }

    /// Rows of a step in the metrics.
    pub fn pitch(&self) -> usize {
        self.metrics.pitch
    }

    /// Samples of a step in a section: training may take several batches to a step.
    pub fn step_samples(&self, section: &str) -> usize {
        if section == TRAIN { self.batch * self.training.accumulate } else { self.batch }
    }

    /// The history of all slots and, behind [`Lowered::rows`] words, the metrics of the first `steps`.
    pub fn report(&self, steps: usize) -> View {
        self.metrics.report(steps)
    }

    /// Words of a report before its metrics.
    pub fn rows(&self) -> usize {
        self.metrics.view.start
    }

    /// What the network has made of a batch of a part when its section is over: (batch, outputs).
    /// None of the train part, where the memory serves the backward pass by then.
    pub fn outputs(&self, part: &str) -> Option<View> {
        let (_, steps) = self.program.sections.iter().find(|(name, _)| name == part)?;
        // Of all kernels the losses alone write metrics.
        let loss = self.program.steps[steps.clone()].last()?;
        let place = |name: &str| loss.kernel.binds.iter().position(|bind| bind.name == name);
        place("metrics")?;
        Some(loss.args[place("logits").or_else(|| place("predictions"))?])
    }

    /// The views of a part.
    pub fn part(&self, name: &str) -> Option<&PartViews> {
        self.parts.iter().find(|part| part.name == name)
    }
}

/// Words of a submission's losses and hits at the most; the history of its steps stands before them.
const MAX_ROWS: usize = MAX_RESULT - aligned(guard::HISTORY * MAX_STEPS);

/// Words of one packed image.
pub fn words(shape: &ImageShape) -> usize {
    shape.values().div_ceil(4)
}

/// Lowers a network.
///
/// # Errors
/// [`Error::Usage`](crate::error::Error::Usage) when shapes do not fit, [`Error::Device`](crate::error::Error::Device) when the Program does not fit the device.
pub fn lower(what: &Lowering) -> Result<Lowered> {
    let lowered = record(what)?;
    // Sizes first: they are the user's, and a broken rule would be a mistake in a layer.
    lowered.program.fits(&what.limits).map_err(|error| explain_size(what, &error))?;
    lowered.program.validate()?;
    Ok(lowered)
}

fn record(what: &Lowering) -> Result<Lowered> {
    let input_shape = Shape(vec![what.shape.channels, what.shape.height, what.shape.width]);
    let shapes = what.network.shapes(&input_shape)?;
    let arena = what.network.arena(&input_shape)?;
    what.training.check()?;
    check_batches(what)?;
    check_sizes(what, &shapes, &arena)?;
    let pitch = what.training.pitch(what.batch);
    let slots = (MAX_ROWS / (2 * pitch)).clamp(1, MAX_STEPS);
    let mut recorder = Recorder::new(arena, what.batch, what.versions, what.fuse);
    let states = what.training.optimiser.declare(&mut recorder);
    let averages = what.training.declare_average(&mut recorder);
    let weighting = what.training.declare_weights(&mut recorder, what.classes);
    let normaliser = recorder.buffer("normaliser", Element::Real, 2 * what.shape.channels, Role::Data);
    let metrics = metrics(&mut recorder, slots, pitch);
    let norm = recorder.buffer("norm", Element::Real, 1, Role::Guard);
    let parts: Vec<PartViews> =
        what.parts.iter().map(|part| declare(&mut recorder, part, what.shape)).collect();

    let (mut boundaries, mut activated) = (Vec::new(), Vec::new());
    for part in &parts {
        let trains = part.name == TRAIN;
        recorder.training = trains && !what.as_in_prediction;
        recorder.weights = weights_for(trains, &recorder, averages);
        for batch in 0..if trains { what.training.accumulate } else { 1 } {
            recorder.begin_batch(batch * what.batch);
            let (x, labels) = gather(&mut recorder, part, &picking(what, part, normaliser));
            let output = what.network.record(&mut recorder, x, &input_shape);
            // What is measured elsewhere is the plain loss.
            let weighting = weighting.filter(|_| trains);
            what.loss.record(&mut recorder, output, labels, metrics, weighting);
            if trains && batch == 0 {
                activated = recorder.activated_within(output);
            }
            if trains {
                recorder.backward();
            }
        }
        recorder.first_row = 0;
        if trains {
            boundaries = recorder.boundaries();
            update::update(&mut recorder, &what.training, &states, averages, norm, metrics);
        }
        recorder.section(part.name);
    }
    recorder.training = false;
    recorder.weights = weights_for(false, &recorder, averages);
    let value = recorder.buffer("input", Element::Real, what.batch * what.shape.values(), Role::Data);
    let x = input(value, what.shape, what.batch);
    let output = what.network.record(&mut recorder, x, &input_shape);
    recorder.section(PREDICT);
    if !what.keep {
        recorder.program.share(&[output.value.buf]);
    }
    Ok(Lowered {
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
        boundaries,
        activated,
        norm,
        training: what.training.clone(),
        states,
        normaliser,
        averages,
        class_weights: weighting.map(|weighting| weighting.weights),
        metrics,
    })
}

/// What layers multiply with: to train the parameters, to measure their average if there is one.
fn weights_for(trains: bool, recorder: &Recorder, averages: Option<View>) -> Buf {
    averages.filter(|_| !trains).unwrap_or(recorder.parameters()).buf
}

fn declare(recorder: &mut Recorder, part: &Part, shape: &ImageShape) -> PartViews {
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

/// How samples of a part are picked.
fn picking<'a>(what: &Lowering<'a>, part: &PartViews, normaliser: View) -> Picking<'a> {
    Picking {
        shape: what.shape,
        batch: what.batch,
        normaliser,
        augment: if part.name == TRAIN { what.augment } else { Augmentation::default() },
        binding_bytes: what.limits.binding_bytes,
        dense_first: what.network.dense_first(),
    }
}
