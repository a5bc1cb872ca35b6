//! A lowered network: the Program and its views.

use super::training::Training;
use super::what::Mode;
use crate::network::Network;
use crate::network::loss::{Loss, Metrics};
use crate::network::optimiser::State;
use crate::program::params::Arena;
use crate::program::shape::Shape;
use crate::program::{Dispatch, Program, View};

/// The views of a part of the data.
#[derive(Clone, Debug)]
pub struct PartViews {
    /// The name of the part, and of its section.
    pub name: &'static str,
    /// The number of samples.
    pub samples: usize,
    /// Packed pixels: a row of [`words`](super::words) words per sample.
    pub images: View,
    /// The class of each sample.
    pub labels: View,
    /// The order in which samples are visited.
    pub order: View,
}

/// A lowered network: the Program and its views.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The layers.
    pub network: Network,
    /// The loss.
    pub loss: Loss,
    /// The shape of a sample.
    pub shape: Shape,
    /// Its purpose.
    pub mode: Mode,
    /// A section for each part of the data, and [`PREDICT`](super::PREDICT).
    pub program: Program,
    /// The offset of each parameter in [`Lowered::parameters`].
    pub arena: Arena,
    /// Samples that are computed at once.
    pub batch: usize,
    /// The number of classes.
    pub classes: usize,
    /// The most steps of one submission.
    pub slots: usize,
    /// The views of the data.
    pub parts: Vec<PartViews>,
    /// All parameters, laid out as the arena.
    pub parameters: View,
    /// Their gradients, laid out alike.
    pub gradients: View,
    /// The norm of the last gradients, a single word.
    pub norm: View,
    /// The settings of a training step after the loss.
    pub training: Training,
    /// The optimiser's state.
    pub states: Vec<State>,
    /// Scale of every channel, then shift of every channel.
    pub normaliser: View,
    /// The input of section [`PREDICT`](super::PREDICT): (batch, values).
    pub input: View,
    /// The output of section [`PREDICT`](super::PREDICT): (batch, outputs).
    pub output: View,
    /// The EMA of the weights, laid out like them. If there is one, it is measured and saved.
    pub ema: Option<View>,
    /// The weight of each class in the training loss. None when neither class weights nor label smoothing is set.
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

    /// Samples of a step in a section. A training step may take several batches.
    pub fn step_samples(&self, section: &str) -> usize {
        if self.mode.trains(section) { self.batch * self.training.accumulate } else { self.batch }
    }

    /// The history of all slots and the metrics of the first `steps`. The metrics begin at word [`Lowered::rows`].
    pub fn report(&self, steps: usize) -> View {
        self.metrics.report(steps)
    }

    /// Words of a report before its metrics.
    pub fn rows(&self) -> usize {
        self.metrics.view.start
    }

    /// The network's outputs for a batch of a part: (batch, outputs).
    ///
    /// They are valid after the section of the part. The trained part has none, as the backward pass overwrites them.
    pub fn outputs(&self, part: &str) -> Option<View> {
        if self.mode.trains(part) {
            return None;
        }
        let (_, steps) = self.program.sections.iter().find(|(name, _)| name == part)?;
        let bound = |dispatch: &Dispatch, name: &str| {
            dispatch.kernel.binds.iter().position(|bind| bind.name == name).map(|at| dispatch.args[at])
        };
        // Only losses write metrics, and they read the outputs.
        let loss = self.program.steps[steps.clone()].iter().find(|step| bound(step, "metrics").is_some())?;
        bound(loss, "logits").or_else(|| bound(loss, "predictions"))
    }

    /// Removes the buffers that rewrites have left unused.
    pub(super) fn drop_unused(&mut self) {
        let outside = [self.input, self.output, self.norm].map(|view| view.buf);
        let new = self.program.drop_unused(&outside);
        let moved = |view: &mut View| view.buf = new[view.buf.0].expect("a buffer in use is not removed");
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
