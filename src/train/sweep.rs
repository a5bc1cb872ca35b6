//! Steps at growing learning rates, to see which of them learn.

use super::Trainer;
use super::measure::Sum;
use crate::error::Result;
use crate::kernel::{Slice, Step};
use crate::lower::TRAIN;
use crate::rng::shuffled;

/// The loss of a batch, measured before a step at this learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    pub rate: f32,
    pub loss: f64,
}

impl Trainer {
    /// Takes one step at each of these learning rates, and stops early when `go_on` says so.
    ///
    /// # Errors
    /// When the engine fails; a loss that is not finite is a result.
    pub fn sweep(&mut self, rates: &[f32], go_on: &mut dyn FnMut(Tried) -> bool) -> Result<()> {
        let part = self.views(TRAIN)?.clone();
        let section = self.lowered.program.section(TRAIN);
        let steps = self.steps_per_epoch();
        for (at, rate) in rates.iter().enumerate() {
            if at % steps == 0 {
                let order = shuffled(part.samples, self.settings.seed, (1 + at / steps) as u64);
                self.engine.write(part.order, Slice::Uint(&order))?;
            }
            let scalars = self.scalars(TRAIN, 0, at % steps, part.samples, 1 + at / steps);
            // There steps are counted from the start of the epoch; here every one is noted at once.
            let index = self.steps as u32;
            let [mean_correction, square_correction] =
                self.lowered.training.optimiser.corrections(self.steps + 1);
            let scalars = Step { learning_rate: *rate, index, mean_correction, square_correction, ..scalars };
            let ticket = self.engine.submit(section.clone(), &[scalars], self.lowered.metrics(1))?;
            let metrics = self.engine.wait(ticket)?;
            let rows = &metrics[..scalars.samples as usize * 2];
            self.steps += 1;
            if !go_on(Tried { rate: *rate, loss: Sum::of(rows).mean().loss }) {
                break;
            }
        }
        Ok(())
    }
}
