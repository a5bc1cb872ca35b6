//! Time, measured several times, and how often it is worth measuring.

use std::ops::Range;
use std::time::Instant;

use serde::Serialize;

use super::WorkKind;
use super::work::Needs;
use crate::engine::profile::Profile;
use crate::engine::{Engine, MAX_STEPS};
use crate::error::Result;
use crate::kernel::Step;
use crate::program::View;

/// Seconds, measured several times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Seconds {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    pub measurements: usize,
}

impl Seconds {
    /// Of at least one measurement.
    pub fn of(mut values: Vec<f64>) -> Seconds {
        values.sort_by(f64::total_cmp);
        Seconds {
            median: values[values.len() / 2],
            least: values[0],
            most: values[values.len() - 1],
            measurements: values.len(),
        }
    }

    /// Half of what lies between the shortest and the longest time, as a share of the median.
    pub fn spread(&self) -> f64 {
        (self.most - self.least) / 2.0 / self.median
    }

    /// Whether one's median is a time that the other took as well, so that they can't be told apart.
    pub fn overlaps(&self, other: &Seconds) -> bool {
        let holds = |one: &Seconds, time: f64| (one.least..=one.most).contains(&time);
        holds(self, other.median) || holds(other, self.median)
    }
}

/// How much time goes into a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seconds that one measurement should take; what is shorter is repeated.
    pub goal: f64,
    /// Measurements of each contender at the most.
    pub rounds: usize,
    /// Seconds that all measurements of one contender should take.
    pub total: f64,
    /// What takes longer than this many seconds in one go is left out.
    pub longest: f64,
}

impl Effort {
    /// For one kind of work.
    pub(super) fn of(kind: WorkKind, quick: bool) -> Effort {
        match (kind, quick) {
            (WorkKind::Training, false) => Effort { goal: 0.15, rounds: 5, total: 1.2, longest: 2.5 },
            (WorkKind::Training, true) => Effort { goal: 0.05, rounds: 3, total: 0.3, longest: 0.8 },
            (_, false) => Effort { goal: 0.05, rounds: 5, total: 0.6, longest: 0.4 },
            (_, true) => Effort { goal: 0.02, rounds: 3, total: 0.2, longest: 0.2 },
        }
    }
}

/// Something that can be run again and again.
pub(super) trait Repeatable {
    /// Runs it so many times in a row, and says how many seconds one took.
    fn run(&mut self, times: usize) -> Result<f64>;

    /// Where the time goes in some steps more, if that can be said.
    fn profile(&mut self, steps: usize) -> Result<Option<Profile>>;

    /// What each dispatch of one run needs.
    fn needs(&self) -> &[Needs];
}

/// A contender that is ready for its measurements.
pub(super) struct Turn {
    pub runner: Box<dyn Repeatable>,
    times: usize,
    rounds: usize,
    measured: Vec<f64>,
}

impl Turn {
    /// Warms a runner up and finds out how often a measurement repeats it. `compiles` says that what
    /// the first run takes means nothing.
    pub fn new(mut runner: Box<dyn Repeatable>, compiles: bool, effort: &Effort) -> Result<Turn> {
        let first = runner.run(1)?;
        if !compiles && first > effort.total / 2.0 {
            // A second run would cost more than it tells.
            return Ok(Turn { runner, times: 1, rounds: 0, measured: vec![first] });
        }
        let mut one = runner.run(1)?;
        let mut times = 1;
        // Twice, because a single run is mostly the submission.
        for _ in 0..2 {
            if one < effort.goal {
                times = ((effort.goal / one.max(1e-9)) as usize).clamp(1, MOST_TIMES);
                one = runner.run(times)?;
            }
        }
        let rounds = (effort.total / (one * times as f64)) as usize;
        Ok(Turn { runner, times, rounds: rounds.clamp(1, effort.rounds), measured: Vec::new() })
    }

