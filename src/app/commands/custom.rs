//! `wgrad lesson check`: a custom kernel against its twin.
//!
//! The check runs in a second process of this program. A shader may loop
//! for ever, and on a software adapter its loop is a thread of ours that
//! nothing can stop but the end of its process.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wgpu::Adapter;
use wgrad::internals::engine::adapter::{Device, choose};
use wgrad::internals::engine::stopwatch::Seconds;
use wgrad::internals::error::DeviceFault;
use wgrad::internals::kernel::Kernel;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::verify::custom::{self, CustomKernel, CustomKernelFile};
use wgrad::{Error, Result};

use crate::app::cli::custom::{CheckArgs, LessonCommand};
use crate::app::commands::console::{answer, note, quoted, with_flags};

/// Lines of the second process that begin so say how far it is, and are not shown.
const PROGRESS: &str = "\u{1}";

/// The subcommands of `wgrad lesson` for custom kernels.
pub fn dispatch(command: &LessonCommand) -> Result<()> {
    match command {
        LessonCommand::Check(arguments) => run(arguments),
        LessonCommand::Start(arguments) => super::exercises::start(arguments),
        LessonCommand::Hint(arguments) => super::exercises::hint(arguments),
    }
}

fn run(arguments: &CheckArgs) -> Result<()> {
    if arguments.inside {
        return inside(arguments);
    }
    supervise(arguments, true)
}

/// The custom kernels of a run, each checked in a second process before this one touches it.
///
/// # Errors
/// [`Error::Usage`] on the CPU engine, else as [`supervise`].
pub fn kernels(
    recipe: &Recipe,
    device: &Device,
    timeout: u64,
) -> Result<Vec<(CustomKernelFile, CustomKernel)>> {
    if !recipe.kernel.is_empty() && matches!(device, Device::Cpu { .. }) {
        return Err(Error::Usage(
            "--kernel: the CPU engine runs the twins and never a shader, so use an adapter (--device gpu)"
                .to_owned(),
        ));
    }
    let mut all: Vec<(CustomKernelFile, CustomKernel)> = Vec::new();
    for text in &recipe.kernel {
        let (named, own) = kernel(text, device, timeout)?;
        if all.iter().any(|(known, _)| known.name == named.name) {
            return Err(Error::Usage(format!(
                "--kernel {}: it is given twice, but only one can run",
                named.name
            )));
        }
        all.push((named, own));
    }
    Ok(all)
}

fn kernel(text: &str, device: &Device, timeout: u64) -> Result<(CustomKernelFile, CustomKernel)> {
    let named = CustomKernelFile::parse(text)?;
    let ours = named.contract()?;
    note(format_args!("kernel  {} from {}: checking it against its twin", ours.name, named.path.display()));
    check(&named.path, ours, device, timeout)?;
    let own = CustomKernel::read(&named.path, ours)?;
    Ok((CustomKernelFile { sha256: own.digest.clone(), ..named }, own))
}

/// Checks a kernel before a run trains with it.
fn check(file: &Path, ours: &Kernel, device: &Device, timeout: u64) -> Result<()> {
    let check = CheckArgs {
        file: file.to_owned(),
        kernel: ours.name.to_owned(),
        device: device.name(),
        timeout,
        no_timing: true,
        inside: false,
    };
    supervise(&check, false)
}

/// Checks in a second process and stops it when it takes too long.
///
/// # Errors
/// [`Error::Usage`] and [`Error::Check`] as the second process has them, and
/// [`Error::Check`] when it was stopped or crashed.
fn supervise(arguments: &CheckArgs, show: bool) -> Result<()> {
    let failed = |error: std::io::Error| Error::Failure(format!("the check can't be started ({error})"));
    let mut child = start(arguments).map_err(failed)?;
    let lines = lines_of(&mut child);
    // Beside it: a long complaint would fill its pipe, and the check would wait for it to be read.
    let complaint = complaint_of(&mut child);
    let limit = Duration::from_secs(arguments.timeout);
    // Each part of the check has its own time, so compiling for one case takes none from another.
    let mut until = Instant::now() + limit;
    let mut at = "starting".to_owned();
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => match line.strip_prefix(PROGRESS) {
                Some(progress) => {
                    progress.clone_into(&mut at);
                    until = Instant::now() + limit;
                }
                None if show => answer(format_args!("{line}"))?,
                None => {}
            },
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                // It may have ended in this very moment; then there is nothing to stop.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::Check(format!(
                    "{} was stopped after {} s {at}: it loops for ever or takes too long here; wgrad lesson check {} --kernel {} --timeout {} gives it longer{}",
                    arguments.file.display(),
                    arguments.timeout,
                    quoted(&arguments.file),
                    arguments.kernel,
                    10 * arguments.timeout,
                    if show { "" } else { ", and wgrad train --kernel-timeout as well" }
                )));
            }
        }
    }
    // What can't be read can't be shown; the exit code still tells.
    let complaint = complaint.join().unwrap_or_default();
    evaluate(child.wait().map_err(failed)?, &complaint, &arguments.file, &at)
}

