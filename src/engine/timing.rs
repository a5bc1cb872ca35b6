//! Timestamps around the compute pass of every submission, copied back behind its result.

use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassTimestampWrites, Device, Features,
    QUERY_RESOLVE_BUFFER_ALIGNMENT, QuerySet, QuerySetDescriptor, QueryType, Queue,
};

use super::IN_FLIGHT;

/// The timestamps of the submissions under way, and the total of earlier ones.
pub(super) struct Timestamps {
    queries: QuerySet,
    /// The timestamps as numbers, at an aligned offset per staging buffer.
    numbers: Buffer,
    seconds_per_tick: f64,
    seconds: f64,
}

impl Timestamps {
    /// The feature that the adapter must have.
    pub const FEATURE: Features = Features::TIMESTAMP_QUERY;

    /// Words of the two timestamps of a submission.
    pub const WORDS: usize = 4;

    const STRIDE: u64 = QUERY_RESOLVE_BUFFER_ALIGNMENT;

    pub fn new(device: &Device, queue: &Queue) -> Timestamps {
        let submissions = IN_FLIGHT as u64 + 1;
        let queries = device.create_query_set(&QuerySetDescriptor {
            label: Some("timestamps"),
            ty: QueryType::Timestamp,
            count: 2 * submissions as u32,
        });
        let numbers = device.create_buffer(&BufferDescriptor {
            label: Some("timestamps"),
            size: Timestamps::STRIDE * submissions,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let seconds_per_tick = f64::from(queue.get_timestamp_period()) * 1e-9;
        Timestamps { queries, numbers, seconds_per_tick, seconds: 0.0 }
    }

    /// The timestamps for the pass whose result goes to this staging buffer.
    pub fn writes(&self, staging: usize) -> ComputePassTimestampWrites<'_> {
        let first = 2 * staging as u32;
        ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Copies the timestamps of a finished pass to byte `at` of its staging buffer.
    pub fn keep(&self, encoder: &mut CommandEncoder, staging: usize, to: &Buffer, at: u64) {
        let (first, offset) = (2 * staging as u32, Timestamps::STRIDE * staging as u64);
        encoder.resolve_query_set(&self.queries, first..first + 2, &self.numbers, offset);
        encoder.copy_buffer_to_buffer(&self.numbers, offset, to, at, Timestamps::WORDS as u64 * 4);
    }

    /// Adds the time between the timestamps that [`Timestamps::keep`] copied.
    pub fn add(&mut self, bytes: &[u8]) {
        let [begin, end] = [0, 8].map(|at| {
            let bytes = bytes[at..at + 8].try_into().expect("two timestamps of eight bytes");
            u64::from_le_bytes(bytes)
        });
        self.seconds += end.saturating_sub(begin) as f64 * self.seconds_per_tick;
    }

    pub fn seconds(&self) -> f64 {
        self.seconds
    }
}
