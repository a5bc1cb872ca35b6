//! How long an engine waits for a device that does not answer.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// Notes that a device was given up.
pub(super) fn note_given_up() {
    GIVEN_UP.store(true, Ordering::SeqCst);
}

/// The waits of an engine that may give its device up.
#[derive(Default)]
pub(super) struct Waits {
    pub patience: Option<Patience>,
    /// The longest wait so far.
    pub longest: Cell<Duration>,
}
