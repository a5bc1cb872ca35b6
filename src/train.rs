//! Training: a lowered network, its data on the device, and steps submitted
//! many at a time so that the device never waits for the host.

mod measure;
mod pace;
mod sweep;

pub use measure::Measure;
pub use sweep::Tried;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::data::{ImageShape, Normaliser, Samples};
use crate::engine::{Engine, IN_FLIGHT, Ticket};
use crate::error::{Error, Result};
use crate::kernel::{Slice, Step};
use crate::lower::{Lowered, PREDICT, PartViews, TRAIN, words};
use crate::program::View;
use crate::rng::{kernel_seed, shuffled};
use crate::schedule::{Length, Plateau, Schedule};
use measure::Sum;
use pace::Pace;

/// What a step needs besides the network.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub learning_rate: f32,
    pub seed: u64,
    /// How the learning rate changes.
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

/// Where an epoch has got to, after each submission.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub epoch: usize,
    /// Steps taken in this epoch.
    pub step: usize,
    /// Steps of the epoch.
    pub steps: usize,
    /// Over the samples of this submission.
    pub latest: Measure,
    /// Over the epoch so far, each batch measured before its update.
    pub so_far: Measure,
    /// The largest norm of the gradients of a step of this submission, before clipping;
    /// none where it is not measured.
    pub gradient_norm: Option<f32>,
}

/// Trains a lowered network on an engine.
pub struct Trainer {
    engine: Box<dyn Engine>,
    lowered: Lowered,
    settings: Settings,
    /// Steps taken since the run began.
    steps: usize,
    /// What a schedule that follows the loss has seen.
    plateau: Plateau,
    /// When no further training step is begun.
    deadline: Option<Instant>,
    /// By section: a training step takes longer than a measuring one.
    paces: HashMap<String, Pace>,
}

impl Trainer {
    /// A trainer with these parameters, laid out as the arena, and an optimiser that has kept nothing yet.
    pub fn new(
        mut engine: Box<dyn Engine>,
        lowered: Lowered,
        settings: Settings,
        parameters: &[f32],
        normaliser: &Normaliser,
    ) -> Result<Trainer> {
        // A network without parameters has an arena of padding only.
        let mut padded = parameters.to_vec();
        padded.resize(lowered.parameters.len, 0.0);
        engine.write(lowered.parameters, Slice::Real(&padded))?;
        if let Some(averages) = lowered.averages {
            engine.write(averages, Slice::Real(&padded))?;
        }
        if let Some(view) = lowered.class_weights {
            let given = &lowered.training.class_weights;
            let weights = if given.is_empty() { vec![1.0; view.len] } else { given.clone() };
            engine.write(view, Slice::Real(&weights))?;
        }
        engine.write(lowered.normaliser, Slice::Real(&scale_and_shift(normaliser)))?;
        Ok(Trainer {
            engine,
            lowered,
            settings,
            steps: 0,
            plateau: Plateau::default(),
            deadline: None,
            paces: HashMap::new(),
        })
    }

