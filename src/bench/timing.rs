//! The measurements of a workload, and how many there are.

use super::needs::Needs;
use super::report::WorkKind;
use crate::engine::profile::Profile;
use crate::engine::stopwatch::{Seconds, repeats};
use crate::error::Result;

/// The time to spend on measurements.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seconds of one measurement; a shorter run is repeated within it.
    pub goal: f64,
    /// The most measurements of each contender.
    pub rounds: usize,
    /// Seconds of all measurements of one contender.
    pub total: f64,
    /// A run that takes more seconds than this is left out.
    pub longest: f64,
}

impl Effort {
    /// The effort for one kind of workload.
    pub(super) fn of(kind: WorkKind, quick: bool) -> Effort {
        match (kind, quick) {
            (WorkKind::Training, false) => Effort { goal: 0.15, rounds: 5, total: 1.2, longest: 2.5 },
            (WorkKind::Training, true) => Effort { goal: 0.05, rounds: 3, total: 0.3, longest: 0.8 },
            (_, false) => Effort { goal: 0.05, rounds: 5, total: 0.6, longest: 0.4 },
            (_, true) => Effort { goal: 0.02, rounds: 3, total: 0.2, longest: 0.2 },
        }
    }
}

/// A workload that can be run repeatedly.
pub(super) trait Repeatable {
    /// Runs it `times` times in a row, and returns the seconds of one run.
    fn run(&mut self, times: usize) -> Result<f64>;

    /// A profile of further training steps; none of other workloads.
    fn profile(&mut self, steps: usize) -> Result<Option<Profile>>;

    /// The work of each dispatch of one run.
    fn needs(&self) -> &[Needs];
}

/// The measurements of one contender at one workload.
pub(super) struct Turn {
    pub runner: Box<dyn Repeatable>,
    times: usize,
    rounds: usize,
    measured: Vec<f64>,
}

impl Turn {
    /// Warms a runner up and decides how often a measurement repeats it.
    ///
    /// With `compiles` the time of the first run does not count, as the driver compiles in it.
    pub fn new(mut runner: Box<dyn Repeatable>, compiles: bool, effort: &Effort) -> Result<Turn> {
        let first = runner.run(1)?;
        if !compiles && first > effort.total / 2.0 {
            // One run has to do, as a second would take too long.
            return Ok(Turn { runner, times: 1, rounds: 0, measured: vec![first] });
        }
        let (times, one) = repeats((effort.goal, MOST_TIMES), |times| runner.run(times))?;
        let rounds = (effort.total / (one * times as f64)) as usize;
        Ok(Turn { runner, times, rounds: rounds.clamp(1, effort.rounds), measured: Vec::new() })
    }

    /// Takes one measurement, unless there are enough.
    pub fn take(&mut self, round: usize) -> Result<()> {
        if round < self.rounds {
            self.measured.push(self.runner.run(self.times)?);
        }
        Ok(())
    }

    /// The times measured.
    pub fn seconds(&self) -> Seconds {
        Seconds::of(self.measured.clone())
    }
}

/// The most runs within one measurement.
const MOST_TIMES: usize = 100_000;

/// A time with its unit.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.1} µs", seconds * 1e6),
        ..1.0 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts its runs.
    struct Fake(Vec<f64>);

    impl Repeatable for Fake {
        fn run(&mut self, times: usize) -> Result<f64> {
            self.0.push(times as f64);
            Ok(0.01)
        }
        fn profile(&mut self, _: usize) -> Result<Option<Profile>> {
            Ok(None)
        }
        fn needs(&self) -> &[Needs] {
            &[]
        }
    }

    #[test]
    fn short_runs_are_repeated_and_long_ones_measured_once() {
        let effort = Effort { goal: 0.05, rounds: 5, total: 0.6, longest: 0.4 };
        let mut turn = Turn::new(Box::new(Fake(Vec::new())), true, &effort).unwrap();
        (0..9).for_each(|round| turn.take(round).unwrap());
        assert_eq!((turn.times, turn.seconds().measurements), (5, 5));
        let long = Effort { total: 0.01, ..effort };
        let mut turn = Turn::new(Box::new(Fake(Vec::new())), false, &long).unwrap();
        (0..9).for_each(|round| turn.take(round).unwrap());
        assert_eq!(turn.seconds().measurements, 1);
        // A first run that compiles is no measurement.
        let mut turn = Turn::new(Box::new(Fake(Vec::new())), true, &long).unwrap();
        assert!(turn.measured.is_empty());
        (0..9).for_each(|round| turn.take(round).unwrap());
        assert_eq!(turn.seconds().measurements, 1);
    }
}
