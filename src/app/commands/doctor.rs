//! `wgrad doctor`: every kernel on every case against its twin, on this machine.

use std::time::Instant;

use wgrad::internals::engine::adapter::Device;
use wgrad::internals::kernel::Kernel;
use wgrad::internals::table;
use wgrad::internals::verify::cases::{self, cases_on};
use wgrad::internals::verify::custom;
use wgrad::{Error, Result};

use super::console::answer;
use crate::app::cli;

/// The outcome for a kernel.
enum KernelOutcome {
    Right,
    Wrong(String),
    Untried(Reason),
}

/// Why a kernel was not tried.
enum Reason {
    /// It needs what the device doesn't have.
    Lacking(String),
    /// It is experimental, and nobody has named it.
    Experimental,
}

pub fn run(arguments: &cli::DoctorArgs) -> Result<()> {
    let named: Vec<&Kernel> =
        arguments.kernels.iter().map(|name| custom::find(name)).collect::<Result<_>>()?;
    let device = super::device(&arguments.device)?;
    let kernels = if named.is_empty() { table::ALL } else { &named };
    answer(format_args!("{:<20} {:>5}  {:>17}  {:>8}", "kernel", "cases", "worst error/bound", "time"))?;
    let (mut problems, mut untried) = (Vec::new(), Vec::new());
    for kernel in kernels {
        match examine(kernel, &device, !named.is_empty())? {
            KernelOutcome::Right => {}
            KernelOutcome::Wrong(problem) => problems.push(problem),
            KernelOutcome::Untried(why) => untried.push((kernel.name, why)),
        }
    }
    answer(format_args!("{}", evaluate(!named.is_empty(), &device.name(), &problems, &untried)?))
}

/// The answer, or the error. A kernel that was named and not tried is an error.
///
/// # Errors
/// [`Error::Check`] when a kernel computes something else, [`Error::Usage`] when one that was named was not
/// tried.
fn evaluate(named: bool, device: &str, problems: &[String], untried: &[(&str, Reason)]) -> Result<String> {
    if !problems.is_empty() {
        return Err(Error::Check(format!("on {device}: {}", problems.join("; "))));
    }
    let lacking: Vec<String> = untried
        .iter()
        .filter_map(|(name, why)| match why {
            Reason::Lacking(lacking) => Some(format!("{name}, which {lacking}")),
            Reason::Experimental => None,
        })
        .collect();
    if named && !lacking.is_empty() {
        return Err(Error::Usage(format!(
            "these kernels could not be tried on {device}, so leave them out or name another --device: {}",
            lacking.join("; and ")
        )));
    }
    Ok(format!("{} on {device} what its twin computes", told(named, untried)))
}

/// The subject of the answer: all kernels but those that were not tried.
fn told(named: bool, untried: &[(&str, Reason)]) -> String {
    let all = if named { "every kernel that was named" } else { "every kernel" };
    let (lacking, experimental): (Vec<_>, Vec<_>) =
        untried.iter().partition(|(_, why)| matches!(why, Reason::Lacking(_)));
    let reasons = [(lacking, "could not be tried"), (experimental, "is experimental and was not tried")];
    let reasons: Vec<String> = reasons
        .into_iter()
        .filter(|(kernels, _)| !kernels.is_empty())
        .map(|(kernels, why)| {
            let names: Vec<&str> = kernels.iter().map(|(name, _)| *name).collect();
            format!("{}, which {why},", names.join(", "))
        })
        .collect();
    match reasons.as_slice() {
        [] => format!("{all} computes"),
        reasons => format!("{all} but {} computes", reasons.join(" and ")),
    }
}

/// Holds a kernel to its twin, unless the device can't run it or it is experimental and was not named.
fn examine(kernel: &'static Kernel, device: &Device, named: bool) -> Result<KernelOutcome> {
    let name = kernel.name;
    if let Some(lacking) = device.lacks(kernel) {
        answer(format_args!("{name:<20} {:>5}  not available: {lacking}; not used here", 0))?;
        return Ok(KernelOutcome::Untried(Reason::Lacking(lacking)));
    }
    if kernel.is_cooperative() && !named && matches!(device, Device::Gpu(_)) {
        answer(format_args!("{name:<20} {:>5}  experimental: wgrad doctor {name} checks it", 0))?;
        return Ok(KernelOutcome::Untried(Reason::Experimental));
    }
    let start = Instant::now();
    // Opened as for training: what is proved here is what runs there.
    let mut make_engine = |program| device.open(program);
    let verdict = match cases::check(kernel, &cases_on(kernel, device), &mut make_engine) {
        // A shader that does not compile is a finding, not the end of the examination.
        Err(Error::Failure(problem)) => {
            answer(format_args!("{name:<20} {:>5}  {problem}", 0))?;
            return Ok(KernelOutcome::Wrong(problem));
        }
        other => other?,
    };
    let mark = if verdict.problem.is_some() { "  WRONG" } else { "" };
    let (cases, worst, seconds) = (verdict.cases, verdict.comparison.worst, start.elapsed().as_secs_f64());
    answer(format_args!("{name:<20} {cases:>5}  {worst:>17.3}  {seconds:>6.2} s{mark}"))?;
    Ok(verdict.problem.map_or(KernelOutcome::Right, KernelOutcome::Wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_named_and_not_tried_is_no_success_and_what_is_wrong_is_said_first() {
        let untried = || {
            let lacking = |what: &str| Reason::Lacking(format!("needs {what}"));
            [("sub", lacking("subgroups of 8")), ("coop", lacking("tiles"))]
        };
        let refused = evaluate(true, "it", &[], &untried());
        let Err(Error::Usage(told)) = refused else { panic!("{refused:?}") };
        for words in [
            "not be tried on it, so",
            "--device: sub, which needs subgroups of 8; and coop, which needs tiles",
        ] {
            assert!(told.contains(words), "“{words}” is not in {told}");
        }
        let wrong = evaluate(true, "it", &["sgd is off".to_owned()], &untried());
        assert!(matches!(&wrong, Err(Error::Check(problem)) if problem == "on it: sgd is off"), "{wrong:?}");
        // Without names, only kernels that the device runs count.
        let all = untried().into_iter().chain([("new", Reason::Experimental)]).collect::<Vec<_>>();
        let told = evaluate(false, "it", &[], &all).unwrap();
        let but = "every kernel but sub, coop, which could not be tried, and new, which is experimental and was not \
                   tried, computes on it";
        assert!(told.starts_with(but), "{told}");
        assert!(
            evaluate(true, "it", &[], &[]).unwrap().starts_with("every kernel that was named computes on it")
        );
    }
}
