//! A lowered network: the Program, and where its data lie.

use super::training::Training;
use super::what::TRAIN;
use crate::network::loss::Metrics;
use crate::network::optimiser::State;
use crate::program::params::Arena;
use crate::program::{Program, View};

/// Where a part of the data lies.
#[derive(Clone, Debug)]
pub struct PartViews {
    pub name: &'static str,
    pub samples: usize,
    /// Packed pixels: a row of [`words`](super::words) words per sample.
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
    pub parameters: View,
    pub gradients: View,
    /// The norm of the last gradients, a single word.
    pub norm: View,
    /// As it was asked for.
    pub training: Training,
    /// What the optimiser keeps from step to step.
    pub states: Vec<State>,
    /// Scale of every channel, then shift of every channel.
    pub normaliser: View,
    /// The input of section [`PREDICT`](super::PREDICT): (batch, values).
    pub input: View,
    /// The output of section [`PREDICT`](super::PREDICT): (batch, outputs).
    pub output: View,
    /// The average of the weights, laid out like them: what is measured and saved, where there is one.
    pub ema: Option<View>,
    /// The weight of each class in the training loss, where they or the labels' smoothing are asked for.
    pub class_weights: Option<View>,
    pub(super) metrics: Metrics,
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

    /// Takes the buffers out that rewrites have left without a use.
    pub(super) fn drop_unused(&mut self) {
        let outside = [self.input, self.output, self.norm].map(|view| view.buf);
        let places = self.program.drop_unused(&outside);
        let moved = |view: &mut View| view.buf = places[view.buf.0].expect("what is looked at is there");
        let parts =
            self.parts.iter_mut().flat_map(|part| [&mut part.images, &mut part.labels, &mut part.order]);
        let states = self.states.iter_mut().map(|state| &mut state.view);
        let single = [
            &mut self.parameters,
            &mut self.gradients,
            &mut self.norm,
            &mut self.normaliser,
            &mut self.input,
            &mut self.output,
            &mut self.metrics.view,
        ];
        let optional = self.ema.iter_mut().chain(&mut self.class_weights);
        parts.chain(states).chain(single).chain(optional).for_each(moved);
    }

    /// The views of a part.
    pub fn part(&self, name: &str) -> Option<&PartViews> {
        self.parts.iter().find(|part| part.name == name)
    }
}
