//! The number of steps in a submission.

use std::time::{Duration, Instant};

/// Keeps submissions near [`Pace::GOAL`]. That is long enough that the host's work does not count, short enough that
/// no watchdog or desktop notices. Results do not depend on it.
#[derive(Default)]
pub(super) struct Pace {
    steps: usize,
    last: Option<Instant>,
    /// What calls that make submissions took since then.
    submitting: Duration,
}

impl Pace {
    const GOAL: Duration = Duration::from_millis(50);

    /// Steps of the next submission. The first has one.
    pub fn steps(&self, most: usize) -> usize {
        self.steps.clamp(1, most)
    }

    /// Notes how long the call took that made a submission.
    pub fn submitted(&mut self, took: Duration) {
        self.submitting += took;
    }

    /// Notes that a submission of `steps` steps is done by `now`. The call that made it took `submitting`.
    ///
    /// The CPU engine computes in that call. Otherwise the time since the submission before is the device's, as another
    /// was waiting.
    pub fn finished(&mut self, steps: usize, submitting: Duration, now: Instant) {
        let others = std::mem::take(&mut self.submitting);
        if let Some(last) = self.last {
            let took = submitting.max((now - last).saturating_sub(others));
            let ratio = Self::GOAL.as_secs_f64() / took.as_secs_f64().max(1e-6);
            // At most fourfold, so that one lucky measurement can't make a submission of seconds.
            self.steps = ((steps as f64 * ratio.min(4.0)) as usize).clamp(1, steps.max(1) * 4);
        }
        self.last = Some(now);
    }

    /// Forgets the last time, as the device idles from here on.
    pub fn rest(&mut self) {
        self.last = None;
        self.submitting = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::engine::IN_FLIGHT;

    const STEP: Duration = Duration::from_millis(2);
    const ENCODING: Duration = Duration::from_micros(100);

    /// The steps of submissions whose steps take [`STEP`] each, within the call or on a device.
    fn submissions(in_the_call: bool) -> Vec<usize> {
        let (mut pace, mut now, mut counts) = (Pace::default(), Instant::now(), Vec::new());
        let mut flights = VecDeque::new();
        let mut idle_from = now;
        while counts.len() < 100 {
            if flights.len() < IN_FLIGHT {
                let steps = pace.steps(10_000);
                let work = STEP * steps as u32;
                let call = if in_the_call { work } else { ENCODING };
                now += call;
                idle_from = if in_the_call { now } else { idle_from.max(now) + work };
                pace.submitted(call);
                flights.push_back((steps, call, idle_from));
                counts.push(steps);
                continue;
            }
            let (steps, call, end) = flights.pop_front().unwrap();
            now = now.max(end);
            pace.finished(steps, call, now);
        }
        counts
    }

    #[test]
    fn submissions_take_about_the_goal_on_the_cpu_and_on_a_device() {
        for in_the_call in [true, false] {
            let counts = submissions(in_the_call);
            // 25 steps are 50 ms.
            assert!(counts[10..].iter().all(|steps| (20..=30).contains(steps)), "{in_the_call}: {counts:?}");
        }
    }
}
