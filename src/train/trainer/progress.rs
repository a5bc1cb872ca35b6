//! The report after each submission.

use super::measure::Measure;

/// The progress of an epoch after a submission.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The epoch under way, from 1.
    pub epoch: usize,
    /// Steps taken in this epoch.
    pub step: usize,
    /// Steps of the epoch.
    pub steps: usize,
    /// The measures over this submission.
    pub latest: Measure,
    /// The measures of the epoch, each batch measured before its update.
    pub so_far: Measure,
    /// The mean loss of each step of this submission.
    pub losses: &'a [f64],
    /// The norm of the gradients of each step of this submission.
    pub norms: &'a [f32],
    /// The learning rate of each step of this submission.
    pub rates: &'a [f32],
}
