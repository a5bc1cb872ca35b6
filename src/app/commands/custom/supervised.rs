//! The second process of a check: started, watched, and stopped when it takes too long or too much memory.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use wgrad::internals::error::DeviceFault;
use wgrad::internals::memory::{Room, of_process};
use wgrad::internals::text::{reason, shown, unmarked};
use wgrad::internals::verify::custom::ShaderText;
use wgrad::{Error, Result};

use crate::app::cli::custom::CheckArgs;
use crate::app::commands::console::{answer, quoted};

/// The prefix of progress lines, which are not printed.
pub const PROGRESS: &str = "… ";
/// The bytes of the length in front of the text that the second process gets.
pub const LENGTH_BYTES: usize = size_of::<u64>();

/// The most memory of a check. The built-in kernels take 100 MiB.
const MOST_MEMORY: u64 = 2 << 30;
/// The time between two looks at its memory.
const LOOK: Duration = Duration::from_millis(50);
/// The most bytes of stderr that are kept.
const MOST_STDERR: u64 = 64 << 10;

/// Checks a text in a second process, and stops it after the time limit or beyond the memory limit.
///
/// `show` prints its results.
///
/// # Errors
/// The error of the second process, and [`Error::Check`] when it was stopped or crashed.
pub fn check(text: &ShaderText, arguments: &CheckArgs, show: bool) -> Result<()> {
    let failed =
        |error: io::Error| Error::Failure(format!("the check can't be started ({})", reason(&error)));
    let mut process = Process { child: start(arguments).map_err(failed)?, stdin: None };
    process.send(text).map_err(failed)?;
    let lines = lines_of(&mut process.child).map_err(failed)?;
    // stderr is read meanwhile: a full pipe would block the check.
    let stderr = stderr_of(&mut process.child).map_err(failed)?;
    let memory = Room::now().bytes().map_or(MOST_MEMORY, |free| MOST_MEMORY.min(free / 2));
    let limit = Duration::from_secs(arguments.timeout);
    // Each part of the check has a time limit of its own.
    let mut until = Instant::now() + limit;
    let mut at = "starting".to_owned();
    loop {
        match lines.recv_timeout(LOOK.min(until.saturating_duration_since(Instant::now()))) {
            Ok(line) => match line.strip_prefix(PROGRESS) {
                Some(progress) => {
                    progress.clone_into(&mut at);
                    until = Instant::now() + limit;
                }
                None if show => answer(format_args!("{}", unmarked(&line)))?,
                None => {}
            },
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if Instant::now() >= until => {
                return Err(too_slow(arguments, &at, show));
            }
            Err(RecvTimeoutError::Timeout)
                if of_process(process.child.id()).is_some_and(|used| used > memory) =>
            {
                return Err(too_large(&arguments.file, &at, memory));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let status = process.child.wait().map_err(failed)?;
    // The exit code says enough where stderr can't be read.
    evaluate(status, &stderr.join().unwrap_or_default(), &arguments.file, &at)
}

/// The second process, which ends with this.
struct Process {
    child: Child,
    /// The thread that sends the text. It keeps stdin, at whose end the process ends itself.
    stdin: Option<JoinHandle<ChildStdin>>,
}

impl Process {
    /// Sends the text, with its length in front.
    ///
    /// A process that is stopped before it has read everything would block this one, hence the thread.
    fn send(&mut self, text: &ShaderText) -> io::Result<()> {
        let mut stdin = self.child.stdin.take().expect("stdin was asked for");
        let length = (text.text.len() as u64).to_le_bytes();
        let bytes = [&length[..], text.text.as_bytes()].concat();
        self.stdin = Some(Builder::new().spawn(move || {
            // A process that reads no more says why.
            let _ = stdin.write_all(&bytes);
            stdin
        })?);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended, so errors are ignored.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(arguments: &CheckArgs) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["lesson", "check", "--inside", "--kernel", &arguments.kernel]);
    command.args(["--device", &arguments.device]);
    if arguments.no_timing {
        command.arg("--no-timing");
    }
    // The file is only named, not read.
    command.arg("--").arg(&arguments.file);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn lines_of(child: &mut Child) -> io::Result<Receiver<String>> {
    let (sender, receiver) = channel();
    let stdout = child.stdout.take().expect("stdout was asked for");
    Builder::new().spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(|line| line.ok()) {
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// The beginning of its stderr, all of which is read while it runs.
fn stderr_of(child: &mut Child) -> io::Result<JoinHandle<String>> {
    let mut pipe = child.stderr.take().expect("stderr was asked for");
    Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        // After an error, the text up to it is used.
        let _ = pipe.by_ref().take(MOST_STDERR).read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn too_slow(arguments: &CheckArgs, at: &str, show: bool) -> Error {
    Error::Check(format!(
        "{} was stopped after {} s, {at}: it loops for ever or is too slow here; wgrad lesson check {} --kernel {} --timeout {} gives it more time{}",
        shown(&arguments.file),
        arguments.timeout,
        quoted(&arguments.file),
        arguments.kernel,
        10 * arguments.timeout,
        if show { "" } else { ", and wgrad train --kernel-timeout as well" }
    ))
}

fn too_large(file: &Path, at: &str, memory: u64) -> Error {
    Error::Check(format!(
        "{} was stopped with more than {} MiB of memory, {at}: a kernel has no need of so much, so use smaller arrays and \
         fewer nested functions and constants",
        shown(file),
        memory >> 20
    ))
}

/// The result of the second process, from its exit code and stderr.
fn evaluate(status: ExitStatus, stderr: &str, file: &Path, at: &str) -> Result<()> {
    // The other process has shown its settings as flags.
    let problem = unmarked(stderr.trim_end().strip_prefix("error: ").unwrap_or(stderr.trim_end()));
    match status.code() {
        None if stderr.contains("overflowed its stack") => Err(Error::Check(format!(
            "{} ended the check, {at}: it is nested too deeply to be compiled, so split its longest expressions",
            shown(file)
        ))),
        Some(0) => Ok(()),
        Some(2) => Err(Error::Usage(problem)),
        Some(4) => Err(Error::Device(DeviceFault::Lost, problem)),
        Some(6) => Err(Error::Check(problem)),
        Some(1) => Err(Error::Failure(problem)),
        _ => Err(Error::Check(format!("{} crashed the check, {at} ({status}): {problem}", shown(file)))),
    }
}
