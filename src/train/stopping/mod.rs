//! Early stopping: a run ends when a metric no longer improves. The weights of the best epoch are saved.

mod time;

pub use time::TimeLimit;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// A metric to watch. No choice may depend on the held-out part, so its metrics are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `train-loss`
    TrainLoss,
    /// `train-accuracy`
    TrainAccuracy,
    /// `validation-loss`
    ValidationLoss,
    /// `validation-accuracy`
    ValidationAccuracy,
}

/// Names of metrics in the text form.
pub const NAMES: &[&str] = &["train-loss", "train-accuracy", "validation-loss", "validation-accuracy"];

impl Metric {
    const ALL: [Metric; 4] =
        [Metric::TrainLoss, Metric::TrainAccuracy, Metric::ValidationLoss, Metric::ValidationAccuracy];

    /// Whether it is measured on the validation part.
    pub fn needs_validation(self) -> bool {
        matches!(self, Metric::ValidationLoss | Metric::ValidationAccuracy)
    }

    /// Whether it is a loss; else it is an accuracy.
    pub fn is_loss(self) -> bool {
        matches!(self, Metric::TrainLoss | Metric::ValidationLoss)
    }

    /// The improvement of `value` over `best`.
    fn improvement(self, value: f64, best: f64) -> f64 {
        match self {
            Metric::TrainLoss | Metric::ValidationLoss => best - value,
            Metric::TrainAccuracy | Metric::ValidationAccuracy => value - best,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(NAMES[*self as usize])
    }
}

/// The rule of early stopping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stopping {
    /// The metric that must improve.
    pub metric: Metric,
    /// Epochs in a row without improvement after which the run stops.
    pub patience: usize,
    /// The least improvement that counts: more than this.
    pub min_delta: f64,
}

impl Stopping {
    /// The text for a run without early stopping.
    pub const NEVER: &str = "never";
}

/// The state of early stopping: the best epoch so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoppingState {
    /// The metric of the best epoch; none before the first.
    pub best: Option<f64>,
    /// The number of the best epoch, from 1; 0 before the first.
    pub best_epoch: usize,
    /// Epochs since the best one.
    pub waited: usize,
}

/// The verdict on an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochVerdict {
    /// The best so far. Its weights are saved.
    Better,
    /// No better.
    Worse,
    /// No better, and patience has run out.
    Stop,
}

impl StoppingState {
    /// Updates the state by the metric of an epoch. NaN is never better.
    pub fn observe(&mut self, stopping: &Stopping, epoch: usize, value: f64) -> EpochVerdict {
        let better =
            self.best.is_none_or(|best| stopping.metric.improvement(value, best) > stopping.min_delta);
        if better && !value.is_nan() {
            *self = StoppingState { best: Some(value), best_epoch: epoch, waited: 0 };
            return EpochVerdict::Better;
        }
        self.waited += 1;
        if self.waited >= stopping.patience { EpochVerdict::Stop } else { EpochVerdict::Worse }
    }
}

impl FromStr for Stopping {
    type Err = Error;

    /// Reads a metric, then settings, as in `train-loss patience 5 min-delta 0.001`.
    fn from_str(text: &str) -> Result<Stopping> {
        let problem =
            |what: String| Error::Usage(format!("early stopping “{text}”: {what}", text = shorten(text)));
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let at = NAMES.iter().position(|known| *known == name).ok_or_else(|| {
            let near = suggestion(name, NAMES);
            problem(format!(
                "there is no metric “{name}”{near}; there are {}",
                NAMES.join(", "),
                name = shorten(name)
            ))
        })?;
        let mut stopping = Stopping { metric: Metric::ALL[at], patience: 5, min_delta: 0.0 };
        while let Some(word) = words.next() {
            let missing = || problem(format!("{word} is followed by a number"));
            let wrong = |value: &str, takes: &str| {
                problem(format!("{word} is {}, but it takes {takes}", shorten(value)))
            };
            match word {
                "patience" => {
                    let value = words.next().ok_or_else(missing)?;
                    let number = value.parse().ok().filter(|number| *number >= 1);
                    stopping.patience = number.ok_or_else(|| wrong(value, "a whole number from 1"))?;
                }
                // Recipes of earlier versions call it gain.
                "min-delta" | "gain" => {
                    let value = words.next().ok_or_else(missing)?;
                    let number = value.parse().ok().filter(|number| (0.0..f64::INFINITY).contains(number));
                    stopping.min_delta = number.ok_or_else(|| wrong(value, "a number from 0"))?;
                }
                _ => {
                    let near = suggestion(word, &["patience", "min-delta"]);
                    return Err(problem(format!(
                        "it takes no “{word}”{near}, but patience, min-delta",
                        word = shorten(word)
                    )));
                }
            }
        }
        Ok(stopping)
    }
}

impl fmt::Display for Stopping {
    /// The text form that [`Stopping::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} patience {}", self.metric, self.patience)?;
        if self.min_delta == 0.0 { Ok(()) } else { write!(f, " min-delta {}", self.min_delta) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_stops_when_patience_runs_out_and_the_best_epoch_is_known() {
        let stopping: Stopping = "validation-accuracy patience 2 min-delta 0.01".parse().unwrap();
        let mut seen = StoppingState::default();
        let values = [0.5, 0.75, 0.755, f64::NAN];
        let verdicts: Vec<EpochVerdict> =
            values.iter().enumerate().map(|(at, value)| seen.observe(&stopping, at + 1, *value)).collect();
        // 0.755 is better than 0.75, but not by more than 0.01.
        assert_eq!(
            verdicts,
            [EpochVerdict::Better, EpochVerdict::Better, EpochVerdict::Worse, EpochVerdict::Stop]
        );
        assert_eq!((seen.best, seen.best_epoch), (Some(0.75), 2));
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<StoppingState>(&text).unwrap(), seen);
    }

    #[test]
    fn a_loss_is_better_when_it_is_lower() {
        let stopping: Stopping = "train-loss patience 1".parse().unwrap();
        let mut seen = StoppingState::default();
        assert_eq!(seen.observe(&stopping, 1, f64::NAN), EpochVerdict::Stop);
        assert_eq!(seen.observe(&stopping, 2, 1.0), EpochVerdict::Better);
        assert_eq!(seen.observe(&stopping, 3, 0.5), EpochVerdict::Better);
        assert_eq!(seen.observe(&stopping, 4, 0.5), EpochVerdict::Stop);
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for name in NAMES {
            let text = format!("{name} patience 5");
            assert_eq!(name.parse::<Stopping>().unwrap().to_string(), text);
        }
        let text = "train-loss patience 3 min-delta 0.5";
        assert_eq!(text.parse::<Stopping>().unwrap().to_string(), text);
        let former = "train-loss patience 3 gain 0.5";
        assert_eq!(former.parse::<Stopping>().unwrap().to_string(), text);
        for (text, part) in [
            ("held-out-loss", "there is no metric “held-out-loss”"),
            ("train-los", "did you mean “train-loss”?"),
            ("train-loss patience 0", "patience is 0, but it takes a whole number from 1"),
            ("train-loss min-delta -1", "min-delta is -1"),
            ("train-loss min-delta", "min-delta is followed by a number"),
            ("train-loss patient 3", "did you mean “patience”?"),
        ] {
            let error = text.parse::<Stopping>().expect_err(text);
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
