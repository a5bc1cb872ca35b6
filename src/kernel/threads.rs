//! The threads of this process. None is made where a failure would be a panic.

use std::error::Error as _;
use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle, available_parallelism};

use rayon::ThreadPoolBuilder;

use crate::error::{Error, Result};
use crate::text::reason;

/// Makes the threads that share the work on the CPU, once for the process.
///
/// It comes before the first use of rayon, which makes them when it is first used, and panics if it can't. A program
/// that has made rayon's global pool keeps its own.
///
/// # Errors
/// [`Error::Failure`] when the system makes no more threads.
pub fn start() -> Result<()> {
    static MADE: OnceLock<Result<()>> = OnceLock::new();
    let make = || {
        check_wanted()?;
        let Err(error) = ThreadPoolBuilder::new().build_global() else { return Ok(()) };
        // Without the system's error the pool was made before.
        error.source().and_then(|source| source.downcast_ref()).map_or(Ok(()), |error| Err(none(error)))
    };
    MADE.get_or_init(make).clone()
}

/// The processors that this process may use.
pub fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Checks the number of threads that `RAYON_NUM_THREADS` asks for. Each takes memory and time to start.
fn check_wanted() -> Result<()> {
    const NAME: &str = "RAYON_NUM_THREADS";
    let cores = cores();
    let most = 16.max(4 * cores);
    let wanted = std::env::var(NAME).ok().and_then(|text| text.trim().parse::<usize>().ok());
    match wanted.filter(|wanted| *wanted > most) {
        None => Ok(()),
        Some(wanted) => Err(Error::Usage(format!(
            "{NAME} is {wanted}, and this machine has {cores} cores: more than {most} threads are of no use, so set it to \
             that at most"
        ))),
    }
}

/// Starts a thread.
///
/// # Errors
/// As [`start`].
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
    Builder::new().spawn(work).map_err(|error| none(&error))
}

/// Checks that the system would make `count` more threads.
///
/// It is for a driver that makes its own, and may hang or abort without them.
///
/// # Errors
/// As [`start`].
pub fn spare(count: usize) -> Result<()> {
    let wait = |_| -> io::Result<_> {
        let (end, ended) = channel::<()>();
        let thread = Builder::new().spawn(move || ended.recv())?;
        Ok((end, thread))
    };
    // All of them at once: each waits until its sender is dropped.
    let mut waiting = Vec::with_capacity(count);
    let made = (0..count).try_for_each(|at| wait(at).map(|one| waiting.push(one)));
    for (end, thread) in waiting {
        drop(end);
        let _ = thread.join();
    }
    made.map_err(|error| none(&error))
}

fn none(error: &io::Error) -> Error {
    Error::Failure(format!(
        "the system makes no more threads for this process ({}), so raise its limit of processes or of memory, or \
         end other programs",
        reason(error)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_made_once_and_checked_without_a_trace() {
        start().unwrap();
        start().unwrap();
        spare(3).unwrap();
        assert_eq!(spawn(|| 7).unwrap().join().unwrap(), 7);
    }
}
