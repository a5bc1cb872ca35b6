//! `wgrad doctor`: every kernel on every case against its twin, on this machine.

use std::time::Instant;

use wgrad::cases::{self, cases_on};
use wgrad::engine::adapter::Device;
use wgrad::error::{Error, Result};
use wgrad::kernel::Kernel;
use wgrad::kernels;
use wgrad::own;

use super::console::answer;
use crate::cli;

/// What became of a kernel.
enum Outcome {
    Right,
    Wrong(String),
    /// Not tried, with the reason.
    Left(&'static str),
}

pub fn run(arguments: &cli::Doctor) -> Result<()> {
    let named: Vec<&Kernel> = arguments.kernels.iter().map(|name| own::find(name)).collect::<Result<_>>()?;
    let device = super::device(&arguments.device)?;
    let kernels = if named.is_empty() { kernels::ALL } else { &named };
    answer(format_args!("{:<20} {:>5}  {:>17}  {:>8}", "kernel", "cases", "worst error/bound", "time"))?;
    let (mut problems, mut left) = (Vec::new(), Vec::new());
    for kernel in kernels {
        match examine(kernel, &device, !named.is_empty())? {
            Outcome::Right => {}
            Outcome::Wrong(problem) => problems.push(problem),
            Outcome::Left(why) => left.push((kernel.name, why)),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Check(format!("on {}: {}", device.name(), problems.join("; "))));
    }
    if left.len() == kernels.len() {
        return Err(Error::Usage(format!(
            "nothing was checked: {} has none of these kernels",
            device.name()
        )));
    }
    answer(format_args!("{} on {} what its twin computes", told(&named, &left), device.name()))
}

/// What computes what it should; what was not tried is not counted among it.
fn told(named: &[&Kernel], left: &[(&str, &str)]) -> String {
    let all = if named.is_empty() { "every kernel" } else { "every kernel that was named" };
    let reasons: Vec<String> = ["could not be tried", "is experimental and was not tried"]
        .into_iter()
        .filter_map(|why| {
            let names: Vec<&str> =
                left.iter().filter(|(_, because)| *because == why).map(|(name, _)| *name).collect();
            (!names.is_empty()).then(|| format!("{}, which {why},", names.join(", ")))
        })
        .collect();
    match reasons.as_slice() {
        [] => format!("{all} computes"),
        reasons => format!("{all} but {} computes", reasons.join(" and ")),
    }
}

/// Holds a kernel to its twin, unless the device can't run it or it is experimental and was not named.
fn examine(kernel: &'static Kernel, device: &Device, named: bool) -> Result<Outcome> {
    let name = kernel.name;
    if let Some(lacking) = device.lacks(kernel) {
        answer(format_args!("{name:<20} {:>5}  not available: {lacking}; not used here", 0))?;
        return Ok(Outcome::Left("could not be tried"));
    }
    if kernel.is_cooperative() && !named && matches!(device, Device::Gpu(_)) {
        answer(format_args!("{name:<20} {:>5}  experimental: wgrad doctor {name} checks it", 0))?;
        return Ok(Outcome::Left("is experimental and was not tried"));
    }
    let start = Instant::now();
    // Opened as for training: what is proved here is what runs there.
    let mut make_engine = |program| device.open(program);
    let verdict = match cases::check(kernel, &cases_on(kernel, device), &mut make_engine) {
        // A shader that does not compile is a finding, not the end of the examination.
        Err(Error::Failure(problem)) => {
            answer(format_args!("{name:<20} {:>5}  {problem}", 0))?;
            return Ok(Outcome::Wrong(problem));
        }
        other => other?,
    };
    let mark = if verdict.problem.is_some() { "  WRONG" } else { "" };
    let (cases, worst, seconds) = (verdict.cases, verdict.comparison.worst, start.elapsed().as_secs_f64());
    answer(format_args!("{name:<20} {cases:>5}  {worst:>17.3}  {seconds:>6.2} s{mark}"))?;
    Ok(verdict.problem.map_or(Outcome::Right, Outcome::Wrong))
}
