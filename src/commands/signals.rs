//! Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use wgrad::error::{Error, Result};

/// Knows which signal has come, if any.
pub struct Signals {
    caught: Arc<AtomicUsize>,
}

impl Signals {
    /// Catches signals from here on.
    ///
    /// # Errors
    /// [`Error::Failure`] when the system doesn't let them be caught.
    pub fn catch() -> Result<Signals> {
        let caught = Arc::new(AtomicUsize::new(0));
        let armed = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: a first signal finds nothing armed, arms, and is noted; the second
            // one ends the program with the exit code that shells give such an end.
            let code = 128 + signal;
            flag::register_conditional_shutdown(signal, code, Arc::clone(&armed))
                .and_then(|_| flag::register(signal, Arc::clone(&armed)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&caught), signal as usize))
                .map_err(|error| Error::Failure(format!("Ctrl-C can't be caught ({error})")))?;
        }
        Ok(Signals { caught })
    }

    /// The number of the signal that has come.
    pub fn caught(&self) -> Option<u8> {
        u8::try_from(self.caught.load(Ordering::Relaxed)).ok().filter(|signal| *signal > 0)
    }
}
