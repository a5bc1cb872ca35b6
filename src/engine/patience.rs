//! How long an engine waits for a device that does not answer.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use wgpu::{CommandBuffer, Queue, SubmissionIndex};

use super::device::quietly;
use crate::error::{DeviceFault, Error, Result};

/// Decides in a long wait whether the device is given up.
///
/// It gets how long this wait has lasted and how long the longest one before it took.
pub type Patience = Arc<dyn Fn(Duration, Duration) -> bool + Send + Sync>;

/// The time between two questions in a wait.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// Whether a device of this process was given up.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// Whether a device of this process was given up while it worked.
///
/// Its driver may wait for the work in whatever runs when a process exits, so such a process must skip that.
pub fn has_given_up() -> bool {
    GIVEN_UP.load(Ordering::SeqCst)
}

/// The error of a device that is given up after a wait.
fn give_up(waited: Duration) -> Error {
    GIVEN_UP.store(true, Ordering::SeqCst);
    Error::Device(DeviceFault::GivenUp, format!("the device has not answered for {} s", waited.as_secs()))
}

/// The waits of an engine that may give its device up.
pub(super) struct Waits {
    patience: Patience,
    /// The longest wait so far.
    longest: Cell<Duration>,
    /// None where no thread can be made.
    submitter: Option<Submitter>,
}

impl Waits {
    pub fn new(patience: Patience, queue: &Queue) -> Waits {
        Waits { patience, longest: Cell::default(), submitter: Submitter::start(queue.clone()).ok() }
    }

    /// What `wait` returns, which waits at most for a [`TICK`] and gets none before its end.
    pub fn until<T>(&self, mut wait: impl FnMut() -> Option<T>) -> Result<T> {
        let (since, longest) = (Instant::now(), self.longest.get());
        let got = loop {
            if let Some(got) = wait() {
                break got;
            }
            if (self.patience)(since.elapsed(), longest) {
                return Err(give_up(since.elapsed()));
            }
        };
        self.longest.set(longest.max(since.elapsed()));
        Ok(got)
    }

    /// Submits commands. Returns none when wgpu gave up.
    pub fn submit(&self, queue: &Queue, commands: CommandBuffer) -> Result<Option<SubmissionIndex>> {
        let Some(submitter) = &self.submitter else { return Ok(Some(queue.submit([commands]))) };
        if submitter.commands.as_ref().is_none_or(|sender| sender.send(commands).is_err()) {
            return Ok(None);
        }
        self.until(|| match submitter.indices.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) => None,
            received => Some(received.ok()),
        })
    }
}

/// A thread that submits: a driver may block there, as lavapipe does while it is busy with the submission before.
struct Submitter {
    commands: Option<Sender<CommandBuffer>>,
    indices: Receiver<SubmissionIndex>,
    thread: Option<JoinHandle<()>>,
}

impl Submitter {
    fn start(queue: Queue) -> io::Result<Submitter> {
        let ((commands, jobs), (done, indices)) = (channel::<CommandBuffer>(), channel());
        let thread = Builder::new().spawn(move || {
            for commands in jobs {
                // wgpu 30 panics when the device is lost.
                let Some(index) = quietly(|| queue.submit([commands])) else { return };
                if done.send(index).is_err() {
                    return;
                }
            }
        })?;
        Ok(Submitter { commands: Some(commands), indices, thread: Some(thread) })
    }
}

impl Drop for Submitter {
    fn drop(&mut self) {
        // The thread ends, and with it its handle of the queue, before the rest of the engine.
        self.commands = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
