//! What an epoch has come to, and what can be found in it.

use crate::train::trainer::Measure;

/// What an epoch has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// From 1.
    pub epoch: usize,
    pub train: Measure,
    /// Of a run with a validation part.
    pub validation: Option<Measure>,
}

/// What can be found. Of all in front of [`FindingKind::OverFitting`] only one is said after an epoch: the
/// first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FindingKind {
    /// A step changes weights by a good part of what they are.
    Leap,
    DeadUnits,
    Saturation,
    VanishingGradient,
    ExplodingGradient,
    /// Steps are too small to get anywhere.
    Standstill,
    Plateau,
    OverFitting,
}

/// A number that is worth a sentence.
pub(super) struct Finding {
    pub kind: FindingKind,
    /// More is worse.
    pub severity: f64,
    pub sentence: String,
}
