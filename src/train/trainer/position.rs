//! The position of a training run.

use serde::{Deserialize, Serialize};

use super::measure::{Measure, Sum};
use crate::train::schedule::Plateau;

/// The position of a run. With the recipe and the buffers it decides everything that follows.
///
/// The order of the samples is a pure function of the seed and the epoch, so the number of the
/// next step takes the place of a generator's state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The epoch under way, from 1.
    pub epoch: usize,
    /// Steps taken in it.
    pub step: usize,
    /// Steps taken since the run began.
    pub steps: usize,
    /// Loss and correct samples so far, each batch measured before its update.
    pub so_far: Sum,
    /// The factor of the learning rate: 1, or less after a rollback.
    /// Earlier versions wrote it as `rate`.
    #[serde(alias = "rate")]
    pub factor: f32,
    /// The state of the schedule `plateau`.
    #[serde(default)]
    pub plateau: Plateau,
}

impl Default for Position {
    fn default() -> Position {
        Position {
            epoch: 1,
            step: 0,
            steps: 0,
            so_far: Sum::default(),
            factor: 1.0,
            plateau: Plateau::default(),
        }
    }
}

impl Position {
    /// Counts a step.
    pub(super) fn take(&mut self, sum: Sum) {
        self.step += 1;
        self.steps += 1;
        self.so_far.add(sum);
    }

    /// Begins the next epoch and returns the means of this one.
    pub(super) fn finish_epoch(&mut self) -> Measure {
        let measure = self.so_far.mean();
        *self = Position { epoch: self.epoch + 1, step: 0, so_far: Sum::default(), ..*self };
        measure
    }
}