    /// One measurement, unless there were enough before.
    pub fn take(&mut self, round: usize) -> Result<()> {
        if round < self.rounds {
            self.measured.push(self.runner.run(self.times)?);
        }
        Ok(())
    }

    /// What was measured.
    pub fn seconds(&self) -> Seconds {
        Seconds::of(self.measured.clone())
    }
}

/// Runs of one measurement at the most.
const MOST_TIMES: usize = 100_000;

/// What one run of some dispatches takes when it is repeated `times` times within a submission.
///
/// # Errors
/// When the engine fails.
pub fn each(
    engine: &mut dyn Engine,
    dispatches: Range<usize>,
    result: View,
    step: &dyn Fn(usize) -> Step,
    times: usize,
) -> Result<f64> {
    let steps: Vec<Step> = (0..times).map(step).collect();
    let start = Instant::now();
    let ticket = engine.submit(dispatches, &steps, result)?;
    engine.wait(ticket)?;
    Ok(start.elapsed().as_secs_f64() / times as f64)
}

/// The same, `samples` times over; runs are repeated until one measurement takes `goal` seconds, so that
/// the host's part does not count.
///
/// # Errors
/// When the engine fails.
pub fn time(
    engine: &mut dyn Engine,
    dispatches: Range<usize>,
    result: View,
    step: &dyn Fn(usize) -> Step,
    (goal, samples): (f64, usize),
) -> Result<Seconds> {
    let mut one = |times: usize| each(engine, dispatches.clone(), result, step, times);
    // Some drivers compile when a pipeline is first used.
    one(1)?;
    let mut times = 1;
    // Twice, because a single run is mostly the submission.
    for _ in 0..2 {
        times = ((goal / one(times)?) as usize).clamp(1, MAX_STEPS);
    }
    Ok(Seconds::of((0..samples).map(|_| one(times)).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what it is told to, and counts its runs.
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
    fn a_median_stands_between_the_shortest_and_the_longest_time() {
        let seconds = Seconds::of(vec![3.0, 1.0, 2.0, 10.0, 2.5]);
        assert_eq!((seconds.least, seconds.median, seconds.most), (1.0, 2.5, 10.0));
        assert_eq!((seconds.spread(), seconds.measurements), (1.8, 5));
    }

    #[test]
    fn times_that_overlap_are_not_told_apart() {
        let seconds = |times: [f64; 3]| Seconds::of(times.to_vec());
        assert!(seconds([10.0, 11.0, 12.0]).overlaps(&seconds([9.0, 10.0, 11.0])));
        assert!(seconds([10.0, 10.0, 10.0]).overlaps(&seconds([1.0, 11.0, 12.0])));
        // Outliers overlap, medians do not.
        assert!(!seconds([10.0, 20.0, 30.0]).overlaps(&seconds([7.0, 8.0, 11.0])));
    }

    #[test]
    fn what_is_short_is_repeated_and_what_is_long_is_measured_once() {
        let effort = Effort { goal: 0.05, rounds: 5, total: 0.6, longest: 0.4 };
        let mut turn = Turn::new(Box::new(Fake(Vec::new())), true, &effort).unwrap();
        (0..9).for_each(|round| turn.take(round).unwrap());
        assert_eq!((turn.times, turn.seconds().measurements), (5, 5));
        let long = Effort { total: 0.01, ..effort };
        let mut turn = Turn::new(Box::new(Fake(Vec::new())), false, &long).unwrap();
        (0..9).for_each(|round| turn.take(round).unwrap());
        assert_eq!(turn.seconds().measurements, 1);
        // Where the first run compiles it is no measurement.
        let mut turn = Turn::new(Box::new(Fake(Vec::new())), true, &long).unwrap();
        assert!(turn.measured.is_empty());
        (0..9).for_each(|round| turn.take(round).unwrap());
        assert_eq!(turn.seconds().measurements, 1);
    }
}
