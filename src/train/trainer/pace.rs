//! The number of steps in a submission.

use std::time::{Duration, Instant};

/// Keeps submissions near [`Pace::GOAL`]: long enough that the host's work does
/// not count, short enough that no watchdog or desktop notices. Results do not
/// depend on it.
#[derive(Default)]
pub(super) struct Pace {
    steps: usize,
    last: Option<Instant>,
}

impl Pace {
    const GOAL: Duration = Duration::from_millis(50);

    /// Steps of the next submission; the first ever has one.
    pub fn steps(&self, most: usize) -> usize {
        self.steps.clamp(1, most)
    }

    /// Notes that a submission of `steps` steps is done. The time since the one
    /// before is what the device took, as another was waiting behind it.
    pub fn finished(&mut self, steps: usize) {
        let now = Instant::now();
        if let Some(last) = self.last {
            let ratio = Self::GOAL.as_secs_f64() / (now - last).as_secs_f64().max(1e-6);
            // At most fourfold, lest one lucky measurement make a submission of seconds.
            self.steps = ((steps as f64 * ratio.min(4.0)) as usize).clamp(1, steps.max(1) * 4);
        }
        self.last = Some(now);
    }

    /// The device idles from here on, so the next interval says nothing.
    pub fn rest(&mut self) {
        self.last = None;
    }
}
