//! Times of a custom kernel and the built-in one, in interleaved runs.

use wgpu::Adapter;

use super::CustomKernel;
use crate::engine::adapter::Device;
use crate::engine::checks::Checks;
use crate::engine::gpu::GpuEngine;
use crate::engine::stopwatch::{Seconds, each, repeats};
use crate::engine::{Data, Engine};
use crate::error::Result;
use crate::kernel::{Element, Kernel, Step};
use crate::program::{Buf, BufDecl, Dispatch, Program, Role, View};
use crate::verify::cases::{Case, real_on};

/// The number of measurements of each; the median counts.
const ROUNDS: usize = 9;
/// Seconds of one measurement; shorter dispatches are repeated within one submission.
const GOAL: f64 = 10e-3;
const MOST_REPEATS: usize = 256;

/// The times of one dispatch.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The custom kernel.
    pub yours: Seconds,
    /// The built-in kernel.
    pub ours: Seconds,
    pub case: Case,
}

impl Timing {
    /// The time of the custom kernel over that of the built-in one.
    pub fn ratio(&self) -> f64 {
        self.yours.median / self.ours.median
    }
}

/// Times both in interleaved runs on a case of real size, with bounds checks.
///
/// # Errors
/// When the engine fails.
pub fn time(custom: &CustomKernel, adapter: &Adapter) -> Result<Timing> {
    let case = real_on(custom.ours, &Device::Gpu(adapter.clone()));
    let mut runners = [
        RepeatedDispatch::new(custom.kernel, &case, adapter)?,
        RepeatedDispatch::new(custom.ours, &case, adapter)?,
    ];
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (runner, samples) in runners.iter_mut().zip(&mut samples) {
            samples.push(runner.run(runner.repeats)?);
        }
    }
    let [yours, ours] = samples.map(Seconds::of);
    Ok(Timing { yours, ours, case })
}

struct RepeatedDispatch {
    engine: GpuEngine,
    step: Step,
    repeats: usize,
}

impl RepeatedDispatch {
    /// A dispatch that is ready to run, warm, and repeated often enough.
    fn new(kernel: &'static Kernel, case: &Case, adapter: &Adapter) -> Result<RepeatedDispatch> {
        let program = program(kernel, case);
        let mut engine = GpuEngine::new(adapter, program.clone(), Checks::On)?;
        for (view, bind) in program.steps[0].args.iter().zip(kernel.binds) {
            engine.write(*view, content(bind.element, view.len).as_slice())?;
        }
        let mut runner = RepeatedDispatch { engine, step: case.step, repeats: 1 };
        // Drivers compile when a pipeline is first used.
        runner.run(1)?;
        (runner.repeats, _) = repeats((GOAL, MOST_REPEATS), |times| runner.run(times))?;
        Ok(runner)
    }

    /// Seconds of one of `times` dispatches.
    fn run(&mut self, times: usize) -> Result<f64> {
        each(&mut self.engine, 0..1, View { buf: Buf(0), start: 0, len: 1 }, &|_| self.step, times)
    }
}

/// Small numbers that no repeat makes large.
///
/// Integers are 0, which is always a valid index.
fn content(element: Element, len: usize) -> Data {
    match element {
        Element::Real => Data::Real((0..len).map(|at| (at % 17) as f32 / 16.0 - 0.5).collect()),
        Element::Uint => Data::zeros(Element::Uint, len),
    }
}

fn program(kernel: &'static Kernel, case: &Case) -> Program {
    let mut program = Program::default();
    let lens = (kernel.lens)(&case.consts);
    let args = lens.iter().zip(kernel.binds).enumerate().map(|(at, (len, bind))| {
        program.bufs.push(BufDecl::new(bind.name, bind.element, *len, Role::Data));
        View { buf: Buf(at), start: 0, len: *len }
    });
    let args = args.collect();
    program.steps.push(Dispatch::new(kernel, case.consts.clone(), args, "timed"));
    program
}