    /// Puts a part of the data on the device, to be visited in its own order.
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
                "the {part} part has {got} images of {shape}, the network was lowered for {wanted} or another shape"
            )));
        }
        let classes = self.lowered.classes;
        if let Some(label) = samples.labels.iter().find(|label| **label as usize >= classes) {
            return Err(Error::Data(format!(
                "the {part} part has label {label}, but there are only {classes} classes"
            )));
        }
        self.engine.write(images, Slice::Uint(&pack(samples)))?;
        self.engine.write(labels, Slice::Uint(&samples.labels))?;
        let identity: Vec<u32> = (0..samples.len() as u32).collect();
        self.engine.write(order, Slice::Uint(&identity))
    }

    fn views(&self, part: &str) -> Result<&PartViews> {
        let found = self.lowered.part(part);
        found.ok_or_else(|| Error::Data(format!("the network was lowered without a {part} part")))
    }

    /// Whether the network was lowered for a part of this name.
    pub fn has(&self, part: &str) -> bool {
        self.lowered.part(part).is_some()
    }

    /// How long the run is that schedules are fitted to.
    pub fn length(&self) -> Length {
        let per_epoch = self.steps_per_epoch();
        Length { steps: self.settings.epochs * per_epoch, per_epoch }
    }

    /// The learning rate of a step, counted from 0 since the run began.
    pub fn learning_rate(&self, step: usize) -> f32 {
        let factor = self.settings.schedule.factor(step, self.length()) * self.plateau.factor;
        (f64::from(self.settings.learning_rate) * factor) as f32
    }

    /// What a schedule that follows the loss has seen so far.
    pub fn plateau(&self) -> Plateau {
        self.plateau
    }

    /// Takes up what another trainer's schedule had seen.
    pub fn set_plateau(&mut self, plateau: Plateau) {
        self.plateau = plateau;
    }

    /// Tells a schedule that follows it the loss of an epoch.
    pub fn observe_loss(&mut self, loss: f64) {
        self.plateau.observe(&self.settings.schedule, loss);
    }

    /// Begins no training step from a moment on.
    pub fn stop_at(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Whether that moment has come.
    pub fn out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Steps of one epoch over the train part.
    pub fn steps_per_epoch(&self) -> usize {
        self.lowered.part(TRAIN).map_or(0, |part| part.samples.div_ceil(self.lowered.step_samples(TRAIN)))
    }

    /// Steps taken since the run began.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Trains on every sample once, in this epoch's order; the last batch may be short.
    ///
    /// # Errors
    /// [`Error::Diverged`] as soon as a loss is not finite; the parameters are
    /// then what the bad steps have made of them.
    pub fn epoch(&mut self, epoch: usize, observe: &mut dyn FnMut(Progress)) -> Result<Measure> {
        let part = self.views(TRAIN)?.clone();
        let order = shuffled(part.samples, self.settings.seed, epoch as u64);
        self.engine.write(part.order, Slice::Uint(&order))?;
        let mut total = Sum::default();
        let steps = self.steps_per_epoch();
        let done = self.pass(TRAIN, part.samples, epoch, &mut |first, group| {
            let (mut latest, mut gradient_norm) = (Sum::default(), None);
            for (at, rows) in group.iter().enumerate() {
                let sum = Sum::of(rows.samples);
                gradient_norm = larger(gradient_norm, rows.norm);
                if !sum.loss.is_finite() {
                    let step = first + at + 1;
                    return Err(Error::Diverged(format!(
                        "the loss became {} at step {step} of epoch {epoch}",
                        sum.loss
                    )));
                }
                latest.add(sum);
            }
            total.add(latest);
            observe(Progress {
                epoch,
                step: first + group.len(),
                steps,
                latest: latest.mean(),
                so_far: total.mean(),
                gradient_norm,
            });
            Ok(())
        })?;
        self.steps += done;
        Ok(total.mean())
    }

    /// Mean loss and accuracy over a part of the data.
    pub fn measure(&mut self, part: &str) -> Result<Measure> {
        let samples = self.views(part)?.samples;
        let mut total = Sum::default();
        self.pass(part, samples, 0, &mut |_, group| {
            group.iter().for_each(|rows| total.add(Sum::of(rows.samples)));
            Ok(())
        })?;
        Ok(total.mean())
    }

    /// Hands over what the network makes of each sample of a part, in the order of the samples: its
    /// outputs, and its loss, whose mean is that of [`Trainer::measure`].
    ///
    /// # Errors
    /// [`Error::Data`] for the train part, whose outputs are gone when its step is over.
    pub fn judge(&mut self, part: &str, each: &mut dyn FnMut(&[f32], f64)) -> Result<()> {
        let samples = self.views(part)?.samples;
        let batch = self.lowered.batch;
        let outputs = self.lowered.outputs(part).ok_or_else(|| {
            Error::Data(format!("the outputs for the {part} part are not kept, so judge another part"))
        })?;
        for at in 0..samples.div_ceil(batch) {
            let step = self.scalars(part, 0, at, samples, 0);
            let section = self.lowered.program.section(part);
            let ticket = self.engine.submit(section, &[step], self.lowered.metrics(1))?;
            let metrics = self.engine.wait(ticket)?;
            let rows = self.engine.read(outputs)?.real();
            let judged = rows.chunks_exact(outputs.len / batch).zip(metrics.chunks_exact(2));
            judged.take(step.samples as usize).for_each(|(row, metrics)| each(row, metrics[0].into()));
        }
        Ok(())
    }

    /// The parameters as they are now, laid out as the arena.
    pub fn parameters(&mut self) -> Result<Vec<f32>> {
        let mut values = self.engine.read(self.lowered.parameters)?.real();
        values.truncate(self.lowered.arena.len());
        Ok(values)
    }

    /// The weights that are measured and saved: the average of the parameters where there is
    /// one, else the parameters; laid out as the arena.
    pub fn measured_parameters(&mut self) -> Result<Vec<f32>> {
        let mut values = self.engine.read(self.lowered.averages.unwrap_or(self.lowered.parameters))?.real();
        values.truncate(self.lowered.arena.len());
        Ok(values)
    }

    /// The outputs for a batch of normalised inputs, a row per sample.
    pub fn predict(&mut self, inputs: &[f32]) -> Result<Vec<f32>> {
        let (input, output) = (self.lowered.input, self.lowered.output);
        let mut padded = inputs.to_vec();
        padded.resize(input.len, 0.0);
        self.engine.write(input, Slice::Real(&padded))?;
        let section = self.lowered.program.section(PREDICT);
        let first = View { len: 1, ..output };
        let ticket = self.engine.submit(section, &[Step::default()], first)?;
        self.engine.wait(ticket)?;
        Ok(self.engine.read(output)?.real())
    }

    /// Runs a section over all samples of a part, several steps to a
    /// submission, and hands over the metrics of each submission in order.
    /// Returns how many steps there were: fewer when training runs out of time.
    fn pass(&mut self, section: &str, samples: usize, epoch: usize, each: &mut Each) -> Result<usize> {
        let mut steps = samples.div_ceil(self.lowered.step_samples(section));
        let range = self.lowered.program.section(section);
        let mut pace = self.paces.remove(section).unwrap_or_default();
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let mut next = 0;
        let mut outcome = Ok(());
        while next < steps || !flights.is_empty() {
            if section == TRAIN && self.out_of_time() {
                steps = next;
            }
            if next < steps && flights.len() < IN_FLIGHT && outcome.is_ok() {
                let count = pace.steps(self.lowered.slots).min(steps - next);
                let scalars: Vec<Step> =
                    (0..count).map(|slot| self.scalars(section, slot, next + slot, samples, epoch)).collect();
                let ticket = self.engine.submit(range.clone(), &scalars, self.lowered.metrics(count))?;
                flights.push_back(Flight { ticket, first: next, scalars });
                next += count;
                continue;
            }
            let Some(flight) = flights.pop_front() else { break };
            let metrics = self.engine.wait(flight.ticket)?;
            pace.finished(flight.scalars.len());
            let norm = |rows: &[f32]| self.lowered.gradient_norm(rows).filter(|_| section == TRAIN);
            let group: Vec<Rows> = metrics
                .chunks_exact(self.lowered.pitch() * 2)
                .zip(&flight.scalars)
                .map(|(rows, step)| Rows { samples: &rows[..step.samples as usize * 2], norm: norm(rows) })
                .collect();
            // After a failure what is still under way is waited for, and ignored.
            outcome = outcome.and_then(|()| each(flight.first, &group));
        }
        pace.rest();
        self.paces.insert(section.to_owned(), pace);
        outcome.map(|()| steps)
    }

    fn scalars(&self, section: &str, slot: usize, at: usize, samples: usize, epoch: usize) -> Step {
        let optimiser = &self.lowered.training.optimiser;
        let index = self.steps + at;
        let [mean_correction, square_correction] = optimiser.corrections(index + 1);
        let batch = self.lowered.step_samples(section);
        let first = at * batch;
        Step {
            slot: slot as u32,
            first: first as u32,
            samples: batch.min(samples - first) as u32,
            index: index as u32,
            learning_rate: self.learning_rate(index),
            momentum: optimiser.momentum(),
            seed: kernel_seed(self.settings.seed),
            epoch: epoch as u32,
            mean_correction,
            square_correction,
            average: self.lowered.training.average_share(index),
        }
    }
}

