//! Signals that end a run in order: the first saves it, the second ends the program at once.
//!
//! Such are Ctrl-C and SIGTERM, and on Unix the end of the terminal (SIGHUP), the time limit of a batch system (SIGXCPU,
//! SIGUSR1, SIGUSR2) and a file that has reached its size limit (SIGXFSZ), whose write then fails. SIGQUIT ends the
//! program as ever, with a core; a closed pipe is an error of the write, never a signal. On Windows signal-hook uses the
//! C runtime: Ctrl-C arrives as SIGINT, and nobody sends SIGTERM.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level;
use wgrad::internals::text::reason;
use wgrad::internals::train::running::Stop;
use wgrad::{Error, Result};

/// Time within which a second signal counts as an echo.
///
/// `timeout`, for example, signals a process directly and once more with its group. A later signal counts
/// as the second one.
const ECHO: Duration = Duration::from_millis(500);

/// The signals that end a run in order.
const ENDING: &[i32] = &[
    SIGINT,
    SIGTERM,
    #[cfg(unix)]
    SIGHUP,
    #[cfg(unix)]
    SIGXCPU,
    #[cfg(unix)]
    SIGUSR1,
    #[cfg(unix)]
    SIGUSR2,
];

/// The signal that has come, if any.
pub struct Signals {
    caught: Arc<AtomicUsize>,
}

impl Signals {
    /// Catches signals from here on.
    ///
    /// # Errors
    /// [`Error::Failure`] when the system refuses.
    pub fn catch() -> Result<Signals> {
        let caught = Arc::new(AtomicUsize::new(0));
        let since = Arc::new(AtomicU64::new(u64::MAX));
        let start = Instant::now();
        for signal in ENDING.iter().copied().filter(|signal| !stays_ignored(*signal)) {
            let (caught, since) = (Arc::clone(&caught), Arc::clone(&since));
            let note = move || {
                let now = start.elapsed().as_millis() as u64;
                if caught.compare_exchange(0, signal as usize, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    since.store(now, Ordering::SeqCst);
                } else if !repeats(signal)
                    && now.saturating_sub(since.load(Ordering::SeqCst)) > ECHO.as_millis() as u64
                {
                    // The exit code that shells use for it.
                    low_level::exit(128 + signal);
                }
            };
            // SAFETY: the action only uses atomic numbers, the clock and _exit, which signal handlers may.
            unsafe { low_level::register(signal, note) }.map_err(|error| refused(&error))?;
        }
        Ok(Signals { caught })
    }

    /// Whether a signal has come, asked from any thread.
    pub fn stop(&self) -> Stop {
        let caught = Arc::clone(&self.caught);
        Arc::new(move || caught.load(Ordering::Relaxed) > 0)
    }

    /// The number of the signal that has come.
    pub fn caught(&self) -> Option<u8> {
        u8::try_from(self.caught.load(Ordering::Relaxed)).ok().filter(|signal| *signal > 0)
    }
}

/// Ends the process without what else runs at its exit.
pub fn exit_at_once(code: u8) -> ! {
    signal_hook::low_level::exit(code.into())
}

fn refused(error: &io::Error) -> Error {
    Error::Failure(format!(
        "signals can't be caught ({}), so allow the program to handle them",
        reason(error)
    ))
}

/// Whether the system itself sends a signal again and again: beyond a limit of CPU time, every second.
#[cfg(unix)]
fn repeats(signal: i32) -> bool {
    signal == SIGXCPU
}

#[cfg(not(unix))]
fn repeats(_: i32) -> bool {
    false
}

/// Whether the program was started with the signal ignored, as by `nohup`, and is to leave it so.
///
/// Ctrl-C and SIGTERM are always caught: a shell starts programs in the background with SIGINT ignored.
#[cfg(unix)]
fn stays_ignored(signal: i32) -> bool {
    if [SIGINT, SIGTERM].contains(&signal) {
        return false;
    }
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action sigaction changes nothing, and it has filled in `now` where it succeeds.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn stays_ignored(_: i32) -> bool {
    false
}

/// The signal that a file sends that would grow beyond the size limit. It is noted, so that the write fails instead.
#[cfg(unix)]
mod file_size {
    use super::{Arc, AtomicUsize, Ordering, Result, SIGXFSZ, refused, stays_ignored};
    use std::sync::LazyLock;

    static NOTED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

    pub fn catch() -> Result<()> {
        if stays_ignored(SIGXFSZ) {
            return Ok(());
        }
        let noted = signal_hook::flag::register_usize(SIGXFSZ, Arc::clone(&NOTED), SIGXFSZ as usize);
        noted.map(|_| ()).map_err(|error| refused(&error))
    }

    pub fn exit_code() -> Option<u8> {
        (NOTED.load(Ordering::Relaxed) != 0).then_some(128 + SIGXFSZ as u8)
    }
}

#[cfg(not(unix))]
mod file_size {
    pub fn catch() -> super::Result<()> {
        Ok(())
    }

    pub fn exit_code() -> Option<u8> {
        None
    }
}

/// Makes a write beyond the size limit of files an error of that write. Without it the signal ends the program.
///
/// # Errors
/// [`Error::Failure`] when the system refuses.
pub fn catch_file_size() -> Result<()> {
    file_size::catch()
}

/// The exit code of a program with an error after a write beyond the size limit of files.
pub fn exit_code_of_file_size() -> Option<u8> {
    file_size::exit_code()
}
