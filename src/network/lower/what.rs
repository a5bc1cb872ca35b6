//! What is lowered.

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
    /// How many samples it has.
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

/// What a Program is lowered for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// To train: the section of the part [`TRAIN`] takes a step, and buffers share memory.
    #[default]
    Train,
    /// As [`Mode::Train`], but every buffer has memory of its own: all values of a step can be read after it.
    Inspect,
    /// As [`Mode::Inspect`], for a step with one sample, which has no statistics of a batch: layers behave as in
    /// prediction, so dropout keeps everything and batch normalisation uses its running statistics.
    Explain,
    /// To measure and predict: no part is trained on.
    Infer,
}

impl Mode {
    /// Whether the section of a part takes a training step.
    pub fn trains(self, part: &str) -> bool {
        self != Mode::Infer && part == TRAIN
    }

    /// Whether layers behave as in training while a step is taken.
    pub(super) fn layers_train(self) -> bool {
        matches!(self, Mode::Train | Mode::Inspect)
    }

    /// Whether buffers share memory.
    pub(super) fn shares(self) -> bool {
        matches!(self, Mode::Train | Mode::Infer)
    }
}

/// What is lowered, and for what.
#[derive(Clone, Debug)]
pub struct Lowering<'a> {
    /// The layers.
    pub network: &'a Network,
    /// What stands behind them.
    pub loss: Loss,
    /// The size of a sample.
    pub shape: &'a Shape,
    /// How many classes the labels have.
    pub classes: usize,
    /// Samples that are computed at once.
    pub batch: usize,
    /// The data; each part gets a section of its name.
    pub parts: Vec<Part>,
    /// Which kernels compute.
    pub choice: Choice,
    /// What makes a faster Program of the plain one.
    pub rewrites: Rewrites,
    /// What the Program is for.
    pub mode: Mode,
    /// What it may use on its device.
    pub limits: Limits,
    /// How samples of the train part are augmented before each step; other parts are measured, and stay as they are.
    pub augment: Augmentation,
    /// How the train section goes on from the loss; other sections don't depend on it.
    pub training: Training,
}

impl<'a> Lowering<'a> {
    /// Cross-entropy and plain gradient descent on no data yet, with the plainest kernels and all rewrites, within
    /// what WebGPU promises of every device. Change what is to be otherwise: `Lowering { parts, ..Lowering::new(…) }`.
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
