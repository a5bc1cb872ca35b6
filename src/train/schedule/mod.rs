//! Schedules of the learning rate.
//!
//! A schedule is a pure function of the step, so a resumed run needs no state. The exception is `plateau`, which follows
//! the loss of epochs; its state is a [`Plateau`].

mod text;

pub use text::NAMES;

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The shape of the learning rate after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// A constant learning rate.
    Constant,
    /// A factor every N epochs; PyTorch's `StepLR`.
    Step {
        /// Epochs from one multiplication to the next, above 0.
        every: f64,
        /// The factor, between 0 and 1.
        factor: f64,
    },
    /// A factor per epoch, applied smoothly; PyTorch's `ExponentialLR`.
    Exponential {
        /// The factor, between 0 and 1.
        factor: f64,
    },
    /// Half a cosine down to a fraction; PyTorch's `CosineAnnealingLR`.
    Cosine {
        /// The fraction, from 0 to below 1.
        floor: f64,
    },
    /// Up to the full rate and down to nearly 0; PyTorch's `OneCycleLR`.
    OneCycle {
        /// The fraction of the run that goes up.
        up: f64,
        /// The largest learning rate divided by that of the start.
        start: f64,
        /// The learning rate of the start divided by that of the end.
        end: f64,
    },
    /// A factor each time the loss stops falling; PyTorch's `ReduceLROnPlateau`.
    Plateau {
        /// The factor, between 0 and 1.
        factor: f64,
        /// The number of epochs without a lower loss that are tolerated.
        patience: usize,
    },
}

/// A shape after a linear warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The shape after the warm-up.
    pub shape: Curve,
    /// Steps of a linear warm-up from nearly 0.
    pub warmup: usize,
    /// Steps of the whole schedule; `None` for those of the run.
    pub over: Option<usize>,
}

/// The length of a run, which shapes are fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Steps of the run.
    pub steps: usize,
    /// Steps of an epoch.
    pub per_epoch: usize,
}

/// The state of the schedule `plateau`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// The lowest loss so far; none before the first epoch.
    pub best: Option<f64>,
    /// Epochs since then.
    pub waited: usize,
    /// The factor of the learning rate.
    pub factor: f64,
}

impl Default for Plateau {
    fn default() -> Plateau {
        Plateau { best: None, waited: 0, factor: 1.0 }
    }
}

impl Plateau {
    /// The fraction by which a lower loss must be lower; PyTorch's `threshold`.
    const THRESHOLD: f64 = 1e-4;

    /// Updates the state by the loss of an epoch. NaN is never lower.
    pub fn observe(&mut self, schedule: &Schedule, loss: f64) {
        let Curve::Plateau { factor, patience } = schedule.shape else { return };
        let lower = self.best.is_none_or(|best| loss < best - Plateau::THRESHOLD * best.abs());
        if lower && !loss.is_nan() {
            (self.best, self.waited) = (Some(loss), 0);
            return;
        }
        self.waited += 1;
        if self.waited > patience {
            (self.waited, self.factor) = (0, self.factor * factor);
        }
    }
}

impl Schedule {
    /// A constant learning rate.
    pub const CONSTANT: Schedule = Schedule { shape: Curve::Constant, warmup: 0, over: None };

    /// The factor of the learning rate at a step, without [`Plateau`]'s. Steps are counted from 0.
    pub fn factor(&self, step: usize, length: Length) -> f64 {
        if step < self.warmup {
            return (step + 1) as f64 / self.warmup as f64;
        }
        // The last step of the schedule is its end.
        let whole = self.over.unwrap_or(length.steps).saturating_sub(self.warmup + 1).max(1) as f64;
        let done = ((step - self.warmup) as f64 / whole).min(1.0);
        let epochs = (step - self.warmup) as f64 / length.per_epoch.max(1) as f64;
        match self.shape {
            Curve::Constant | Curve::Plateau { .. } => 1.0,
            Curve::Step { every, factor } => factor.powf((epochs / every).floor()),
            Curve::Exponential { factor } => factor.powf(epochs),
            Curve::Cosine { floor } => between(1.0, floor, done),
            Curve::OneCycle { up, start, .. } if done < up => between(1.0 / start, 1.0, done / up),
            Curve::OneCycle { up, start, end } => between(1.0, 1.0 / (start * end), (done - up) / (1.0 - up)),
        }
    }

    /// Whether another number of epochs changes the learning rates of all steps.
    pub fn is_fitted_to_the_run(&self) -> bool {
        self.is_spread() && self.over.is_none()
    }

    /// Whether the shape is spread over the run.
    fn is_spread(&self) -> bool {
        matches!(self.shape, Curve::Cosine { .. } | Curve::OneCycle { .. })
    }

