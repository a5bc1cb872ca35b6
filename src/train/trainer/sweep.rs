//! Steps at growing learning rates, for the learning-rate finder.

use super::Trainer;
use super::measure::Sum;
use crate::error::Result;
use crate::kernel::Step;
use crate::network::lower::TRAIN;

/// The loss of a batch, before a step at this learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepPoint {
    /// The learning rate.
    pub rate: f32,
    /// The mean loss of the batch.
    pub loss: f64,
}

impl Trainer {
    /// Takes one step at each learning rate, until `go_on` says no.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the engine fails. A non-finite loss is no error.
    pub fn sweep(&mut self, rates: &[f32], go_on: &mut dyn FnMut(SweepPoint) -> bool) -> Result<()> {
        let samples = self.views(TRAIN)?.samples;
        let section = self.lowered.program.section(TRAIN);
        for rate in rates {
            self.order()?;
            let scalars = self.scalars(TRAIN, 0, self.position.step, samples);
            let scalars = Step { learning_rate: *rate, ..scalars };
            let ticket = self.engine.submit(section.clone(), &[scalars], self.lowered.metrics(1))?;
            let metrics = self.engine.wait(ticket)?;
            let sum = Sum::of(&metrics[..scalars.samples as usize * 2]);
            self.position.take(sum);
            if self.position.step == self.steps_per_epoch() {
                self.position.finish_epoch();
            }
            if !go_on(SweepPoint { rate: *rate, loss: sum.mean().loss }) {
                break;
            }
        }
        Ok(())
    }
}
