//! Profiles: the time of each dispatch of a step, as a table and as a trace.
//!
//! An engine notes times while a [`Profiler`] wants them. A profile changes when dispatches run, never what they
//! compute: see `tests/profile.rs`.

mod table;
mod trace;

pub use table::ProfileRow;
pub use trace::trace;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::program::Program;

/// The clock that times are measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The host's clock, around each function of the CPU engine.
    #[default]
    Host,
    /// The device's clock, read before and after each dispatch.
    Device,
    /// The host's clock, around the submission of one dispatch and the wait for it.
    ///
    /// It serves adapters without a clock, and sections of more dispatches than there are timestamps.
    Submission,
}

impl Clock {
    /// The meaning of a time, as the end of a sentence that begins with “times are”.
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

/// The time of one run of one dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Its index in [`Program::steps`].
    pub dispatch: usize,
    /// [`Step::index`](crate::kernel::Step::index) of its step.
    pub step: u32,
    /// Its start, in seconds from an origin that all spans of a profile share.
    pub start: f64,
    /// Its duration, in seconds.
    pub seconds: f64,
}

/// Tells an engine which steps to time, and keeps their times. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Profiler {
    log: Arc<Mutex<Log>>,
    /// Whether the device's clock is not used.
    pub(crate) by_submission: bool,
}

#[derive(Debug, Default)]
struct Log {
    section: Range<usize>,
    /// Steps that are still to be timed.
    wanted: usize,
    clock: Clock,
    spans: Vec<Span>,
}

impl Profiler {
    /// A profiler that times submissions, even where the adapter has a clock.
    pub fn by_submission() -> Profiler {
        Profiler { by_submission: true, ..Profiler::default() }
    }

    /// Asks for the times of the next `steps` runs of a section.
    ///
    /// Earlier times are forgotten.
    pub fn watch(&self, section: Range<usize>, steps: usize) {
        *self.log() = Log { section, wanted: steps, ..Log::default() };
    }

    /// The number of runs to time when a section is about to run `steps` times: the first ones.
    pub(crate) fn claim(&self, section: &Range<usize>, steps: usize) -> usize {
        let mut log = self.log();
        let claimed = if log.section == *section { steps.min(log.wanted) } else { 0 };
        log.wanted -= claimed;
        claimed
    }

    /// Keeps measured times.
    pub(crate) fn note(&self, clock: Clock, spans: impl IntoIterator<Item = Span>) {
        let mut log = self.log();
        log.clock = clock;
        log.spans.extend(spans);
    }

    /// The times noted so far, with their dispatches.
    pub fn profile(&self, program: &Program) -> Profile {
        let log = self.log();
        let dispatches = program.steps[log.section.clone()].iter().map(|dispatch| DispatchNeeds {
            // The CPU engine runs no shader, and all variants have the same function.
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
        // A panic leaves no log half changed.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A dispatch, with its work by the kernel table.
#[derive(Clone, Debug)]
struct DispatchNeeds {
    kernel: &'static str,
    label: String,
    flops: usize,
    bytes: usize,
}

/// The times of all dispatches in consecutive runs of one section.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The index of the section's first dispatch in its Program.
    first: usize,
    dispatches: Vec<DispatchNeeds>,
    /// The clock of all times.
    pub clock: Clock,
    /// A time for each dispatch of each step, in order.
    pub spans: Vec<Span>,
}

impl Profile {
    /// The number of steps that were profiled.
    pub fn steps(&self) -> usize {
        self.spans.len() / self.dispatches.len().max(1)
    }

    /// Whether the table leaves out the first step.
    ///
    /// Drivers compile and memory is first touched in it. An only step is not left out.
    pub fn leaves_out_the_first(&self) -> bool {
        self.steps() > 1
    }

    fn work(&self, span: &Span) -> &DispatchNeeds {
        &self.dispatches[span.dispatch - self.first]
    }
}
