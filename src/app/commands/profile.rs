//! `--profile`: the time of each dispatch in a run's first steps.

use std::path::Path;

use wgrad::Result;
use wgrad::internals::data::files::write_atomically;
use wgrad::internals::engine::profile::{Profiler, trace};
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::program::Program;

use super::console::{answer, note, quoted};

/// The file in a run directory that holds the trace.
const TRACE: &str = "trace.json";

/// The profile of a run.
pub struct RunProfile {
    pub profiler: Profiler,
    program: Program,
    device: String,
    json: bool,
}

impl RunProfile {
    /// Profiles the next training steps. With `json` the table goes to stderr, as stdout is one object.
    pub fn new(lowered: &Lowered, device: String, steps: usize, json: bool) -> RunProfile {
        let profiler = Profiler::default();
        profiler.watch(lowered.program.section(TRAIN), steps);
        RunProfile { profiler, program: lowered.program.clone(), device, json }
    }

    /// Prints the table, and writes the trace into an existing run directory.
    pub fn report(&self, run: Option<&Path>) -> Result<()> {
        let profile = self.profiler.profile(&self.program);
        if profile.steps() == 0 {
            note(format_args!("no step was profiled: none was taken"));
            return Ok(());
        }
        let path = run.filter(|run| run.is_dir()).map(|run| run.join(TRACE));
        if let Some(path) = &path {
            let trace = trace([(format!("wgrad on {}", self.device), &profile)]);
            write_atomically(path, trace.to_string().as_bytes())?;
        }
        let written = path.map(|path| {
            format!("trace              {} (open it in Perfetto or chrome://tracing)", quoted(&path))
        });
        let caption = format!("profile            {}", profile.caption());
        for line in [caption].into_iter().chain(profile.table()).chain(written) {
            if self.json { note(format_args!("{line}")) } else { answer(format_args!("{line}"))? }
        }
        Ok(())
    }
}
