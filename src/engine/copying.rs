//! Copies from buffer to buffer: what an adapter's memory is capable of.

use std::time::Instant;

use wgpu::{Adapter, Buffer, BufferUsages, CommandEncoderDescriptor, PollType};

use super::device::{make_buffer, open};
use crate::error::{DeviceFault, Error, Result};

/// Copies one buffer to another on an adapter, again and again.
pub struct Copying {
    device: wgpu::Device,
    queue: wgpu::Queue,
    from: Buffer,
    to: Buffer,
}

impl Copying {
    /// Opens the adapter with two buffers of so many bytes.
    ///
    /// # Errors
    /// [`Error::Device`] when the device can't be had.
    pub fn new(adapter: &Adapter, bytes: u64) -> Result<Copying> {
        let (device, queue, _) = open(adapter, Default::default())?;
        let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let [from, to] = ["from", "to"].map(|label| make_buffer(&device, label, bytes, usage));
        Ok(Copying { device, queue, from, to })
    }

    /// Seconds that one copy takes, of so many in one submission.
    ///
    /// # Errors
    /// [`Error::Device`] when the device is lost.
    pub fn run(&self, times: usize) -> Result<f64> {
        let begun = Instant::now();
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
        for _ in 0..times {
            encoder.copy_buffer_to_buffer(&self.from, 0, &self.to, 0, self.from.size());
        }
        let index = self.queue.submit([encoder.finish()]);
        let waited = self.device.poll(PollType::Wait { submission_index: Some(index), timeout: None });
        waited.map_err(|error| {
            Error::Device(DeviceFault::Lost, format!("the device was lost while it copied: {error}"))
        })?;
        Ok(begun.elapsed().as_secs_f64() / times as f64)
    }
}
