//! The learning rate of every step.

use super::Trainer;
use crate::train::schedule::Length;

impl Trainer {
    /// The length of the run, to which schedules are fitted.
    pub fn length(&self) -> Length {
        let per_epoch = self.steps_per_epoch();
        Length { steps: self.settings.epochs * per_epoch, per_epoch }
    }

    /// The learning rate of a step, counted from the run's first, 0.
    pub fn learning_rate(&self, step: usize) -> f32 {
        let factor = self.settings.schedule.factor(step, self.length()) * self.position.plateau.factor;
        (f64::from(self.settings.learning_rate) * factor) as f32 * self.position.factor
    }

    /// Passes the loss of an epoch to the schedule.
    pub fn observe_loss(&mut self, loss: f64) {
        self.position.plateau.observe(&self.settings.schedule, loss);
    }
}
