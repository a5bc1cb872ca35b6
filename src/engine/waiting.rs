//! Waiting for a submission, and fetching its result or the error of the device.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollError, PollType, SubmissionIndex};

use super::device::{lost, quietly};
use super::gpu::GpuEngine;
use crate::error::{DeviceFault, Error, Result};

/// Decides in a long wait whether the device is given up.
///
/// It gets how long this wait has lasted and how long the longest one before it took.
pub type Patience = Arc<dyn Fn(Duration, Duration) -> bool + Send + Sync>;

/// The time between two questions in a wait.
const TICK: Duration = Duration::from_millis(250);

/// Whether a device of this process was given up.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// Whether a device of this process was given up while it worked.
///
/// Its driver may wait for the work in whatever runs when a process exits, so such a process must skip that.
pub fn has_given_up() -> bool {
    GIVEN_UP.load(Ordering::SeqCst)
}

/// The waits of an engine that may give its device up.
#[derive(Default)]
pub(super) struct Waits {
    pub patience: Option<Patience>,
    /// The longest wait so far.
    longest: Cell<Duration>,
}

impl GpuEngine {
    /// Fails with the first error that wgpu has reported since the last call.
    pub(super) fn check(&self) -> Result<()> {
        match self.trouble.lock().expect("callbacks do not panic").take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Maps a staging buffer after a submission and copies its first words out.
    pub(super) fn fetch(&self, staging: &Buffer, words: usize, index: SubmissionIndex) -> Result<Vec<u8>> {
        let range = ..words as u64 * 4;
        let mapped = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&mapped);
        staging.map_async(MapMode::Read, range, move |result| {
            *answer.lock().expect("this closure is the only other user") = Some(result);
        });
        self.poll(index)?;
        match mapped.lock().expect("the closure does not panic").take() {
            Some(Ok(())) => {}
            other => return Err(lost(&format!("mapping a result gave {other:?}"))),
        }
        let view = staging.get_mapped_range(range).map_err(|error| lost(&error.to_string()))?;
        let bytes = view.to_vec();
        drop(view);
        staging.unmap();
        Ok(bytes)
    }

    /// Waits until a submission is done.
    pub(super) fn poll(&self, index: SubmissionIndex) -> Result<()> {
        // wgpu 30 panics here when the device is lost, instead of returning that as an error.
        let wait = |timeout| {
            let submission_index = Some(index.clone());
            quietly(|| self.device.poll(PollType::Wait { submission_index, timeout }))
        };
        let polled = match &self.waits.patience {
            None => wait(None),
            Some(patience) => {
                let (since, longest) = (Instant::now(), self.waits.longest.get());
                let polled = loop {
                    match wait(Some(TICK)) {
                        Some(Err(PollError::Timeout)) if patience(since.elapsed(), longest) => {
                            return Err(Self::give_up(since.elapsed()));
                        }
                        Some(Err(PollError::Timeout)) => {}
                        polled => break polled,
                    }
                };
                self.waits.longest.set(longest.max(since.elapsed()));
                polled
            }
        };
        // The callbacks know more of the cause.
        self.check()?;
        match polled {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(lost(&error.to_string())),
            None => Err(lost("wgpu gave up")),
        }
    }

    /// The error of a device that is given up after a wait.
    fn give_up(waited: Duration) -> Error {
        GIVEN_UP.store(true, Ordering::SeqCst);
        Error::Device(DeviceFault::GivenUp, format!("the device has not answered for {} s", waited.as_secs()))
    }
}
