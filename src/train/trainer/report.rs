//! The device's report of each step.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::kernel::Step;

/// The report of a step.
pub(super) struct StepReport<'a> {
    pub step: Step,
    /// The loss of every sample, and 1 if its class is correct.
    pub rows: &'a [f32],
    /// The norm of the gradients, if the step trains.
    pub norm: f32,
    /// The non-finite count of gradients and losses. Above 0, the step has changed no weight.
    pub non_finite: f32,
}

/// Takes the reports of a submission, and says whether to go on.
pub(super) type Each<'a> = dyn FnMut(&[StepReport]) -> Result<ControlFlow<()>> + 'a;
