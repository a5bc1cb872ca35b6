//! `wgrad lesson check`: a custom kernel against its twin.
//!
//! The check runs in a second process of this program. A shader may loop for ever, and on a software adapter only the end
//! of the process stops it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wgpu::Adapter;
use wgrad::internals::engine::adapter::{Device, choose};
use wgrad::internals::engine::stopwatch::Seconds;
use wgrad::internals::error::DeviceFault;
use wgrad::internals::kernel::{Kernel, threads};
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::verify::custom::{self, CustomKernel, CustomKernelFile};
use wgrad::{Error, Result};

use crate::app::cli::custom::{CheckArgs, LessonCommand};
use crate::app::commands::console::{answer, note, quoted, with_train_flags};

/// The prefix of progress lines, which are not printed.
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

/// The custom kernels of a run, each checked in a second process.
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
            "--kernel: the CPU engine runs twins, not shaders, so use an adapter (--device gpu)".to_owned(),
        ));
    }
    let mut all: Vec<(CustomKernelFile, CustomKernel)> = Vec::new();
    for text in &recipe.kernel {
        let (named, custom) = kernel(text, device, timeout)?;
        if all.iter().any(|(known, _)| known.name == named.name) {
            return Err(Error::Usage(format!("--kernel {} is given twice, so leave one out", named.name)));
        }
        all.push((named, custom));
    }
    Ok(all)
}

fn kernel(text: &str, device: &Device, timeout: u64) -> Result<(CustomKernelFile, CustomKernel)> {
    let named = CustomKernelFile::parse(text)?;
    let kernel = named.contract()?;
    note(format_args!("kernel  {} from {}: checking it against its twin", kernel.name, named.path.display()));
    check(&named.path, kernel, device, timeout)?;
    let custom = CustomKernel::read(&named.path, kernel)?;
    Ok((CustomKernelFile { sha256: custom.digest.clone(), ..named }, custom))
}

/// Checks a kernel before a run trains with it.
fn check(file: &Path, kernel: &Kernel, device: &Device, timeout: u64) -> Result<()> {
    let check = CheckArgs {
        file: file.to_owned(),
        kernel: kernel.name.to_owned(),
        device: device.name(),
        timeout,
        no_timing: true,
        inside: false,
    };
    supervise(&check, false)
}

