//! Submitting, waiting for a submission, and fetching its result or the error of the device.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use wgpu::{Buffer, CommandBuffer, MapMode, PollError, PollStatus, PollType, SubmissionIndex};

use super::device::{lost, quietly};
use super::gpu::GpuEngine;
use super::patience::TICK;
use crate::error::Result;

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
        let polled = match &self.waits {
            None => self.wait_for(index, None),
            Some(waits) => waits.until(|| match self.wait_for(index.clone(), Some(TICK)) {
                Some(Err(PollError::Timeout)) => None,
                polled => Some(polled),
            })?,
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

    /// Submits commands.
    pub(super) fn send(&self, commands: CommandBuffer) -> Result<SubmissionIndex> {
        match &self.waits {
            None => Ok(self.queue.submit([commands])),
            Some(waits) => match waits.submit(&self.queue, commands)? {
                Some(index) => Ok(index),
                None => {
                    self.check()?;
                    Err(lost("wgpu gave up"))
                }
            },
        }
    }
}
