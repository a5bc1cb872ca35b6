//! `wgrad doctor`: every kernel on every case against its twin, on this machine.

use std::time::Instant;

use wgrad::cases::{self, cases_on};
use wgrad::error::{Error, Result};
use wgrad::kernels;

use super::console::answer;
use crate::cli;

pub fn run(arguments: &cli::Doctor) -> Result<()> {
    let device = super::device(&arguments.device)?;
    // Opened as for training: what is proved here is what runs there.
    let mut make_engine = |program| device.open(program);
    answer(format_args!("{:<20} {:>5}  {:>17}  {:>8}", "kernel", "cases", "worst error/bound", "time"))?;
    let (mut problems, mut missing) = (Vec::new(), Vec::new());
    for kernel in kernels::ALL {
        if let Some(lacking) = device.lacks(kernel) {
            answer(format_args!("{:<20} {:>5}  not available: {lacking}; not used here", kernel.name, 0))?;
            missing.push(kernel.name);
            continue;
        }
        let start = Instant::now();
        let verdict = match cases::check(kernel, &cases_on(kernel, &device), &mut make_engine) {
            // A shader that does not compile is a finding, not the end of the examination.
            Err(Error::Failure(problem)) => {
                answer(format_args!("{:<20} {:>5}  {problem}", kernel.name, 0))?;
                problems.push(problem);
                continue;
            }
            other => other?,
        };
        let mark = if verdict.problem.is_some() { "  WRONG" } else { "" };
        let (cases, worst, seconds) =
            (verdict.cases, verdict.comparison.worst, start.elapsed().as_secs_f64());
        answer(format_args!("{:<20} {cases:>5}  {worst:>17.3}  {seconds:>6.2} s{mark}", kernel.name))?;
        problems.extend(verdict.problem);
    }
    if problems.is_empty() {
        // What could not be tried is not counted among them.
        let every = match missing.as_slice() {
            [] => "every kernel".to_owned(),
            missing => format!("every kernel but {}, which could not be tried,", missing.join(", ")),
        };
        return answer(format_args!("{every} computes on {} what its twin computes", device.name()));
    }
    Err(Error::Check(format!("on {}: {}", device.name(), problems.join("; "))))
}
