//! Waiting for a submission, and fetching its result or the error of the device.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollError, PollStatus, PollType, SubmissionIndex};

use super::device::{lost, quietly};
use super::gpu::GpuEngine;
use super::patience::{TICK, note_given_up};
use crate::error::{DeviceFault, Error, Result};

impl GpuEngine {
    /// Fails with the first error that wgpu has reported since the last call.
    pub(super) fn check(&self) -> Result<()> {
        match self.trouble.lock().expect("callbacks do not panic").take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Maps a staging buffer after a submission and hands its first words over.
    pub(super) fn fetch<T>(
        &self,
        staging: &Buffer,
        words: usize,
        index: SubmissionIndex,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
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
        let taken = take(&view);
        drop(view);
        staging.unmap();
        Ok(taken)
    }

    /// Waits until a submission is done.
    pub(super) fn poll(&self, index: SubmissionIndex) -> Result<()> {
        let polled = match &self.waits.patience {
            None => self.wait_for(index, None),
            Some(patience) => {
                let (since, longest) = (Instant::now(), self.waits.longest.get());
                let polled = loop {
                    match self.wait_for(index.clone(), Some(TICK)) {
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

    /// Waits until a submission is done, or for some time.
    ///
    /// wgpu 30 panics when the device is lost, instead of returning that as an error: that is none.
    fn wait_for(
        &self,
        index: SubmissionIndex,
        timeout: Option<Duration>,
    ) -> Option<Result<PollStatus, PollError>> {
        quietly(|| self.device.poll(PollType::Wait { submission_index: Some(index), timeout }))
    }

    /// The error of a device that is given up after a wait.
    fn give_up(waited: Duration) -> Error {
        note_given_up();
        Error::Device(DeviceFault::GivenUp, format!("the device has not answered for {} s", waited.as_secs()))
    }
}