/// Checks in a second process, and stops it after the time limit.
///
/// # Errors
/// The error of the second process, and [`Error::Check`] when it was stopped or crashed.
fn supervise(arguments: &CheckArgs, show: bool) -> Result<()> {
    let failed = |error: std::io::Error| Error::Failure(format!("the check can't be started ({error})"));
    let mut child = start(arguments).map_err(failed)?;
    // stderr is read meanwhile: a full pipe would block the check.
    let (lines, stderr) = match lines_of(&mut child).and_then(|lines| Ok((lines, stderr_of(&mut child)?))) {
        Ok(readers) => readers,
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    let limit = Duration::from_secs(arguments.timeout);
    // Each part of the check has a time limit of its own.
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
                // It may have ended meanwhile, so errors are ignored.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::Check(format!(
                    "{} was stopped after {} s, {at}: it loops for ever or is too slow here; wgrad lesson check {} --kernel {} --timeout {} gives it more time{}",
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
    // The exit code says enough where stderr can't be read.
    let stderr = stderr.join().unwrap_or_default();
    evaluate(child.wait().map_err(failed)?, &stderr, &arguments.file, &at)
}

fn start(arguments: &CheckArgs) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["lesson", "check", "--inside", "--kernel", &arguments.kernel]);
    command.args(["--device", &arguments.device]);
    if arguments.no_timing {
        command.arg("--no-timing");
    }
    command.arg("--").arg(&arguments.file);
    // It ends when this stdin is closed, see `end_with_parent`.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let (sender, receiver) = channel();
    let stdout = child.stdout.take().expect("stdout was asked for");
    threads::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(|line| line.ok()) {
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// The text of its stderr, read while it runs.
fn stderr_of(child: &mut Child) -> Result<JoinHandle<String>> {
    let mut pipe = child.stderr.take().expect("stderr was asked for");
    threads::spawn(move || {
        let mut bytes = Vec::new();
        // After an error, the text up to it is used.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The result of the second process, from its exit code and stderr.
fn evaluate(status: ExitStatus, stderr: &str, file: &Path, at: &str) -> Result<()> {
    let problem = stderr.trim_end().strip_prefix("error: ").unwrap_or(stderr.trim_end()).to_owned();
    match status.code() {
        Some(0) => Ok(()),
        Some(2) => Err(Error::Usage(problem)),
        Some(4) => Err(Error::Device(DeviceFault::Lost, problem)),
        Some(6) => Err(Error::Check(problem)),
        Some(1) => Err(Error::Failure(problem)),
        _ => Err(Error::Check(format!("{} crashed the check, {at} ({status}): {problem}", file.display()))),
    }
}

/// The check itself.
fn inside(arguments: &CheckArgs) -> Result<()> {
    end_with_parent()?;
    let kernel = custom::find(&arguments.kernel)?;
    let adapter = adapter(&arguments.device)?;
    let device = Device::Gpu(adapter.clone());
    if let Some(lacking) = device.lacks(kernel) {
        return Err(Error::Device(
            DeviceFault::Absent,
            format!("{} can't run on {}, as it {lacking}: use another --device", kernel.name, device.name()),
        ));
    }
    progress("reading it")?;
    let custom = CustomKernel::read(&arguments.file, kernel)?;
    let [x, y, z] = custom.shader.workgroup_size;
    answer(format_args!(
        "valid     entry point {}, workgroup {x}×{y}×{z}, {} bytes of workgroup memory",
        kernel.name, custom.shader.workgroup_bytes
    ))?;
    answer(format_args!(
        "contract  {} bindings and {} constants, as in the built-in kernel",
        kernel.binds.len(),
        kernel.consts.len()
    ))?;
    evaluate_cases(&custom, &adapter, &device)?;
    if !arguments.no_timing {
        time(&custom, &adapter)?;
    }
    match custom::needed_settings(kernel) {
        Ok(settings) => {
            let flags: String =
                settings.iter().map(|setting| with_train_flags(&setting.to_string()) + " ").collect();
            let (name, file) = (custom::name_in_settings(kernel), quoted(&arguments.file));
            answer(format_args!("train     wgrad train {flags}--kernel {name}={file}"))
        }
        Err(why) => answer(format_args!("train     {}", with_train_flags(why))),
    }
}

fn evaluate_cases(kernel: &CustomKernel, adapter: &Adapter, device: &Device) -> Result<()> {
    progress("compiling it for every case")?;
    let mut written = Ok(());
    let trial = custom::trial(kernel, adapter, &mut |at, case| {
        if written.is_ok() {
            written = progress(&format!("in case {at} ({})", case.consts));
        }
    })?;
    written?;
    if let Some(report) = trial.report() {
        return Err(Error::Check(format!("on {}: {report}", device.name())));
    }
    let (cases, worst) = (trial.verdict.cases, trial.verdict.comparison.worst);
    answer(format_args!(
        "correct   {cases} of {cases} cases equal the twin's on {}; the largest error is {worst:.3} of its bound",
        device.name()
    ))?;
    if !trial.saw_outside {
        answer(format_args!(
            "          it uses arrayLength, so writes past the end were not checked; bounds checks drop them"
        ))?;
    }
    Ok(())
}

fn time(kernel: &CustomKernel, adapter: &Adapter) -> Result<()> {
    progress("being timed")?;
    let timing = custom::time(kernel, adapter)?;
    let shown = |seconds: &Seconds| {
        let [median, least, most] = [seconds.median, seconds.least, seconds.most].map(|time| time * 1e3);
        format!("{median:.3} ms ({least:.3}–{most:.3})")
    };
    answer(format_args!(
        "time      custom {}, built-in {}: {:.2} times the built-in (median of 9 interleaved runs (min–max), both with bounds checks)",
        shown(&timing.yours),
        shown(&timing.ours),
        timing.ratio()
    ))?;
    if timing.yours.overlaps(&timing.ours) {
        answer(format_args!("          the ranges overlap, so neither is measurably faster"))?;
    }
    answer(format_args!("          {}", timing.case.consts))
}

/// An adapter that runs shaders. The CPU engine would run the twin instead.
fn adapter(wanted: &str) -> Result<Adapter> {
    match choose(wanted)? {
        Device::Gpu(adapter) => Ok(adapter),
        Device::Cpu { reason: None } => Err(Error::Usage(
            "--device cpu: the CPU engine runs the twin, not your shader, so use an adapter (wgrad devices lists them)"
                .to_owned(),
        )),
        Device::Cpu { reason: Some(reason) } => Err(Error::Device(DeviceFault::Absent, format!(
            "{reason}, and the CPU engine runs the twin, not your shader: install a driver or run ./setup"
        ))),
    }
}

/// Reports progress to the first process.
fn progress(at: &str) -> Result<()> {
    answer(format_args!("{PROGRESS}{at}"))
}

/// Ends this process when the one that started it ends.
///
/// A shader that loops for ever would outlive it.
fn end_with_parent() -> Result<()> {
    let watch = threads::spawn(|| {
        let mut rest = Vec::new();
        // The end of stdin and an error both mean that the parent has ended.
        let _ = std::io::stdin().read_to_end(&mut rest);
        note(format_args!("error: the process that started the check has ended"));
        std::process::abort();
    });
    watch.map(|_| ())
}
