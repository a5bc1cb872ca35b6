//! The input of lowering.

use super::training::Training;
use crate::kernel::Augmentation;
use crate::network::Network;
use crate::network::loss::Loss;
use crate::program::Limits;
use crate::program::rewrite::Rewrites;
use crate::program::shape::Shape;
use crate::table::choice::Choice;

/// A part of the data that a Program reads.
#[derive(Clone, Debug)]
pub struct Part {
    /// `train`, `validation` or `held-out`; the name of its section.
    pub name: &'static str,
    /// The number of samples.
    pub samples: usize,
}

/// The part that the network learns from.
pub const TRAIN: &str = "train";
/// The part for choosing settings.
pub const VALIDATION: &str = "validation";
/// The part on which no choice may depend.
pub const HELD_OUT: &str = "held-out";
/// The section that turns the input buffer into outputs.
pub const PREDICT: &str = "predict";

/// The purpose of a Program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Training: the section of the part [`TRAIN`] takes a step.
    #[default]
    Train,
    /// A training step whose layers behave as in prediction, for one sample.
    ///
    /// Dropout leaves all values, and batch normalisation uses its running statistics, as one sample has none of a
    /// batch. Every buffer has its own memory, so that all values can be read after the step.
    Explain,
    /// Measuring and predicting, without training steps.
    Infer,
}

impl Mode {
    /// Whether the section of a part takes a training step.
    pub fn trains(self, part: &str) -> bool {
        self != Mode::Infer && part == TRAIN
    }

    /// Whether layers behave as in training while a step is taken.
    pub(super) fn layers_train(self) -> bool {
        self == Mode::Train
    }
}

/// The input of lowering: a network, its data and its settings.
#[derive(Clone, Debug)]
pub struct Lowering<'a> {
    /// The layers.
    pub network: &'a Network,
    /// The loss.
    pub loss: Loss,
    /// The shape of a sample.
    pub shape: &'a Shape,
    /// The number of classes.
    pub classes: usize,
    /// Samples that are computed at once.
    pub batch: usize,
    /// The parts of the data. Each gets a section of its name.
    pub parts: Vec<Part>,
    /// The variants of kernels.
    pub choice: Choice,
    /// The rewrites that make the plain Program faster.
    pub rewrites: Rewrites,
    /// The purpose of the Program.
    pub mode: Mode,
    /// The limits of the device.
    pub limits: Limits,
    /// The augmentation of the train part, drawn anew in each step. Other parts are measured without.
    pub augment: Augmentation,
    /// The settings of a training step after the loss. Other sections don't depend on it.
    pub training: Training,
}

impl<'a> Lowering<'a> {
    /// Defaults: cross-entropy and plain gradient descent, without data.
    ///
    /// The kernels are the plainest, with all rewrites, and the limits are those that WebGPU promises of every
    /// device. Change them with `Lowering { parts, ..Lowering::new(…) }`.
    pub fn new(network: &'a Network, shape: &'a Shape, classes: usize, batch: usize) -> Lowering<'a> {
        Lowering {
            network,
            loss: Loss::CrossEntropy,
            shape,
            classes,
            batch,
            parts: Vec::new(),
            choice: Choice::NAIVE,
            rewrites: Rewrites::ALL,
            mode: Mode::default(),
            limits: Limits::WEBGPU,
            augment: Augmentation::default(),
            training: Training::default(),
        }
    }
}
