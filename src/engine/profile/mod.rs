//! What each dispatch of a step takes: an engine notes it while a profile is being taken, and a
//! table and a trace are made of it afterwards.
//!
//! Taking a profile changes when dispatches run, never what they compute: see `tests/profile.rs`.

mod table;
mod trace;

pub use table::ProfileRow;
pub use trace::trace;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::program::Program;

/// What time is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The machine's, around each function of the CPU engine.
    #[default]
    Host,
    /// The device's own, read before and after each dispatch.
    Device,
    /// The machine's, around a submission of one dispatch and the wait for it: for adapters without
    /// a clock of their own, or for more dispatches than it has room for.
    Submission,
}

impl Clock {
    /// What a time is, as a sentence continues after “times are”.
    pub fn meaning(self) -> &'static str {
        match self {
            Clock::Host => "those of each function on the CPU",
            Clock::Device => "the device's own, of each dispatch alone",
            Clock::Submission => {
                "those from submitting each dispatch alone to its end, because the adapter has no clock \
                 for it: take them as upper bounds"
            }
        }
    }
}

/// One run of one dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Its place in [`Program::steps`].
    pub dispatch: usize,
    /// [`Step::index`](crate::kernel::Step::index) of the step that it belongs to.
    pub step: u32,
    /// Seconds from a moment that all spans of a profile share.
    pub start: f64,
    pub seconds: f64,
}

/// Tells an engine which steps are wanted, and keeps what it notes. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Profiler {
    log: Arc<Mutex<Log>>,
    /// Whether a device's own clock is left alone.
    pub(crate) by_submission: bool,
}

#[derive(Debug, Default)]
struct Log {
    section: Range<usize>,
    /// Steps that are still wanted.
    wanted: usize,
    clock: Clock,
    spans: Vec<Span>,
}

impl Profiler {
    /// One that times submissions also where the adapter has a clock of its own.
    pub fn by_submission() -> Profiler {
        Profiler { by_submission: true, ..Profiler::default() }
    }

    /// Wants the next `steps` runs of a section, and forgets what was noted before.
    pub fn watch(&self, section: Range<usize>, steps: usize) {
        *self.log() = Log { section, wanted: steps, ..Log::default() };
    }

    /// Of a section that is about to run `steps` times, how many times are wanted: the first ones.
    pub(crate) fn claim(&self, section: &Range<usize>, steps: usize) -> usize {
        let mut log = self.log();
        let claimed = if log.section == *section { steps.min(log.wanted) } else { 0 };
        log.wanted -= claimed;
        claimed
    }

    /// Keeps what was measured.
    pub(crate) fn note(&self, clock: Clock, spans: impl IntoIterator<Item = Span>) {
        let mut log = self.log();
        log.clock = clock;
        log.spans.extend(spans);
    }

    /// What has been noted, with the dispatches that it was noted of.
    pub fn profile(&self, program: &Program) -> Profile {
        let log = self.log();
        let dispatches = program.steps[log.section.clone()].iter().map(|dispatch| DispatchNeeds {
            // The CPU engine runs no shader, and its function is the same for all versions.
            kernel: match log.clock {
                Clock::Host => dispatch.kernel.twin_source.function,
                Clock::Device | Clock::Submission => dispatch.kernel.name,
            },
            label: dispatch.label(),
            flops: (dispatch.kernel.flops)(&dispatch.consts),
            bytes: dispatch.kernel.bytes(&dispatch.consts),
        });
        Profile {
            first: log.section.start,
            dispatches: dispatches.collect(),
            clock: log.clock,
            spans: log.spans.clone(),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing is left half done in a log when a thread panics.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a dispatch is, and what the kernel table says that it needs.
#[derive(Clone, Debug)]
struct DispatchNeeds {
    kernel: &'static str,
    label: String,
    flops: usize,
    bytes: usize,
}

/// The profile of some steps of one section.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The place of the section's first dispatch in its Program.
    first: usize,
    dispatches: Vec<DispatchNeeds>,
    pub clock: Clock,
    pub spans: Vec<Span>,
}

impl Profile {
    /// Steps that were profiled.
    pub fn steps(&self) -> usize {
        self.spans.len() / self.dispatches.len().max(1)
    }

    /// Whether the first step is left out of the table: drivers compile in it, and memory is touched
    /// for the first time. It stays in when it is the only one.
    pub fn leaves_out_the_first(&self) -> bool {
        self.steps() > 1
    }

    fn work(&self, span: &Span) -> &DispatchNeeds {
        &self.dispatches[span.dispatch - self.first]
    }
}
