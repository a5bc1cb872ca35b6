//! The steps that a profile wants: a compute pass and two timestamps for each of their dispatches.

use std::ops::Range;
use std::time::Instant;

use wgpu::{CommandEncoder, ComputePassDescriptor, SubmissionIndex};

use super::gpu::GpuEngine;
use super::profile::{Clock, Span};
use super::profiling::{DeviceClock, Profiled, Profiling};
use crate::error::Result;
use crate::kernel::Step;

impl GpuEngine {
    /// Encodes the steps of a submission that a profile wants, a pass for each dispatch.
    ///
    /// Without a clock it runs them at once.
    pub(super) fn encode_profiled(
        &mut self,
        encoder: &mut CommandEncoder,
        section: &Range<usize>,
        scalars: &[Step],
        staging: usize,
    ) -> Result<Profiled> {
        let Some(profiling) = &self.profiling else { return Ok(Profiled::default()) };
        let room = DeviceClock::MOST / section.len().max(1);
        let clock = profiling.clock.as_ref().filter(|_| room > 0);
        let most = if clock.is_some() { scalars.len().min(room) } else { scalars.len() };
        let claimed = profiling.profiler.claim(section, most);
        let steps: Vec<u32> = scalars[..claimed].iter().map(|step| step.index).collect();
        let profiled = Profiled { steps, first: section.start, dispatches: section.len() };
        let Some(clock) = clock.filter(|_| claimed > 0) else {
            self.run_alone(&profiled)?;
            return Ok(Profiled { dispatches: 0, ..profiled });
        };
        for slot in 0..claimed {
            for (number, at) in section.clone().enumerate() {
                let timestamp_writes = Some(clock.writes(slot * section.len() + number));
                let label = Some("profiled");
                let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor { label, timestamp_writes });
                self.dispatch(&mut pass, at, slot);
            }
        }
        clock.keep(encoder, staging, &profiled);
        Ok(profiled)
    }

    /// Times each dispatch of the profiled steps in a submission of its own, by the host's clock.
    fn run_alone(&self, profiled: &Profiled) -> Result<()> {
        let Some(profiling) = &self.profiling else { return Ok(()) };
        for (slot, step) in profiled.steps.iter().enumerate() {
            for dispatch in profiled.first..profiled.first + profiled.dispatches {
                let begun = Instant::now();
                let mut encoder = self.encoder("profiled");
                self.dispatch(
                    &mut encoder.begin_compute_pass(&ComputePassDescriptor::default()),
                    dispatch,
                    slot,
                );
                self.poll(self.send(encoder.finish())?)?;
                let (start, seconds) = (profiling.since(begun), begun.elapsed().as_secs_f64());
                let span = Span { dispatch, step: *step, start, seconds };
                profiling.profiler.note(Clock::Submission, [span]);
            }
        }
        Ok(())
    }

    /// Adds the timestamps of a finished submission to the profile.
    pub(super) fn collect_profile(
        &mut self,
        staging: usize,
        profiled: &Profiled,
        index: SubmissionIndex,
    ) -> Result<()> {
        let clock = self.profiling.as_ref().and_then(|profiling| profiling.clock.as_ref());
        let Some(clock) = clock.filter(|_| profiled.len() > 0) else { return Ok(()) };
        let bytes = self.fetch(&clock.staging[staging], profiled.len() * 4, index, <[u8]>::to_vec)?;
        if let Some(Profiling { profiler, clock: Some(clock), .. }) = &mut self.profiling {
            profiler.note(Clock::Device, clock.spans(&bytes, profiled));
        }
        Ok(())
    }
}
