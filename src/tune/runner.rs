//! A candidate on its engine: checked first, then timed.

use super::work::{BATCH, Work, work};
use crate::engine::cpu::CpuEngine;
use crate::engine::stopwatch::each;
use crate::engine::{Data, Engine};
use crate::error::{Error, Result};
use crate::kernel::{Slice, Step};
use crate::program::{MAX_STEPS, Program, View};
use crate::table::choice::{Choice, Class};

/// The relative error allowed for exp and log of whole numbers, enough to tell right from wrong.
///
/// WGSL allows a hundredth of it for numbers up to 500, and the twin's bounds are tighter.
const ROUNDED: f32 = 1e-3;
/// Seconds of one measurement; shorter work is repeated within one submission.
const GOAL: f64 = 5e-3;
/// Seconds of all measurements, once there are two.
const ENOUGH: f64 = 25e-3;

/// The result of a class's work by the CPU engine.
pub(super) fn expected(class: Class) -> Result<Vec<Data>, String> {
    let work = work(class, Choice::NAIVE);
    let compute = || run(&mut CpuEngine::fast(work.program.clone())?, &work);
    compute().map_err(|error| error.to_string())
}

/// Fills the inputs, runs everything once, and reads the outputs.
fn run(engine: &mut dyn Engine, work: &Work) -> Result<Vec<Data>> {
    work.fill(engine)?;
    for view in &work.outputs {
        // An element that isn't written stays NaN.
        engine.write(*view, Slice::Real(&vec![f32::NAN; view.len]))?;
    }
    let ticket = engine.submit(0..work.program.steps.len(), &[step()], first_of(&work.outputs))?;
    engine.wait(ticket)?;
    work.outputs.iter().map(|view| engine.read(*view)).collect()
}

/// A step with a whole batch.
fn step() -> Step {
    Step { samples: BATCH as u32, ..Step::default() }
}

fn first_of(views: &[View]) -> View {
    View { len: 1, ..views[0] }
}

/// A candidate with a right result.
pub(super) struct Runner {
    engine: Box<dyn Engine>,
    dispatches: usize,
    result: View,
    times: usize,
    /// Seconds of the shortest measurement.
    pub least: f64,
    /// Seconds of all measurements.
    spent: f64,
}

impl Runner {
    /// Opens an engine for it, and checks its result.
    pub fn new(
        work: Work,
        wanted: &[Data],
        open: &mut dyn FnMut(Program) -> Result<Box<dyn Engine>>,
    ) -> Result<Runner, String> {
        let mut ready = || {
            let mut engine = open(work.program.clone())?;
            let found = run(engine.as_mut(), &work)?;
            Ok((engine, found))
        };
        let (engine, found) = ready().map_err(|error: Error| error.to_string())?;
        let wrong = |(place, (found, wanted)): (usize, (&Data, &Data))| {
            let name = &work.program.bufs[work.outputs[place].buf.0].name;
            let allowed = if place < work.exact { 0.0 } else { ROUNDED };
            first_difference(found, wanted, allowed).map(|difference| format!("its {name}{difference}"))
        };
        if let Some(wrong) = found.iter().zip(wanted).enumerate().find_map(wrong) {
            return Err(wrong);
        }
        let (dispatches, result) = (work.program.steps.len(), first_of(&work.outputs));
        Ok(Runner { engine, dispatches, result, times: 1, least: f64::INFINITY, spent: 0.0 })
    }

    /// Finds the repetitions of a measurement, unless it takes more than `limit`.
    pub fn warm_up(&mut self, limit: f64) -> Result<(), String> {
        self.once()?;
        // Twice, because a single run is mostly the submission.
        for _ in 0..2 {
            let times = ((GOAL / self.least) as usize).clamp(1, MAX_STEPS);
            // With few repetitions the submission is too large a part of the time.
            if times == self.times || (self.times * 8 > times && self.least > limit) {
                break;
            }
            self.times = times;
            self.once()?;
        }
        self.spent = 0.0;
        Ok(())
    }

    /// Measures it once more, unless its best time is above `limit`, or it has been measured enough.
    pub fn measure(&mut self, round: usize, limit: f64) -> Result<(), String> {
        let enough = round >= 2 && self.spent > ENOUGH;
        if enough || self.least > limit { Ok(()) } else { self.once().map(|_| ()) }
    }

    /// Seconds of one measurement.
    pub fn once(&mut self) -> Result<f64, String> {
        let step = |_| step();
        let seconds = each(self.engine.as_mut(), 0..self.dispatches, self.result, &step, self.times);
        let seconds = seconds.map_err(|error| error.to_string())?;
        // No clock is finer.
        self.least = self.least.min(seconds.max(1e-9));
        self.spent += seconds * self.times as f64;
        Ok(seconds)
    }
}

/// The first number with more than the allowed relative error, as text.
fn first_difference(found: &Data, wanted: &Data, allowed: f32) -> Option<String> {
    let (Data::Real(found), Data::Real(wanted)) = (found, wanted) else { return None };
    // NaN is near to no number.
    let near = |found: f32, wanted: f32| (found - wanted).abs() <= allowed * (1.0 + wanted.abs());
    let at = found.iter().zip(wanted).position(|(found, wanted)| !near(*found, *wanted))?;
    Some(format!("[{at}] is {} and not {}", found[at], wanted[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_wrong_is_named_and_what_was_not_written_is_wrong() {
        let real = |values: &[f32]| Data::Real(values.to_vec());
        assert_eq!(first_difference(&real(&[1.0, -0.0]), &real(&[1.0, 0.0]), 0.0), None);
        let difference = first_difference(&real(&[1.0, f32::NAN]), &real(&[1.0, 0.0]), 1e-3);
        assert_eq!(difference.as_deref(), Some("[1] is NaN and not 0"));
    }
}
