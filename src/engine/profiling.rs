//! The clock of a device, and the steps of a submission that it times.

use std::time::Instant;

use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassTimestampWrites, Device, QuerySet,
    QuerySetDescriptor, QueryType, Queue,
};

use super::IN_FLIGHT;
use crate::engine::profile::{Profiler, Span};

/// Takes profiles for a GPU engine.
pub(super) struct Profiling {
    pub profiler: Profiler,
    /// None where the adapter has no clock.
    pub clock: Option<DeviceClock>,
    origin: Instant,
}

/// The part of a submission under way that is timed.
#[derive(Clone, Default)]
pub(super) struct Profiled {
    /// [`Step::index`](crate::kernel::Step::index) of each profiled step; they come first in the submission.
    pub steps: Vec<u32>,
    /// The first dispatch of a step.
    pub first: usize,
    /// Dispatches of each step that have timestamps.
    pub dispatches: usize,
}

impl Profiled {
    /// The number of dispatches that have timestamps.
    pub fn len(&self) -> usize {
        self.steps.len() * self.dispatches
    }
}

/// A query set of timestamps, two for each timed dispatch.
pub(super) struct DeviceClock {
    queries: QuerySet,
    /// The timestamps as numbers.
    numbers: Buffer,
    /// A staging buffer for each submission under way, as with results.
    pub staging: Vec<Buffer>,
    seconds_per_tick: f64,
    /// The first timestamp.
    origin: Option<u64>,
}

impl DeviceClock {
    /// The most dispatches of a submission that can be timed: a query set has up to 4,096 timestamps.
    pub const MOST: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

    pub fn new(device: &Device, queue: &Queue) -> DeviceClock {
        let buffer = |usage| {
            device.create_buffer(&BufferDescriptor {
                label: Some("profile"),
                size: DeviceClock::MOST as u64 * 16,
                usage,
                mapped_at_creation: false,
            })
        };
        DeviceClock {
            queries: device.create_query_set(&QuerySetDescriptor {
                label: Some("profile"),
                ty: QueryType::Timestamp,
                count: wgpu::QUERY_SET_MAX_QUERIES,
            }),
            numbers: buffer(BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC),
            staging: (0..=IN_FLIGHT)
                .map(|_| buffer(BufferUsages::MAP_READ | BufferUsages::COPY_DST))
                .collect(),
            seconds_per_tick: f64::from(queue.get_timestamp_period()) * 1e-9,
            origin: None,
        }
    }

    /// The timestamps for the pass of dispatch `number` of a submission.
    pub fn writes(&self, number: usize) -> ComputePassTimestampWrites<'_> {
        ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * number as u32),
            end_of_pass_write_index: Some(2 * number as u32 + 1),
        }
    }

    /// Copies the timestamps to a staging buffer after their passes.
    pub fn keep(&self, encoder: &mut CommandEncoder, staging: usize, profiled: &Profiled) {
        let queries = 2 * profiled.len() as u32;
        encoder.resolve_query_set(&self.queries, 0..queries, &self.numbers, 0);
        let bytes = u64::from(queries) * 8;
        encoder.copy_buffer_to_buffer(&self.numbers, 0, &self.staging[staging], 0, bytes);
    }

    /// The timestamps that [`DeviceClock::keep`] kept, as spans.
    pub fn spans(&mut self, bytes: &[u8], profiled: &Profiled) -> Vec<Span> {
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(bytes);
        let origin = *self.origin.get_or_insert(ticks[0]);
        let pairs = ticks.chunks_exact(2).enumerate().map(|(at, pair)| Span {
            dispatch: profiled.first + at % profiled.dispatches,
            step: profiled.steps[at / profiled.dispatches],
            start: pair[0].saturating_sub(origin) as f64 * self.seconds_per_tick,
            // The times of a coarse clock may be equal or in the wrong order.
            seconds: pair[1].saturating_sub(pair[0]) as f64 * self.seconds_per_tick,
        });
        pairs.collect()
    }
}

impl Profiling {
    pub fn new(profiler: &Profiler, clock: Option<DeviceClock>) -> Profiling {
        Profiling { profiler: profiler.clone(), clock, origin: Instant::now() }
    }

    /// Seconds from the making of the engine to a moment.
    pub fn since(&self, moment: Instant) -> f64 {
        (moment - self.origin).as_secs_f64()
    }
}
