//! A count and its time.

use std::time::Duration;

/// A number of steps or samples, and their time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Throughput {
    pub count: usize,
    pub time: Duration,
}

impl Throughput {
    pub fn per_second(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }

    /// The same with more steps or samples.
    pub fn plus(self, count: usize, time: Duration) -> Throughput {
        Throughput { count: self.count + count, time: self.time + time }
    }
}
