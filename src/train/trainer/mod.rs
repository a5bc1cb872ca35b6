//! Training: a lowered network, its data on the device, and steps.
//!
//! Many steps are submitted at a time, so that the device never waits for the host.

mod diagnostics;
mod fault;
mod forward;
mod measure;
mod model;
mod pace;
mod parameters;
mod pass;
mod pixels;
mod position;
mod progress;
mod rate;
mod report;
mod snapshot;
mod state;
mod sweep;
mod tracker;

pub use diagnostics::{ActivationStats, Diagnostics, WeightChange};
pub use forward::NonFinites;
pub use measure::{Measure, Sum};
pub use parameters::write_parameters;
pub use pass::step_scalars;
use pixels::pieces;
pub use pixels::{normalise, pack};
pub use position::Position;
pub use progress::Progress;
pub use snapshot::{NamedTensor, Snapshot};
pub use sweep::SweepPoint;

use std::collections::{HashMap, VecDeque};
use std::ops::{ControlFlow, Range};

use crate::data::{Normaliser, Rendering, Samples, Tones};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::kernel::rng::shuffled;
use crate::kernel::{Slice, Step};
use crate::network::lower::{Lowered, PREDICT, PartViews, TRAIN, words};
use crate::program::View;
use crate::train::schedule::Schedule;
use crate::verify::diff::first_divergence;

use pace::Pace;
use tracker::PositionTracker;

/// Settings of steps besides the network.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The learning rate before schedules and rollbacks.
    pub learning_rate: f32,
    /// Decides the order of samples, augmentation and dropout.
    pub seed: u64,
    /// The course of the learning rate.
    pub schedule: Schedule,
    /// Epochs of the run, to which schedules are fitted.
    pub epochs: usize,
}

impl Settings {
    /// For measuring and predicting, which take no steps.
    pub const FROZEN: Settings = Settings::new(0.0, 0);

    /// A constant learning rate.
    pub const fn new(learning_rate: f32, seed: u64) -> Settings {
        Settings { learning_rate, seed, schedule: Schedule::CONSTANT, epochs: 0 }
    }
}

/// Trains a lowered network on an engine.
pub struct Trainer {
    engine: Box<dyn Engine>,
    lowered: Lowered,
    settings: Settings,
    normaliser: Normaliser,
    /// The names of the classes, and of the data.
    names: (Vec<String>, String),
    pictures: (Rendering, Option<Tones>),
    position: Position,
    /// The epoch whose order of samples is on the device.
    ordered: Option<usize>,
    /// The norms of the last gradients, the oldest first.
    norms: VecDeque<f32>,
    /// By section: a training step takes longer than a measuring one.
    paces: HashMap<String, Pace>,
}

impl Trainer {
    /// A trainer with these parameters and a fresh optimiser state. They are laid out as the arena.
    ///
    /// # Errors
    /// [`Error::Device`] when the engine fails.
    pub fn new(
        mut engine: Box<dyn Engine>,
        lowered: Lowered,
        settings: Settings,
        parameters: &[f32],
        normaliser: &Normaliser,
    ) -> Result<Trainer> {
        write_parameters(engine.as_mut(), &lowered, parameters)?;
        if let Some(view) = lowered.class_weights {
            let given = &lowered.training.class_weights;
            let weights = if given.is_empty() { vec![1.0; view.len] } else { given.clone() };
            engine.write(view, Slice::Real(&weights))?;
        }
        engine.write(lowered.normaliser, Slice::Real(&normaliser.scale_and_shift()))?;
        let classes = (0..lowered.classes).map(|class| class.to_string()).collect();
        Ok(Trainer {
            engine,
            lowered,
            settings,
            normaliser: normaliser.clone(),
            names: (classes, String::new()),
            pictures: Default::default(),
            position: Position::default(),
            ordered: None,
            norms: VecDeque::new(),
            paces: HashMap::new(),
        })
    }

