//! A small network trained one sample at a time, for lessons of thousands of steps.

use super::machine::Machine;
use crate::data::Samples;
use crate::engine::{Data, Engine};
use crate::error::{Error, Result};
use crate::kernel::{Slice, Step};
use crate::network::Network;
use crate::network::loss::Loss;
use crate::network::lower::{HELD_OUT, Lowered, Lowering, PREDICT, Part, PartViews, TRAIN, lower_unshared};
use crate::program::View;
use crate::program::rewrite::Rewrites;
use crate::program::shape::Shape;
use crate::report::page::Note;
use crate::train::trainer::pack;

/// The network and data of a course.
pub struct Outline<'a> {
    pub network: &'a Network,
    pub loss: Loss,
    /// Rows of bytes; an input is a byte times `scale`.
    pub train: &'a Samples,
    pub held_out: &'a Samples,
    pub scale: f32,
    /// With rewrites it is faster, but fewer activations are in a buffer.
    pub rewrites: Rewrites,
}

/// A network under training.
pub struct Course {
    engine: Box<dyn Engine>,
    note: Note,
    pub lowered: Lowered,
}

/// Loss and accuracy of a part of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PartMeasure {
    pub samples: usize,
    /// Summed over the samples.
    pub loss: f64,
    /// Samples on the right side of one half.
    pub correct: usize,
}

/// An activation that a step left in its buffers.
pub struct StoredActivation {
    pub values: Vec<f32>,
    pub gradient: Vec<f32>,
}

/// Rows of numbers as samples; each number is a whole multiple of `scale`.
pub fn rows(inputs: &[Vec<f32>], labels: &[u32], scale: f32) -> Samples {
    let width = inputs.first().map_or(1, Vec::len);
    Samples {
        shape: Shape::image(1, 1, width),
        pixels: inputs.iter().flatten().map(|value| (value / scale) as u8).collect(),
        labels: labels.to_vec(),
    }
}

impl Course {
    /// Lowers the network and puts its data on the device.
    pub fn new(machine: &Machine, outline: &Outline) -> Result<Course> {
        let parts = [(TRAIN, outline.train), (HELD_OUT, outline.held_out)];
        let lowered = lower_unshared(&Lowering {
            loss: outline.loss,
            parts: parts.map(|(name, samples)| Part { name, samples: samples.len() }).to_vec(),
            rewrites: outline.rewrites,
            ..Lowering::new(outline.network, &outline.train.shape, 2, 1)
        })?;
        let mut engine = machine.open(lowered.program.clone())?;
        engine.write(lowered.normaliser, Slice::Real(&[outline.scale, 0.0]))?;
        for (views, (_, samples)) in lowered.parts.iter().zip(parts) {
            let order: Vec<u32> = (0..samples.len() as u32).collect();
            engine.write(views.images, Slice::Uint(&pack(samples)))?;
            engine.write(views.labels, Slice::Uint(&samples.labels))?;
            engine.write(views.order, Slice::Uint(&order))?;
        }
        let note = machine.note(&lowered.program.steps);
        Ok(Course { engine, note, lowered })
    }

    /// The shaders or twins that it runs.
    pub fn note(&self) -> Note {
        self.note.clone()
    }

    /// Starts again from these parameters, laid out like the arena.
    pub fn begin(&mut self, parameters: &[f32]) -> Result<()> {
        self.engine.write(self.lowered.parameters, Slice::Real(parameters))?;
        self.engine.write(self.gates(), Slice::Uint(&self.lowered.program.open_gates()))
    }

    /// The gates, which close after a non-finite value, so that no update follows.
    fn gates(&self) -> View {
        self.lowered.program.gates.expect("a course is lowered for training")
    }

    /// Takes one step for each of these samples, and returns the sum of their errors before the steps.
    pub fn train(&mut self, samples: &[usize], alpha: f32) -> Result<f64> {
        let mut sum = 0.0;
        for samples in samples.chunks(self.lowered.slots) {
            sum += self.run(TRAIN, samples, alpha)?.loss;
            let closed = matches!(self.engine.read(self.gates())?, Data::Uint(gates) if gates[0] == 0);
            if !sum.is_finite() || closed {
                return Err(Error::Diverged("the error is no longer a number".to_owned()));
            }
        }
        Ok(sum)
    }

    /// Loss and accuracy of a part, without training.
    pub fn measure(&mut self, part: &str) -> Result<PartMeasure> {
        let samples: Vec<usize> = (0..self.part(part).samples).collect();
        let mut total = PartMeasure::default();
        for samples in samples.chunks(self.lowered.slots) {
            let PartMeasure { samples, loss, correct } = self.run(part, samples, 0.0)?;
            total.samples += samples;
            total.loss += loss;
            total.correct += correct;
        }
        Ok(total)
    }

    /// The outputs for rows of inputs.
    pub fn predict(&mut self, inputs: &[Vec<f32>]) -> Result<Vec<f32>> {
        let Lowered { input, output, .. } = self.lowered;
        let mut outputs = Vec::new();
        for row in inputs {
            self.engine.write(input, Slice::Real(row))?;
            let section = self.lowered.program.section(PREDICT);
            let ticket = self.engine.submit(section, &[Step::default()], output)?;
            outputs.extend(self.engine.wait(ticket)?);
        }
        Ok(outputs)
    }

    /// The parameters as they are now, laid out like the arena.
    pub fn parameters(&mut self) -> Result<Vec<f32>> {
        Ok(self.engine.read(self.lowered.parameters)?.real())
    }

    /// An activation of the last step, counted from the network's input.
    ///
    /// # Errors
    /// [`Error::Failure`] where it is in no buffer.
    pub fn activation(&mut self, at: usize) -> Result<StoredActivation> {
        let noted = self.lowered.program.observed.activations.get(at);
        let Some((value, gradient)) = noted.and_then(|noted| noted.value.zip(noted.gradient)) else {
            return Err(Error::Failure(format!(
                "this lesson's network does not keep activation {at}, which is a mistake in the lesson"
            )));
        };
        Ok(StoredActivation {
            values: self.engine.read(value)?.real(),
            gradient: self.engine.read(gradient)?.real(),
        })
    }

    /// The gradients of all parameters that the last step left, laid out like the arena.
    pub fn gradients(&mut self) -> Result<Vec<f32>> {
        Ok(self.engine.read(self.lowered.gradients)?.real())
    }

    fn part(&self, name: &str) -> &PartViews {
        self.lowered.part(name).expect("a course has both parts")
    }

    /// Runs a section once for each of these samples, in one submission.
    fn run(&mut self, part: &str, samples: &[usize], alpha: f32) -> Result<PartMeasure> {
        // The order on the device is that of the samples, so a position in it is a sample.
        let step = |(slot, sample): (usize, &usize)| Step {
            slot: slot as u32,
            first: *sample as u32,
            samples: 1,
            learning_rate: alpha,
            ..Step::default()
        };
        let scalars: Vec<Step> = samples.iter().enumerate().map(step).collect();
        let section = self.lowered.program.section(part);
        let ticket = self.engine.submit(section, &scalars, self.lowered.metrics(scalars.len()))?;
        let rows = self.engine.wait(ticket)?;
        Ok(PartMeasure {
            samples: samples.len(),
            loss: rows.iter().step_by(2).map(|loss| f64::from(*loss)).sum(),
            correct: rows.iter().skip(1).step_by(2).filter(|correct| **correct > 0.5).count(),
        })
    }
}
