//! The check of a custom kernel itself, in the second process.

use std::io::{self, Read};
use std::path::Path;
use std::thread;

use wgpu::Adapter;
use wgrad::internals::engine::adapter::{Device, choose};
use wgrad::internals::engine::stopwatch::Seconds;
use wgrad::internals::error::DeviceFault;
use wgrad::internals::kernel::Kernel;
use wgrad::internals::text::reason;
use wgrad::internals::verify::custom::{self, CustomKernel, MAX_BYTES, ShaderText};
use wgrad::{Error, Result};

use super::supervised::{LENGTH_BYTES, PROGRESS};
use crate::app::cli::custom::CheckArgs;
use crate::app::commands::console::{answer, note, quoted, with_train_flags};
use crate::app::commands::for_shaders;

/// Checks the text that comes through stdin.
pub fn check(arguments: &CheckArgs) -> Result<()> {
    let text = text_of_parent(&arguments.file)?;
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
    let custom = compiled(text, kernel)?;
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

/// The valid kernel. A text that needs a deep stack ends this process, before it can end the one that trains.
fn compiled(text: ShaderText, kernel: &'static Kernel) -> Result<CustomKernel> {
    const STACK: usize = 4 << 20;
    let compile = move || CustomKernel::of(&text, kernel);
    let thread = thread::Builder::new().stack_size(STACK).spawn(compile);
    let thread = thread.map_err(|error| {
        Error::Failure(format!("the shader can't be compiled, as no thread can be made ({})", reason(&error)))
    })?;
    // The first process reports a panic.
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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
    match choose(for_shaders(wanted))? {
        Device::Gpu(adapter) => Ok(adapter),
        Device::Cpu { .. } => Err(Error::Usage(
            "--device cpu: the CPU engine runs the twin, not your shader, so use an adapter (wgrad devices lists them)"
                .to_owned(),
        )),
    }
}

/// Reports progress to the first process.
fn progress(at: &str) -> Result<()> {
    answer(format_args!("{PROGRESS}{at}"))
}

/// The text of the shader, which the process that started this one sends with its length in front.
fn text_of_parent(file: &Path) -> Result<ShaderText> {
    let problem = |why: String| {
        Error::Failure(format!("the shader can't be read from the process that has it ({why})"))
    };
    let read = || -> io::Result<Vec<u8>> {
        let (mut stdin, mut length) = (io::stdin().lock(), [0; LENGTH_BYTES]);
        stdin.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_BYTES {
            return Err(io::Error::other("it is too long"));
        }
        let mut bytes = vec![0; length as usize];
        stdin.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| problem(reason(&error).to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| problem("it is not valid UTF-8".to_owned()))?;
    Ok(ShaderText { path: file.to_owned(), text })
}

/// Ends this process when the one that started it ends.
///
/// A shader that loops for ever would outlive it.
fn end_with_parent() -> Result<()> {
    let wait = || {
        // The end of stdin and an error both mean that the parent has ended.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        note(format_args!("error: the process that started the check has ended"));
        std::process::abort();
    };
    let started = thread::Builder::new().spawn(wait);
    started
        .map(|_| ())
        .map_err(|error| Error::Failure(format!("the check can't be started ({})", reason(&error))))
}