    /// Puts a part of the data on the device, in its order.
    ///
    /// # Errors
    /// [`Error::Data`] when the samples are not those that the network was lowered for: another
    /// number, another shape, or a label beyond the classes.
    pub fn load(&mut self, part: &str, samples: &Samples) -> Result<()> {
        let views = self.views(part)?;
        let (images, labels, order) = (views.images, views.labels, views.order);
        let words = samples.len() * words(&samples.shape);
        if samples.len() != labels.len || words != images.len {
            let (got, shape, wanted) = (samples.len(), samples.shape, labels.len);
            return Err(Error::Data(format!(
                "the {part} part has {got} images of {shape}, but the network was lowered for {wanted} or another shape, so load \
                 the data that it was lowered for"
            )));
        }
        let classes = self.lowered.classes;
        if let Some(label) = samples.labels.iter().find(|label| **label as usize >= classes) {
            return Err(Error::Data(format!(
                "the {part} part has label {label}, but there are only {classes} classes, so correct the labels"
            )));
        }
        for (start, words) in pieces(samples) {
            let part = View { start: images.start + start, len: words.len(), ..images };
            self.engine.write(part, Slice::Uint(&words))?;
        }
        self.engine.write(labels, Slice::Uint(&samples.labels))?;
        let identity: Vec<u32> = (0..samples.len() as u32).collect();
        self.engine.write(order, Slice::Uint(&identity))
    }

    fn views(&self, part: &str) -> Result<&PartViews> {
        let found = self.lowered.part(part);
        found.ok_or_else(|| Error::Data(format!("the network was lowered without a {part} part")))
    }

    /// Samples that are computed at once.
    pub fn batch(&self) -> usize {
        self.lowered.batch
    }

    /// Whether the network was lowered for a part of this name.
    pub fn has(&self, part: &str) -> bool {
        self.lowered.part(part).is_some()
    }

    /// Steps of one epoch over the train part.
    pub fn steps_per_epoch(&self) -> usize {
        self.lowered.part(TRAIN).map_or(0, |part| part.samples.div_ceil(self.lowered.step_samples(TRAIN)))
    }

    /// Steps taken since the run began.
    pub fn steps(&self) -> usize {
        self.position.steps
    }

    /// Trains on every sample once, in the epoch's order. The last batch may be short.
    ///
    /// # Errors
    /// As [`Trainer::advance`].
    pub fn epoch(&mut self, epoch: usize, observe: &mut dyn FnMut(Progress)) -> Result<Measure> {
        self.position = Position { epoch, step: 0, so_far: Sum::default(), ..self.position };
        let mut observe = |progress: Progress| {
            observe(progress);
            ControlFlow::Continue(())
        };
        let measure = self.advance(usize::MAX, &mut observe)?;
        Ok(measure.expect("nothing stops the epoch before its end"))
    }

