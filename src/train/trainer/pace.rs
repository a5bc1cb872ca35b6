//! The number of steps in a submission.

use std::time::{Duration, Instant};

/// Keeps submissions near [`Pace::GOAL`]. That is long enough that the host's work does not count, short enough that
/// no watchdog or desktop notices. Results do not depend on it.
#[derive(Default)]
pub(super) struct Pace {
    steps: usize,
    last: Option<Instant>,
}

impl Pace {
    const GOAL: Duration = Duration::from_millis(50);

    /// Steps of the next submission. The first has one.
    pub fn steps(&self, most: usize) -> usize {
        self.steps.clamp(1, most)
    }

    /// Notes that a submission of `steps` steps is done.
    ///
    /// The time since the one before is the device's, as another submission was waiting.
    pub fn finished(&mut self, steps: usize) {
        let now = Instant::now();
        if let Some(last) = self.last {
            let ratio = Self::GOAL.as_secs_f64() / (now - last).as_secs_f64().max(1e-6);
            // At most fourfold, so that one lucky measurement can't make a submission of seconds.
            self.steps = ((steps as f64 * ratio.min(4.0)) as usize).clamp(1, steps.max(1) * 4);
        }
        self.last = Some(now);
    }

    /// Forgets the last time, as the device idles from here on.
    pub fn rest(&mut self) {
        self.last = None;
    }
}
