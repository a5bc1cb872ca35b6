//! Times of dispatches, which are repeated within a submission and measured several times.
//!
//! The repeats keep the host's overhead out of the result.

use std::ops::Range;
use std::time::Instant;

use serde::Serialize;

use super::Engine;
use crate::error::Result;
use crate::kernel::Step;
use crate::program::{MAX_STEPS, View};

/// A time in seconds, measured several times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Seconds {
    /// The median, in seconds.
    ///
    /// With an even number of measurements it is the larger of the middle two.
    pub median: f64,
    /// The shortest measurement, in seconds.
    pub least: f64,
    /// The longest measurement, in seconds.
    pub most: f64,
    /// The number of measurements.
    pub measurements: usize,
}

impl Seconds {
    /// Summarises measurements, in seconds.
    ///
    /// # Panics
    /// Without any.
    pub fn of(mut values: Vec<f64>) -> Seconds {
        values.sort_by(f64::total_cmp);
        Seconds {
            median: values[values.len() / 2],
            least: values[0],
            most: values[values.len() - 1],
            measurements: values.len(),
        }
    }

    /// Half the range of the times, as a fraction of the median.
    pub fn spread(&self) -> f64 {
        (self.most - self.least) / 2.0 / self.median
    }

    /// Whether neither is clearly faster: one median is within the other's range.
    pub fn overlaps(&self, other: &Seconds) -> bool {
        let holds = |one: &Seconds, time: f64| (one.least..=one.most).contains(&time);
        holds(self, other.median) || holds(other, self.median)
    }
}

/// Seconds per run of dispatches that are repeated `times` times within a submission.
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

/// The number of runs for a measurement of `goal` seconds, and seconds per run.
///
/// The number is at most `most`. `run` takes a number of runs in a row, and returns seconds per run.
///
/// # Errors
/// When a run fails.
pub fn repeats(
    (goal, most): (f64, usize),
    mut run: impl FnMut(usize) -> Result<f64>,
) -> Result<(usize, f64)> {
    let (mut times, mut one) = (1, run(1)?);
    // Twice, because the time of a single run is mostly that of its submission.
    for _ in 0..2 {
        if one < goal {
            // No clock is finer than a nanosecond.
            times = ((goal / one.max(1e-9)) as usize).clamp(1, most);
            one = run(times)?;
        }
    }
    Ok((times, one))
}

/// Times dispatches `samples` times, each measurement long enough for `goal` seconds.
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
    let (times, _) = repeats((goal, MAX_STEPS), &mut one)?;
    Ok(Seconds::of((0..samples).map(|_| one(times)).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_stands_between_the_shortest_and_the_longest_time() {
        assert_eq!(Seconds::of(vec![7.0, 3.0, 4.0]).median, 4.0);
        let seconds = Seconds::of(vec![3.0, 1.0, 2.0, 10.0, 2.5]);
        assert_eq!((seconds.least, seconds.median, seconds.most), (1.0, 2.5, 10.0));
        assert_eq!((seconds.spread(), seconds.measurements), (1.8, 5));
    }

    #[test]
    fn times_that_overlap_are_not_told_apart() {
        let seconds = |times: [f64; 3]| Seconds::of(times.to_vec());
        assert!(seconds([10.0, 11.0, 12.0]).overlaps(&seconds([9.0, 10.0, 11.0])));
        assert!(seconds([10.0, 10.0, 10.0]).overlaps(&seconds([1.0, 11.0, 12.0])));
        assert!(!seconds([10.0, 11.0, 12.0]).overlaps(&seconds([7.0, 8.0, 9.0])));
        // Outliers overlap, medians do not.
        assert!(!seconds([10.0, 20.0, 30.0]).overlaps(&seconds([7.0, 8.0, 11.0])));
    }

    #[test]
    fn short_runs_are_repeated_up_to_the_limit() {
        let runs = |one: f64, most: usize| repeats((0.05, most), |_| Ok(one)).unwrap();
        assert_eq!((runs(0.01, 100).0, runs(0.01, 3).0, runs(0.06, 100).0), (5, 3, 1));
        // A clock that shows no time at all.
        assert_eq!(runs(0.0, 100), (100, 0.0));
    }
}