    /// Checks that the schedule fits the length of the run.
    ///
    /// # Errors
    /// [`Error::Usage`] for a schedule of another length than the run, a warm-up as long as the run, or a first step down
    /// after its end.
    pub fn fits(&self, length: Length) -> Result<()> {
        let Length { steps, per_epoch } = length;
        let problem = |what: String| Err(Error::Usage(format!("⟨schedule⟩ “{self}”: {what}")));
        match self.over {
            Some(over) if over != steps => {
                let word = if over > steps { "longer" } else { "shorter" };
                return problem(format!(
                    "it is made for {over} steps and {word} than the run, which has {steps}: \
                     leave out “over {over}” to fit it to the run"
                ));
            }
            _ => {}
        }
        if self.warmup >= steps && self.warmup > 0 {
            return problem(format!(
                "the warm-up of {} steps does not fit into the run, which has {steps} ({per_epoch} per epoch): shorten it",
                self.warmup
            ));
        }
        let epochs = steps as f64 / per_epoch.max(1) as f64;
        match self.shape {
            Curve::Step { every, .. } if every >= epochs => problem(format!(
                "its first step down comes after {every} epochs, but the run has {epochs}: \
                 use a smaller “every”, or more epochs"
            )),
            _ => Ok(()),
        }
    }
}

/// Half a cosine from one number to another. `at` goes from 0 to 1.
fn between(from: f64, to: f64, at: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * at).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Length = Length { steps: 21, per_epoch: 7 };

    fn factors(text: &str, steps: &[usize]) -> Vec<f64> {
        let schedule: Schedule = text.parse().unwrap();
        steps.iter().map(|step| schedule.factor(*step, LENGTH)).collect()
    }

    fn assert_close(text: &str, steps: &[usize], expected: &[f64]) {
        for (factor, expected) in factors(text, steps).iter().zip(expected) {
            assert!((factor - expected).abs() < 1e-12, "{text}: {factor} is not {expected}");
        }
    }

    /// The numbers are those of PyTorch 2.15's schedulers of the same names.
    #[test]
    fn shapes_are_those_of_pytorch() {
        assert_close("constant", &[0, 20], &[1.0, 1.0]);
        assert_close("step every 1 factor 0.5", &[0, 6, 7, 14, 20], &[1.0, 1.0, 0.5, 0.25, 0.25]);
        assert_close("exponential factor 0.5", &[0, 7, 14], &[1.0, 0.5, 0.25]);
        // CosineAnnealingLR(T_max=20, eta_min=0.1).
        assert_close("cosine floor 0.1", &[0, 5, 10, 20], &[1.0, 0.868_198_051_533_946_4, 0.55, 0.1]);
        // OneCycleLR(max_lr=1, total_steps=21, pct_start=0.25) goes up over 0.25 · 21 - 1 steps;
        // here it goes up over a quarter of the 20 from the first to the last.
        assert_close("one-cycle up 0.25", &[0, 5, 20], &[0.04, 1.0, 0.04 / 1e4]);
        let half_down = (1.0 + 0.04 / 1e4) / 2.0;
        assert!((factors("one-cycle up 0.5", &[15])[0] - half_down).abs() < 1e-12);
    }

    #[test]
    fn a_warm_up_rises_in_front_of_any_shape() {
        assert_close("constant warmup 4", &[0, 1, 3, 4, 20], &[0.25, 0.5, 1.0, 1.0, 1.0]);
        assert_close("cosine warmup 5", &[4, 5, 20], &[1.0, 1.0, 0.0]);
        assert_close("step every 1 factor 0.5 warmup 3", &[2, 9, 10], &[1.0, 1.0, 0.5]);
    }

    #[test]
    fn plateau_waits_and_then_lowers_the_rate() {
        let schedule: Schedule = "plateau factor 0.5 patience 1".parse().unwrap();
        let mut state = Plateau::default();
        let mut factors = Vec::new();
        for loss in [1.0, 0.9, 0.9, f64::NAN, 0.8, 0.799_99, 0.95] {
            state.observe(&schedule, loss);
            factors.push(state.factor);
        }
        // The fourth epoch is the second in a row that is no lower; 0.79999 is not lower by enough.
        assert_eq!(factors, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Plateau>(&text).unwrap(), state);
    }

    #[test]
    fn a_schedule_of_another_length_than_the_run_is_refused() {
        for (text, part) in [
            ("cosine over 30", "longer than the run, which has 21"),
            ("cosine over 20", "shorter than the run"),
            ("constant warmup 21", "does not fit into the run"),
            ("step every 3", "comes after 3 epochs, but the run has 3"),
        ] {
            let error = text.parse::<Schedule>().unwrap().fits(LENGTH).expect_err(text);
            assert!(error.to_string().contains(part), "“{text}”: {error}");
        }
        for text in ["cosine over 21", "step every 2", "constant", "plateau", "one-cycle warmup 20"] {
            text.parse::<Schedule>().unwrap().fits(LENGTH).unwrap();
        }
    }
}
