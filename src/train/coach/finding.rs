//! What an epoch came to, and what can be found in it.

use crate::train::trainer::Measure;

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// From 1.
    pub epoch: usize,
    /// Over the train part.
    pub train: Measure,
    /// Over the validation part, where there is one.
    pub validation: Option<Measure>,
}

/// What can be found in an epoch. Only the first in this order is said after it, besides
/// [`FindingKind::OverFitting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FindingKind {
    /// A step changes weights by a large fraction of their norm.
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
