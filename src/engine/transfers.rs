//! Buffers written and read in pieces, so that a transfer takes little memory besides its two ends.

use bytemuck::Pod;
use wgpu::{Buffer, BufferUsages};

use super::device::{make_buffer, no_memory_for_copy};
use super::footprint::PIECE;
use super::gpu::GpuEngine;
use crate::error::Result;
use crate::program::View;

impl GpuEngine {
    /// Writes bytes to a buffer.
    pub(super) fn upload(&self, to: &Buffer, start: u64, bytes: &[u8]) -> Result<()> {
        let pieces = bytes.chunks(PIECE).enumerate();
        for (at, piece) in pieces {
            self.queue.write_buffer(to, start + (at * PIECE) as u64, piece);
            if bytes.len() > PIECE {
                // wgpu frees its copy once the device has it.
                self.poll(self.queue.submit([]))?;
            }
        }
        self.check()
    }

    /// The words of a view.
    pub(super) fn download<T: Pod>(&mut self, from: View) -> Result<Vec<T>> {
        let most = (from.len as u64 * 4).min(PIECE as u64);
        // Kept for the next read, which is often of the same view.
        let staging = match self.reading.take() {
            Some(buffer) if buffer.size() >= most => buffer,
            _ => make_buffer(&self.device, "read", most, BufferUsages::MAP_READ | BufferUsages::COPY_DST),
        };
        let mut words = Vec::new();
        words.try_reserve_exact(from.len).map_err(|_| no_memory_for_copy(from.len))?;
        while words.len() < from.len {
            let piece = (from.len - words.len()).min(PIECE / 4);
            let mut encoder = self.encoder("read");
            let start = (from.start + words.len()) as u64 * 4;
            encoder.copy_buffer_to_buffer(&self.bufs[from.buf.0], start, &staging, 0, piece as u64 * 4);
            let index = self.send(encoder.finish())?;
            self.fetch(&staging, piece, index, |bytes| words.extend_from_slice(bytemuck::cast_slice(bytes)))?;
        }
        self.reading = Some(staging);
        Ok(words)
    }
}
