//! `wgrad doctor`: every kernel checked against its twin on this machine.

use std::time::Instant;

use wgrad::internals::engine::adapter::Device;
use wgrad::internals::error::DeviceFault;
use wgrad::internals::kernel::{Kernel, threads};
use wgrad::internals::table;
use wgrad::internals::verify::cases::{self, cases_on};
use wgrad::internals::verify::custom;
use wgrad::{Error, Result};

use super::console::answer;
use crate::app::cli;

/// The outcome for a kernel.
enum KernelOutcome {
    Correct,
    Wrong(String),
    NotTried(Reason),
}

/// Why a kernel was not tried.
enum Reason {
    /// The device lacks something that it needs.
    Lacking(String),
    /// It is experimental, and was not named.
    Experimental,
}

pub fn run(arguments: &cli::DoctorArgs) -> Result<()> {
    let named: Vec<&Kernel> =
        arguments.kernels.iter().map(|name| custom::find(name)).collect::<Result<_>>()?;
    // Shaders are what is to be checked; without an adapter the functions of the CPU engine are.
    let device = match super::device(super::for_shaders(&arguments.device)) {
        Err(Error::Device(DeviceFault::Absent, _)) if arguments.device.eq_ignore_ascii_case("auto") => {
            super::device("auto")?
        }
        device => device?,
    };
    // Here, as a failure below is one of a kernel.
    threads::start()?;
    threads::spare(1)?;
    let kernels = if named.is_empty() { table::ALL } else { &named };
    let width = kernels.iter().map(|kernel| kernel.name.len()).fold("kernel".len(), usize::max);
    answer(format_args!("{:<width$} {:>5}  {:>17}  {:>8}", "kernel", "cases", "worst error/bound", "time"))?;
    let (mut problems, mut not_tried) = (Vec::new(), Vec::new());
    for kernel in kernels {
        match examine(kernel, width, &device, !named.is_empty())? {
            KernelOutcome::Correct => {}
            KernelOutcome::Wrong(problem) => problems.push(problem),
            KernelOutcome::NotTried(why) => not_tried.push((kernel.name, why)),
        }
    }
    answer(format_args!("{}", evaluate(!named.is_empty(), &device.name(), &problems, &not_tried)?))
}

/// The answer, or an error. A wrong kernel is one, and a named kernel that was not tried.
///
/// # Errors
/// [`Error::Check`] when a kernel is wrong, [`Error::Usage`] when a named one was not tried.
fn evaluate(named: bool, device: &str, problems: &[String], not_tried: &[(&str, Reason)]) -> Result<String> {
    if !problems.is_empty() {
        return Err(Error::Check(format!("on {device}: {}", problems.join("; "))));
    }
    let lacking: Vec<String> = not_tried
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
    Ok(format!("{} on {device} what its twin computes", subject(named, not_tried)))
}

/// The subject of the answer: all kernels except those not tried.
fn subject(named: bool, not_tried: &[(&str, Reason)]) -> String {
    let all = if named { "every kernel that was named" } else { "every kernel" };
    let (lacking, experimental): (Vec<_>, Vec<_>) =
        not_tried.iter().partition(|(_, why)| matches!(why, Reason::Lacking(_)));
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

/// Checks a kernel against its twin. It is skipped when the device can't run it, or when it is experimental and was
/// not named. Its name is printed in `width` columns.
fn examine(kernel: &'static Kernel, width: usize, device: &Device, named: bool) -> Result<KernelOutcome> {
    let name = kernel.name;
    if let Some(lacking) = device.lacks(kernel) {
        answer(format_args!("{name:<width$} {:>5}  not available: {lacking}; not used here", 0))?;
        return Ok(KernelOutcome::NotTried(Reason::Lacking(lacking)));
    }
    if kernel.is_cooperative() && !named && matches!(device, Device::Gpu(_)) {
        answer(format_args!("{name:<width$} {:>5}  experimental: wgrad doctor {name} checks it", 0))?;
        return Ok(KernelOutcome::NotTried(Reason::Experimental));
    }
    let start = Instant::now();
    // Opened as for training, so that the same code is proved.
    let mut make_engine = |program| device.open(program);
    let verdict = match cases::check(kernel, &cases_on(kernel, device), &mut make_engine) {
        // A shader that does not compile is a result; the other kernels are still checked.
        Err(Error::Failure(problem)) => {
            answer(format_args!("{name:<width$} {:>5}  {problem}", 0))?;
            return Ok(KernelOutcome::Wrong(problem));
        }
        other => other?,
    };
    let mark = if verdict.problem.is_some() { "  WRONG" } else { "" };
    let (cases, worst, seconds) = (verdict.cases, verdict.comparison.worst, start.elapsed().as_secs_f64());
    answer(format_args!("{name:<width$} {cases:>5}  {worst:>17.3}  {seconds:>6.2} s{mark}"))?;
    Ok(verdict.problem.map_or(KernelOutcome::Correct, KernelOutcome::Wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_kernel_that_was_not_tried_is_an_error_and_a_wrong_one_comes_first() {
        let not_tried = || {
            let lacking = |what: &str| Reason::Lacking(format!("needs {what}"));
            [("sub", lacking("subgroups of 8")), ("coop", lacking("tiles"))]
        };
        let refused = evaluate(true, "it", &[], &not_tried());
        let Err(Error::Usage(message)) = refused else { panic!("{refused:?}") };
        for words in [
            "not be tried on it, so",
            "--device: sub, which needs subgroups of 8; and coop, which needs tiles",
        ] {
            assert!(message.contains(words), "“{words}” is not in {message}");
        }
        let wrong = evaluate(true, "it", &["sgd is off".to_owned()], &not_tried());
        assert!(matches!(&wrong, Err(Error::Check(problem)) if problem == "on it: sgd is off"), "{wrong:?}");
        // Without names, only kernels that the device runs count.
        let all = not_tried().into_iter().chain([("new", Reason::Experimental)]).collect::<Vec<_>>();
        let message = evaluate(false, "it", &[], &all).unwrap();
        let but = "every kernel but sub, coop, which could not be tried, and new, which is experimental and was not \
                   tried, computes on it";
        assert!(message.starts_with(but), "{message}");
        assert!(
            evaluate(true, "it", &[], &[]).unwrap().starts_with("every kernel that was named computes on it")
        );
    }
}
