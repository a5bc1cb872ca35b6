//! A reader's kernel against ours, side by side in one run.

use std::time::{Duration, Instant};

use wgpu::Adapter;

use super::CustomKernel;
use crate::engine::adapter::Device;
use crate::engine::gpu::{Checks, GpuEngine};
use crate::engine::{Data, Engine};
use crate::error::Result;
use crate::kernel::{Element, Kernel, Step};
use crate::program::{Buf, BufDecl, Dispatch, Program, Role, View};
use crate::verify::cases::{Case, real_on};

/// How often both are timed; the middle counts.
const ROUNDS: usize = 9;
/// A submission is repeated until it takes this long, so that the host's part does not count.
const ENOUGH: Duration = Duration::from_millis(10);
const MOST_REPEATS: usize = 256;

/// How long one dispatch takes.
#[derive(Clone, Debug)]
pub struct Timing {
    pub yours: Spread,
    pub ours: Spread,
    pub case: Case,
}

/// The times of one dispatch.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: Duration,
    pub least: Duration,
    pub most: Duration,
}

impl Spread {
    /// Of at least one time.
    fn of(mut times: Vec<Duration>) -> Spread {
        times.sort();
        Spread { median: times[times.len() / 2], least: times[0], most: times[times.len() - 1] }
    }

    fn holds(&self, time: Duration) -> bool {
        (self.least..=self.most).contains(&time)
    }
}

impl Timing {
    /// How many times as long as ours the reader's takes.
    pub fn ratio(&self) -> f64 {
        self.yours.median.as_secs_f64() / self.ours.median.as_secs_f64()
    }

    /// Whether one's median is a time that the other took as well, so that they can't be told apart.
    pub fn is_within_spread(&self) -> bool {
        self.yours.holds(self.ours.median) || self.ours.holds(self.yours.median)
    }
}

/// Times both in turns on a case of real size, both with bounds checks.
///
/// # Errors
/// When the engine fails.
pub fn time(own: &CustomKernel, adapter: &Adapter) -> Result<Timing> {
    let case = real_on(own.ours, &Device::Gpu(adapter.clone()));
    let mut runners = [
        RepeatedDispatch::new(own.kernel, &case, adapter)?,
        RepeatedDispatch::new(own.ours, &case, adapter)?,
    ];
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (runner, samples) in runners.iter_mut().zip(&mut samples) {
            samples.push(runner.run()?);
        }
    }
    let [yours, ours] = samples.map(Spread::of);
    Ok(Timing { yours, ours, case })
}

struct RepeatedDispatch {
    engine: GpuEngine,
    step: Step,
    repeats: usize,
}

impl RepeatedDispatch {
    /// Ready to run, warm, and with as many repeats as it takes.
    fn new(kernel: &'static Kernel, case: &Case, adapter: &Adapter) -> Result<RepeatedDispatch> {
        let program = program(kernel, case);
        let mut engine = GpuEngine::new(adapter, program.clone(), Checks::On)?;
        for (view, bind) in program.steps[0].args.iter().zip(kernel.binds) {
            engine.write(*view, content(bind.element, view.len).as_slice())?;
        }
        let mut runner = RepeatedDispatch { engine, step: case.step, repeats: 1 };
        runner.run()?;
        while runner.repeats < MOST_REPEATS && runner.run()? * (runner.repeats as u32) < ENOUGH {
            runner.repeats *= 2;
        }
        Ok(runner)
    }

    /// The time of one dispatch.
    fn run(&mut self) -> Result<Duration> {
        let start = Instant::now();
        let result = View { buf: Buf(0), start: 0, len: 1 };
        let ticket = self.engine.submit(0..1, &vec![self.step; self.repeats], result)?;
        self.engine.wait(ticket)?;
        Ok(start.elapsed() / self.repeats as u32)
    }
}

/// Small numbers that no repeat makes large; as integers, indices that are everywhere valid.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::SGD;
    use crate::verify::cases::real;

    #[test]
    fn times_that_overlap_are_not_told_apart() {
        let spread = |times: [u64; 3]| Spread::of(times.map(Duration::from_millis).to_vec());
        let timing = |yours, ours| Timing { yours: spread(yours), ours: spread(ours), case: real(&SGD) };
        assert_eq!(spread([7, 3, 4]).median, Duration::from_millis(4));
        assert!(timing([10, 11, 12], [9, 10, 11]).is_within_spread());
        assert!(timing([10, 10, 10], [1, 11, 12]).is_within_spread());
        assert!(!timing([10, 11, 12], [7, 8, 9]).is_within_spread());
        // Outliers overlap, medians do not.
        assert!(!timing([10, 20, 30], [7, 8, 11]).is_within_spread());
    }
}
