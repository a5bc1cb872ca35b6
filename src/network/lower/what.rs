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
    pub shape: &'a Shape,
    pub classes: usize,
    pub batch: usize,
    pub parts: Vec<Part>,
    /// Which kernels compute.
    pub choice: Choice,
    /// What makes of the plain Program a faster one.
    pub rewrites: Rewrites,
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
