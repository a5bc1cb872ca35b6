//! The GPU engine: runs a Program through wgpu.
//!
//! Buffers, pipelines and bind groups are made once. A submission is one command buffer with one compute pass that
//! repeats a section for many steps; the scalars of each step are read from a slot of the step buffer.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use wgpu::{
    Adapter, BindGroup, Buffer, BufferUsages, CommandEncoder, CommandEncoderDescriptor, ComputePass,
    ComputePassDescriptor, ErrorFilter, Features, SubmissionIndex,
};

use super::checks::Checks;
use super::cooperative;
use super::device::{Trouble, make_buffer, make_buffers, open, too_small};
use super::patience::{Patience, Waits};
use super::pipelines::{Layouts, Stage, Stages};
use super::profiling::{DeviceClock, Profiled, Profiling};
use super::timing::Timestamps;
use super::{Data, Engine, IN_FLIGHT, Ticket};
use crate::engine::profile::Profiler;
use crate::error::Result;
use crate::kernel::{Element, Slice, Step};
use crate::program::{MAX_RESULT, MAX_STEPS, Program, View, mebibytes};
use crate::text::{joined, shorten};

/// Bytes between two slots of the step buffer: the alignment of dynamic offsets.
const SLOT: u64 = 256;

/// A submission under way, and the staging buffer that its result is copied to.
struct Submission {
    ticket: u64,
    index: SubmissionIndex,
    staging: usize,
    words: usize,
    profiled: Profiled,
}

/// Runs a Program on an adapter.
pub struct GpuEngine {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) trouble: Trouble,
    program: Program,
    pub(super) bufs: Vec<Buffer>,
    stages: Vec<Stage>,
    slots: Buffer,
    slots_group: BindGroup,
    staging: Vec<Buffer>,
    /// The staging buffer of the last [`Engine::read`].
    pub(super) reading: Option<Buffer>,
    submissions: VecDeque<Submission>,
    tickets: u64,
    timing: Option<Timestamps>,
    pub(super) profiling: Option<Profiling>,
    /// For an engine that may give its device up.
    pub(super) waits: Option<Waits>,
}

/// The part of a run that is timed.
#[derive(Clone, Copy)]
enum Timed<'a> {
    Nothing,
    Submissions,
    /// Each dispatch of the steps that a profile wants.
    Dispatches(&'a Profiler),
}

impl GpuEngine {
    /// Opens the adapter and makes everything that the Program needs.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the adapter can't be opened or has too little memory.
    pub fn new(adapter: &Adapter, program: Program, checks: Checks) -> Result<GpuEngine> {
        GpuEngine::make(adapter, program, checks, Timed::Nothing)
    }

    /// An engine that also counts [`GpuEngine::device_seconds`], where the adapter has a clock.
    ///
    /// # Errors
    /// As [`GpuEngine::new`].
    pub fn with_timing(adapter: &Adapter, program: Program, checks: Checks) -> Result<GpuEngine> {
        GpuEngine::make(adapter, program, checks, Timed::Submissions)
    }

    /// An engine that also times each dispatch of the steps that a profile wants.
    ///
    /// Times come from the device's clock where it has one, else from submitting each dispatch alone.
    ///
    /// # Errors
    /// As [`GpuEngine::new`].
    pub fn with_profiler(
        adapter: &Adapter,
        program: Program,
        checks: Checks,
        profiler: &Profiler,
    ) -> Result<GpuEngine> {
        GpuEngine::make(adapter, program, checks, Timed::Dispatches(profiler))
    }

    /// Seconds in the compute passes of all submissions waited for so far.
    ///
    /// They count kernels and the barriers between them. None without a clock.
    pub fn device_seconds(&self) -> Option<f64> {
        self.timing.as_ref().map(Timestamps::seconds)
    }

    fn make(adapter: &Adapter, program: Program, checks: Checks, timed: Timed) -> Result<GpuEngine> {
        program.validate()?;
        let clock = match timed {
            Timed::Nothing => Features::empty(),
            Timed::Dispatches(profiler) if profiler.by_submission => Features::empty(),
            Timed::Submissions | Timed::Dispatches(_) => adapter.features() & Timestamps::FEATURE,
        };
        let (needed, experimental) = cooperative::needs(&program);
        let (device, queue, trouble) = open(adapter, (clock | needed, experimental))?;
        let has_clock = !clock.is_empty();
        let timing =
            (has_clock && matches!(timed, Timed::Submissions)).then(|| Timestamps::new(&device, &queue));
        let profiling = match timed {
            Timed::Dispatches(profiler) => {
                Some(Profiling::new(profiler, has_clock.then(|| DeviceClock::new(&device, &queue))))
            }
            Timed::Nothing | Timed::Submissions => None,
        };
        let out_of_memory = device.push_error_scope(ErrorFilter::OutOfMemory);
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let bufs = make_buffers(&device, &program, storage);
        let slots = make_buffer(
            &device,
            "step slots",
            SLOT * MAX_STEPS as u64,
            BufferUsages::UNIFORM | BufferUsages::COPY_DST,
        );
        let staging = (0..=IN_FLIGHT)
            .map(|_| {
                make_buffer(
                    &device,
                    "staging",
                    (MAX_RESULT + Timestamps::WORDS) as u64 * 4,
                    BufferUsages::MAP_READ | BufferUsages::COPY_DST,
                )
            })
            .collect();
        if let Some(error) = pollster::block_on(out_of_memory.pop()) {
            let (name, needed) = (shorten(&adapter.get_info().name), mebibytes(program.total_bytes()));
            return Err(too_small(&format!(
                "{name} has no memory for the run's {needed} ({})",
                joined(error)
            )));
        }
        let layouts = Layouts::new(&device);
        let slots_group = layouts.bind_slots(&device, &slots);
        let stages = Stages { device: &device, layouts, checks, made: HashMap::new(), bufs: &bufs }
            .make_all(&program)?;
        let mut engine = GpuEngine {
            device,
            queue,
            trouble,
            program,
            bufs,
            stages,
            slots,
            slots_group,
            staging,
            reading: None,
            submissions: VecDeque::new(),
            tickets: 0,
            timing,
            profiling,
            waits: None,
        };
        if let Some(gates) = engine.program.gates {
            let open = engine.program.open_gates();
            engine.write(gates, Slice::Uint(&open))?;
        }
        Ok(engine)
    }