/// Takes the first step of a submission and the metrics of each of its steps.
type Each<'a> = dyn FnMut(usize, &[Rows]) -> Result<()> + 'a;

/// What one step measured.
struct Rows<'a> {
    /// Loss and hit of each of its samples.
    samples: &'a [f32],
    /// The norm of its gradients, before they were clipped.
    norm: Option<f32>,
}

/// The larger of two norms; one that is not a number is the largest of all.
fn larger(one: Option<f32>, other: Option<f32>) -> Option<f32> {
    match (one, other) {
        (Some(one), Some(other)) if other > one || other.is_nan() => Some(other),
        (one, other) => one.or(other),
    }
}

/// A submission under way.
struct Flight {
    ticket: Ticket,
    first: usize,
    scalars: Vec<Step>,
}

/// Scale of every channel, then shift of every channel, such that
/// byte · scale + shift = (byte/255 - mean) / std.
pub fn scale_and_shift(normaliser: &Normaliser) -> Vec<f32> {
    let pairs = || normaliser.mean.iter().zip(&normaliser.std);
    let scale = pairs().map(|(_, std)| (1.0 / (255.0 * f64::from(*std))) as f32);
    let shift = pairs().map(|(mean, std)| (-f64::from(*mean) / f64::from(*std)) as f32);
    scale.chain(shift).collect()
}

/// What `gather_batch` makes of one image: C·H·W bytes to as many numbers.
pub fn normalise(image: &[u8], shape: &ImageShape, normaliser: &Normaliser) -> Vec<f32> {
    let constants = scale_and_shift(normaliser);
    let plane = shape.height * shape.width;
    let value = |(at, byte): (usize, &u8)| {
        let channel = at / plane;
        f32::from(*byte) * constants[channel] + constants[shape.channels + channel]
    };
    image.iter().enumerate().map(value).collect()
}

/// Images as the device keeps them: four bytes to a word, the lowest first,
/// each image padded to whole words.
pub fn pack(samples: &Samples) -> Vec<u32> {
    let mut packed = Vec::with_capacity(samples.len() * words(&samples.shape));
    for image in samples.pixels.chunks_exact(samples.shape.values()) {
        for bytes in image.chunks(4) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            packed.push(u32::from_le_bytes(word));
        }
    }
    packed
}
