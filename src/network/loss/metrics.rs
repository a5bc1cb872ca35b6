//! Where losses leave what they measure.

use crate::program::View;

/// Where steps leave what they measure: (slots, pitch, 2), a row of loss and hit for every
/// sample of a step. In their buffer, before them, the history: (slots, 2), the norm of a step's
/// gradients and how many of its numbers were flawed.
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    pub view: View,
    pub slots: usize,
    /// Rows of a step.
    pub pitch: usize,
}

impl Metrics {
    /// The history of all slots, and behind it the rows of the first `steps`.
    pub(crate) fn report(&self, steps: usize) -> View {
        View { start: 0, len: self.view.start + steps * self.pitch * 2, ..self.view }
    }
}
