//! The measures of an epoch, and findings about it.

use crate::train::trainer::Measure;

/// The measures of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochMeasures {
    /// The number of the epoch, from 1.
    pub epoch: usize,
    /// The measures over the train part.
    pub train: Measure,
    /// The measures over the validation part, where there is one.
    pub validation: Option<Measure>,
}

/// A kind of finding. Only the first in this order is reported after an epoch, besides
/// one of [`FindingKind::OverFitting`], [`FindingKind::Gap`] and [`FindingKind::NoValidation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FindingKind {
    /// A step changes weights by a large fraction of their norm.
    LargeStep,
    DeadUnits,
    Saturation,
    VanishingGradient,
    ExplodingGradient,
    /// Steps are too small for the loss to fall.
    SmallStep,
    Plateau,
    /// A small set that the run ends without having learned.
    FewSteps,
    OverFitting,
    /// A gap between the parts of a small set.
    Gap,
    /// A small set that is learned, without a validation part.
    NoValidation,
}

/// A finding that is worth a sentence.
pub(super) struct Finding {
    pub kind: FindingKind,
    /// How bad it is; more is worse.
    pub severity: f64,
    pub sentence: String,
}

/// A fraction as a percentage.
pub(super) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}