fn start(arguments: &CheckArgs) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["lesson", "check", "--inside", "--kernel", &arguments.kernel]);
    command.args(["--device", &arguments.device]);
    if arguments.no_timing {
        command.arg("--no-timing");
    }
    command.arg("--").arg(&arguments.file);
    // stdin tells it that we are still there.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let stdout = child.stdout.take().expect("stdout was asked for");
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(|line| line.ok()) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// All that it says on stderr, read while it runs.
fn complaint_of(child: &mut Child) -> JoinHandle<String> {
    let mut stderr = child.stderr.take().expect("stderr was asked for");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is told.
        let _ = stderr.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The outcome that the end of the second process means.
fn evaluate(status: ExitStatus, complaint: &str, file: &Path, at: &str) -> Result<()> {
    let problem = complaint.trim_end().strip_prefix("error: ").unwrap_or(complaint.trim_end()).to_owned();
    match status.code() {
        Some(0) => Ok(()),
        Some(2) => Err(Error::Usage(problem)),
        Some(4) => Err(Error::Device(DeviceFault::Lost, problem)),
        Some(6) => Err(Error::Check(problem)),
        Some(1) => Err(Error::Failure(problem)),
        _ => {
            Err(Error::Check(format!("{} brought the check down, {at} ({status}) {problem}", file.display())))
        }
    }
}

/// The check itself.
fn inside(arguments: &CheckArgs) -> Result<()> {
    end_with_parent();
    let ours = custom::find(&arguments.kernel)?;
    let adapter = adapter(&arguments.device)?;
    let device = Device::Gpu(adapter.clone());
    if let Some(lacking) = device.lacks(ours) {
        return Err(Error::Device(
            DeviceFault::Absent,
            format!("{} can't run on {}, as it {lacking}: use another --device", ours.name, device.name()),
        ));
    }
    progress("reading it")?;
    let own = CustomKernel::read(&arguments.file, ours)?;
    let [x, y, z] = own.shader.workgroup_size;
    answer(format_args!(
        "valid     entry point {}, workgroup {x}×{y}×{z}, {} bytes of workgroup memory",
        ours.name, own.shader.workgroup_bytes
    ))?;
    answer(format_args!(
        "contract  {} bindings and {} constants as ours",
        ours.binds.len(),
        ours.consts.len()
    ))?;
    evaluate_cases(&own, &adapter, &device)?;
    if !arguments.no_timing {
        time(&own, &adapter)?;
    }
    match custom::needed_settings(ours) {
        Ok(settings) => {
            let flags: String =
                settings.iter().map(|setting| with_flags(&setting.to_string()) + " ").collect();
            let (name, file) = (custom::name_in_settings(ours), quoted(&arguments.file));
            answer(format_args!("train     wgrad train {flags}--kernel {name}={file}"))
        }
        Err(why) => answer(format_args!("train     {}", with_flags(why))),
    }
}

fn evaluate_cases(own: &CustomKernel, adapter: &Adapter, device: &Device) -> Result<()> {
    progress("compiling it for every case")?;
    let mut told = Ok(());
    let trial = custom::trial(own, adapter, &mut |at, case| {
        if told.is_ok() {
            told = progress(&format!("in case {at} ({})", case.consts));
        }
    })?;
    told?;
    if let Some(report) = trial.report() {
        return Err(Error::Check(format!("on {}: {report}", device.name())));
    }
    let (cases, worst) = (trial.verdict.cases, trial.verdict.comparison.worst);
    answer(format_args!(
        "right     {cases} of {cases} cases equal the twin's on {}; the largest error is {worst:.3} of what f32 explains",
        device.name()
    ))?;
    if !trial.saw_outside {
        answer(format_args!(
            "          it asks for arrayLength, so writes past the end could not be looked for; bounds checks drop them"
        ))?;
    }
    Ok(())
}

fn time(own: &CustomKernel, adapter: &Adapter) -> Result<()> {
    progress("being timed")?;
    let timing = custom::time(own, adapter)?;
    let told = |seconds: &Seconds| {
        let [median, least, most] = [seconds.median, seconds.least, seconds.most].map(|time| time * 1e3);
        format!("{median:.3} ms ({least:.3} to {most:.3})")
    };
    answer(format_args!(
        "time      yours {}, ours {}: {:.2} times ours (medians of 9 in turns and from where to where, both with bounds checks)",
        told(&timing.yours),
        told(&timing.ours),
        timing.ratio()
    ))?;
    if timing.yours.overlaps(&timing.ours) {
        answer(format_args!(
            "          the difference is within the spread: this tells neither to be the faster"
        ))?;
    }
    answer(format_args!("          {}", timing.case.consts))
}

/// An adapter that runs shaders; the CPU engine would run the twin instead.
fn adapter(wanted: &str) -> Result<Adapter> {
    match choose(wanted)? {
        Device::Gpu(adapter) => Ok(adapter),
        Device::Cpu { reason: None } => Err(Error::Usage(
            "--device cpu: the CPU engine runs the twin and never your shader, so use an adapter (wgrad devices lists them)"
                .to_owned(),
        )),
        Device::Cpu { reason: Some(reason) } => Err(Error::Device(DeviceFault::Absent, format!(
            "{reason}, and the CPU engine runs the twin and never your shader: install a driver or run ./setup"
        ))),
    }
}

/// Tells the first process how far this one is.
fn progress(at: &str) -> Result<()> {
    answer(format_args!("{PROGRESS}{at}"))
}

/// Ends this process as soon as the one that started it is gone, since a
/// shader that loops for ever would outlive it.
fn end_with_parent() {
    thread::spawn(|| {
        let mut rest = Vec::new();
        // An end and an error both mean that nobody is there any more.
        let _ = std::io::stdin().read_to_end(&mut rest);
        note(format_args!("error: the check was left alone"));
        std::process::abort();
    });
}