    pub(super) fn encoder(&self, label: &str) -> CommandEncoder {
        self.device.create_command_encoder(&CommandEncoderDescriptor { label: Some(label) })
    }

    /// One dispatch with the scalars of a slot.
    pub(super) fn dispatch(&self, pass: &mut ComputePass, at: usize, slot: usize) {
        let Stage { pipeline, group, groups: [x, y, z] } = &self.stages[at];
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.set_bind_group(1, &self.slots_group, &[(slot as u64 * SLOT) as u32]);
        match (self.program.steps[at].gate, self.program.gates) {
            (Some(gate), Some(gates)) => {
                let start = (gates.start + 3 * gate) as u64 * 4;
                pass.dispatch_workgroups_indirect(&self.bufs[gates.buf.0], start);
            }
            _ => pass.dispatch_workgroups(*x, *y, *z),
        }
    }
}

impl Engine for GpuEngine {
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()> {
        let bytes: &[u8] = match data {
            Slice::Real(values) => bytemuck::cast_slice(values),
            Slice::Uint(values) => bytemuck::cast_slice(values),
        };
        assert_eq!(bytes.len(), to.len * 4, "data as long as the view");
        self.upload(&self.bufs[to.buf.0], to.start as u64 * 4, bytes)
    }

    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket> {
        assert!(!scalars.is_empty() && scalars.len() <= MAX_STEPS && result.len <= MAX_RESULT);
        assert!(self.submissions.len() < IN_FLIGHT, "wait for the oldest submission first");
        let mut slots = vec![0u8; SLOT as usize * scalars.len()];
        for (slot, step) in slots.chunks_exact_mut(SLOT as usize).zip(scalars) {
            slot[..size_of::<Step>()].copy_from_slice(bytemuck::bytes_of(step));
        }
        self.queue.write_buffer(&self.slots, 0, &slots);
        self.tickets += 1;
        let staging = self.tickets as usize % self.staging.len();
        let mut encoder = self.encoder("steps");
        let profiled = self.encode_profiled(&mut encoder, &steps, scalars, staging)?;
        {
            let timestamp_writes = self.timing.as_ref().map(|timing| timing.writes(staging));
            let mut pass =
                encoder.begin_compute_pass(&ComputePassDescriptor { label: Some("steps"), timestamp_writes });
            for slot in profiled.steps.len()..scalars.len() {
                steps.clone().for_each(|at| self.dispatch(&mut pass, at, slot));
            }
        }
        let bytes = result.len as u64 * 4;
        encoder.copy_buffer_to_buffer(
            &self.bufs[result.buf.0],
            result.start as u64 * 4,
            &self.staging[staging],
            0,
            bytes,
        );
        if let Some(timing) = &self.timing {
            timing.keep(&mut encoder, staging, &self.staging[staging], bytes);
        }
        let index = self.send(encoder.finish())?;
        self.submissions.push_back(Submission {
            ticket: self.tickets,
            index,
            staging,
            words: result.len,
            profiled,
        });
        self.check()?;
        Ok(Ticket(self.tickets))
    }

    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>> {
        let submission = self.submissions.pop_front().expect("a ticket is waited for once");
        assert_eq!(submission.ticket, ticket.0, "tickets are waited for in order");
        let words = submission.words + self.timing.as_ref().map_or(0, |_| Timestamps::WORDS);
        let staging = &self.staging[submission.staging];
        let mut bytes = self.fetch(staging, words, submission.index.clone(), <[u8]>::to_vec)?;
        if let Some(timing) = &mut self.timing {
            timing.add(&bytes.split_off(submission.words * 4));
        }
        self.collect_profile(submission.staging, &submission.profiled, submission.index)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    fn read(&mut self, from: View) -> Result<Data> {
        Ok(match self.program.bufs[from.buf.0].element {
            Element::Real => Data::Real(self.download(from)?),
            Element::Uint => Data::Uint(self.download(from)?),
        })
    }

    fn set_patience(&mut self, patience: Patience) {
        self.waits = Some(Waits::new(patience, &self.queue));
    }
}
