//! Copies from buffer to buffer, which measure the bandwidth of an adapter's memory.

use std::time::Instant;

use wgpu::{Adapter, Buffer, BufferUsages, CommandEncoderDescriptor, PollType};

use super::device::{lost, make_buffer, open};
use crate::error::Result;

/// An adapter with two buffers, one of which is copied to the other.
pub struct Copying {
    device: wgpu::Device,
    queue: wgpu::Queue,
    from: Buffer,
    to: Buffer,
}

impl Copying {
    /// Opens the adapter and makes two buffers of `bytes` bytes each.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the adapter can't be opened.
    pub fn new(adapter: &Adapter, bytes: u64) -> Result<Copying> {
        let (device, queue, _) = open(adapter, Default::default())?;
        let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let [from, to] = ["from", "to"].map(|label| make_buffer(&device, label, bytes, usage));
        Ok(Copying { device, queue, from, to })
    }

    /// Seconds per copy, measured over `times` copies in one submission.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the device is lost.
    pub fn run(&self, times: usize) -> Result<f64> {
        let begun = Instant::now();
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
        for _ in 0..times {
            encoder.copy_buffer_to_buffer(&self.from, 0, &self.to, 0, self.from.size());
        }
        let index = self.queue.submit([encoder.finish()]);
        let waited = self.device.poll(PollType::Wait { submission_index: Some(index), timeout: None });
        waited.map_err(|error| lost(&error.to_string()))?;
        Ok(begun.elapsed().as_secs_f64() / times as f64)
    }
}
