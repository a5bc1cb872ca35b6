//! A device that works for ever, as with a custom kernel that loops: how it ends the run.
//!
//! A submission can't be stopped. So the run ends as it was at its last checkpoint, and the process has to end too.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::{Run, Stop};
use crate::engine::Patience;
use crate::error::{DeviceFault, Error};
use crate::train::run::Status;

/// How long a submission may go on once the run is to end.
const AFTER_STOP: Duration = Duration::from_secs(3);
/// How long a submission may go on once the time of the run is over, at least.
const AFTER_TIME: Duration = Duration::from_secs(5);
/// And how many times as long as the longest one so far.
const AS_LONG: u32 = 4;

impl Run<'_> {
    /// Lets a run with custom kernels end although its device does not answer, once `stop` says so or its time is over.
    ///
    /// It then ends with [`DeviceFault::GivenUp`], and its record as one that was interrupted or failed. The device is
    /// never closed, so the process should end soon (see [`has_given_up`](crate::engine::has_given_up)).
    #[must_use]
    pub fn giving_up(self, stop: Stop) -> Self {
        Run { stop: Some(stop), ..self }
    }

    /// Has the trainer ask whether to give its device up.
    pub(super) fn bound_waiting(&mut self) {
        if let Some(stop) = self.stop.as_ref().filter(|_| !self.record.kernels.is_empty()) {
            self.trainer.set_patience(patience(Arc::clone(stop), self.deadline));
        }
    }

    /// The error of a run whose device was given up.
    pub(super) fn given_up(&self, problem: &str) -> Error {
        let names: Vec<&str> = self.record.kernels.iter().map(|kernel| kernel.name.as_str()).collect();
        let cause = match names.as_slice() {
            [name] => format!("the custom kernel {name}"),
            names => format!("one of the custom kernels {}", names.join(" and ")),
        };
        let when = if self.is_stopped() {
            self.interruption()
        } else {
            format!("the time of {} is over, and the run is {}", self.recipe.max_time, self.saved_as())
        };
        Error::Device(DeviceFault::GivenUp, format!("{when}; {problem}: most likely {cause} loops for ever"))
    }

    /// The error of a run, which is left. A device that was given up stays open, as closing it waits for its work.
    pub(super) fn leave(self, error: Error, given_up: bool) -> Error {
        if given_up {
            std::mem::forget(self.trainer);
        }
        error
    }

    /// The status of a run that was given up.
    pub(super) fn status_given_up(&self) -> Status {
        if self.is_stopped() { Status::Interrupted } else { Status::Failed }
    }

    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop())
    }

    fn saved_as(&self) -> String {
        let position = self.saved.position;
        format!("saved as it was after step {} of epoch {}", position.step, position.epoch)
    }
}

fn patience(stop: Stop, deadline: Option<Instant>) -> Patience {
    let stopped = OnceLock::new();
    Arc::new(move |waited: Duration, longest: Duration| {
        let now = Instant::now();
        let asked = stop().then(|| *stopped.get_or_init(|| now));
        is_over(now, waited, asked, AFTER_STOP)
            || is_over(now, waited, deadline, AFTER_TIME.max(longest.saturating_mul(AS_LONG)))
    })
}

/// Whether a wait went on for `most` after a moment. One that began later has all of that time too.
fn is_over(now: Instant, waited: Duration, since: Option<Instant>, most: Duration) -> bool {
    since.is_some_and(|since| now.saturating_duration_since(since).min(waited) >= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_over_some_time_after_the_run_is_to_end() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let seconds = Duration::from_secs;
        // Asked for at 10 s, while a wait went on.
        assert!(!is_over(at(12), seconds(12), Some(at(10)), seconds(3)));
        assert!(is_over(at(13), seconds(13), Some(at(10)), seconds(3)));
        // A wait that began afterwards.
        assert!(!is_over(at(20), seconds(2), Some(at(10)), seconds(3)));
        assert!(is_over(at(20), seconds(3), Some(at(10)), seconds(3)));
        // The time is not over yet, or there is no limit.
        assert!(!is_over(at(9), seconds(9), Some(at(10)), seconds(3)));
        assert!(!is_over(at(99), seconds(99), None, seconds(3)));
    }

    #[test]
    fn a_device_that_takes_long_gets_longer_after_the_time_is_over() {
        let past = Instant::now().checked_sub(Duration::from_secs(60));
        let patience = patience(Arc::new(|| false), past);
        let seconds = Duration::from_secs;
        assert!(!patience(seconds(4), Duration::ZERO));
        assert!(patience(seconds(5), Duration::ZERO));
        assert!(!patience(seconds(30), seconds(10)));
        assert!(patience(seconds(40), seconds(10)));
    }
}
