//! What the device reports of each step.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::kernel::Step;

/// What came back from a step.
pub(super) struct StepReport<'a> {
    pub step: Step,
    /// Loss and hit of every sample.
    pub rows: &'a [f32],
    /// The norm of the gradients, of a step that trains.
    pub norm: f32,
    /// How many gradients and losses were flawed; the weights are those from before the step then.
    pub non_finite: f32,
}

/// Takes the reports of a submission; the answer says whether to go on.
pub(super) type Each<'a> = dyn FnMut(&[StepReport]) -> Result<ControlFlow<()>> + 'a;