    /// Takes up to `most` steps of the epoch under way. `observe` is asked after every submission, and may stop it
    /// earlier. The mean over the epoch is returned when that was its end, and the next call begins the next epoch.
    /// The grouping of steps into calls does not change the results.
    ///
    /// # Errors
    /// [`Error::Diverged`] as soon as a loss or a gradient is not finite. The run is then where it was before that step,
    /// as no such step changes a weight.
    pub fn advance(
        &mut self,
        most: usize,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Measure>> {
        let samples = self.views(TRAIN)?.samples;
        self.order()?;
        let range = self.position.step..self.steps_per_epoch().min(self.position.step.saturating_add(most));
        let mut tracker = PositionTracker::new(self.position, self.norms.clone(), self.steps_per_epoch());
        let outcome = self.pass(TRAIN, samples, range, &mut |reports| tracker.take(reports, observe));
        self.finish(tracker, outcome)
    }

    /// Takes the next step dispatch by dispatch, each compared with its twin. It computes what [`Trainer::advance`]
    /// would.
    ///
    /// # Errors
    /// [`Error::Check`] naming the kernel whose results the twin cannot explain, and as
    /// [`Trainer::advance`].
    pub fn verify(
        &mut self,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Measure>> {
        let samples = self.views(TRAIN)?.samples;
        self.order()?;
        let step = self.scalars(TRAIN, 0, self.position.step, samples);
        let section = self.lowered.program.section(TRAIN);
        let gated = |at: &usize| self.lowered.program.steps[*at].gate.is_some();
        let update = section.clone().find(gated).unwrap_or(section.end);
        self.compare(section.start..update, &step)?;
        let words = self.engine.read(self.lowered.report(1))?.real();
        let reports = self.reports(TRAIN, &[step], &words);
        let mut tracker = PositionTracker::new(self.position, self.norms.clone(), self.steps_per_epoch());
        let outcome = tracker.take(&reports, observe).map(|_| ());
        // A bad step has no update to compare.
        if outcome.is_ok() {
            self.compare(update..section.end, &step)?;
        }
        self.finish(tracker, outcome)
    }

    /// Runs dispatches up to the first that differs from its twin.
    fn compare(&mut self, dispatches: Range<usize>, step: &Step) -> Result<()> {
        match first_divergence(self.engine.as_mut(), &self.lowered.program, dispatches, step)? {
            None => Ok(()),
            Some(divergence) => Err(Error::Check(format!(
                "step {} of the run differs from the twins: {divergence}",
                self.position.steps + 1
            ))),
        }
    }

    /// Takes over a pass's position, and finishes the epoch when it ends.
    fn finish(&mut self, tracker: PositionTracker, outcome: Result<()>) -> Result<Option<Measure>> {
        (self.position, self.norms) = (tracker.position, tracker.norms);
        if let Some(bad) = tracker.bad_step {
            return Err(self.fault(&bad)?);
        }
        outcome?;
        Ok((self.position.step == self.steps_per_epoch()).then(|| self.position.finish_epoch()))
    }

    /// Puts the order of the epoch under way on the device.
    fn order(&mut self) -> Result<()> {
        let epoch = self.position.epoch;
        if self.ordered != Some(epoch) {
            let part = self.views(TRAIN)?.clone();
            let order = shuffled(part.samples, self.settings.seed, epoch as u64);
            self.engine.write(part.order, Slice::Uint(&order))?;
            self.ordered = Some(epoch);
        }
        Ok(())
    }

    /// Mean loss and accuracy over a part of the data. The section of the train part takes training steps, so measure
    /// other parts.
    ///
    /// # Errors
    /// [`Error::Data`] for a part that the network was lowered without, and [`Error::Device`] when the engine fails.
    pub fn measure(&mut self, part: &str) -> Result<Measure> {
        let samples = self.views(part)?.samples;
        let mut total = Sum::default();
        self.pass(part, samples, 0..samples.div_ceil(self.lowered.batch), &mut |reports| {
            reports.iter().for_each(|report| total.add(Sum::of(report.rows)));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(total.mean())
    }

    /// Hands over outputs and loss of each sample, in order. The mean of the losses is that of [`Trainer::measure`].
    ///
    /// # Errors
    /// [`Error::Data`] for the train part, whose outputs are overwritten in a step.
    pub fn evaluate(&mut self, part: &str, each: &mut dyn FnMut(&[f32], f64)) -> Result<()> {
        let samples = self.views(part)?.samples;
        let batch = self.lowered.batch;
        let outputs = self.lowered.outputs(part).ok_or_else(|| {
            Error::Data(format!(
                "the outputs for the {part} part are overwritten in training, so evaluate another part"
            ))
        })?;
        for at in 0..samples.div_ceil(batch) {
            let step = self.scalars(part, 0, at, samples);
            let section = self.lowered.program.section(part);
            let ticket = self.engine.submit(section, &[step], self.lowered.metrics(1))?;
            let metrics = self.engine.wait(ticket)?;
            let rows = self.engine.read(outputs)?.real();
            let evaluated = rows.chunks_exact(outputs.len / batch).zip(metrics.chunks_exact(2));
            evaluated.take(step.samples as usize).for_each(|(row, metrics)| each(row, metrics[0].into()));
        }
        Ok(())
    }

    /// The parameters as they are now, laid out as the arena.
    ///
    /// # Errors
    /// [`Error::Device`] when the engine fails.
    pub fn parameters(&mut self) -> Result<Vec<f32>> {
        let mut values = self.engine.read(self.lowered.parameters)?.real();
        values.truncate(self.lowered.arena.len());
        Ok(values)
    }

    /// The weights that are measured and saved, laid out as the arena. They are the EMA where there is one, else the
    /// parameters.
    ///
    /// # Errors
    /// [`Error::Device`] when the engine fails.
    pub fn measured_parameters(&mut self) -> Result<Vec<f32>> {
        let mut values = self.engine.read(self.lowered.ema.unwrap_or(self.lowered.parameters))?.real();
        values.truncate(self.lowered.arena.len());
        Ok(values)
    }

    /// The outputs for a batch of normalised inputs, a row per sample.
    ///
    /// # Errors
    /// [`Error::Device`] when the engine fails.
    pub fn predict(&mut self, inputs: &[f32]) -> Result<Vec<f32>> {
        let output = self.lowered.output;
        self.write_inputs(inputs)?;
        let section = self.lowered.program.section(PREDICT);
        let first = View { len: 1, ..output };
        let ticket = self.engine.submit(section, &[Step::default()], first)?;
        self.engine.wait(ticket)?;
        Ok(self.engine.read(output)?.real())
    }
}
