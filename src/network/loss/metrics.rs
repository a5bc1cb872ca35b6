//! The metrics buffer, which losses write to.

use crate::program::View;

/// The metrics of the steps of a submission, one slot per step.
///
/// The rows are (slots, pitch, 2): loss and correct (1 or 0) of every sample of a step. In front of them the buffer has
/// the history, (slots, 2): the gradient norm and the non-finite count of every step.
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    /// The rows.
    pub view: View,
    /// The number of slots.
    pub slots: usize,
    /// The number of rows of a slot.
    pub pitch: usize,
}

impl Metrics {
    /// The history of all slots, and the rows of the first `steps` behind it.
    pub(crate) fn report(&self, steps: usize) -> View {
        View { start: 0, len: self.view.start + steps * self.pitch * 2, ..self.view }
    }
}
