//! Ctrl-C and SIGTERM: the first ends in order, the second at once.
//!
//! On Windows signal-hook uses the C runtime, which has both: Ctrl-C arrives as SIGINT, and nobody sends SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use wgrad::internals::train::running::Stop;
use wgrad::{Error, Result};

/// Time within which a second signal counts as an echo.
///
/// `timeout`, for example, signals a process directly and once more with its group. A later signal counts
/// as the second one.
const ECHO: Duration = Duration::from_millis(500);

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
        let armed = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Once armed, a signal ends the program with the exit code that shells use for it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&armed))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&caught), signal as usize))
                .map_err(|error| Error::Failure(format!("Ctrl-C can't be caught ({error})")))?;
        }
        let noted = Arc::clone(&caught);
        // In a thread of its own, as the training thread may be waiting for a device.
        thread::spawn(move || {
            while noted.load(Ordering::Relaxed) == 0 {
                thread::sleep(ECHO / 10);
            }
            thread::sleep(ECHO);
            armed.store(true, Ordering::SeqCst);
        });
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
