//! What the benches share: arguments, and the timing of dispatches.

use std::ops::Range;

use wgrad::bench::timing::{self, Seconds};
use wgrad::engine::Engine;
use wgrad::kernel::Step;
use wgrad::program::View;

/// The arguments after `cargo bench --bench NAME --`.
pub struct Options {
    /// Fewer and shorter measurements.
    pub quick: bool,
    words: Vec<String>,
}

impl Options {
    pub fn from_args() -> Options {
        // Cargo itself adds `--bench`.
        let (flags, words): (Vec<String>, _) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
        Options { quick: flags.iter().any(|flag| flag == "--quick"), words }
    }

    /// Whether a text has all the words asked for, in either case of letters.
    pub fn wants(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.to_lowercase().contains(&word.to_lowercase()))
    }

    /// How often a measurement is taken.
    pub fn samples(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }
}

/// What one run of some dispatches takes. They are repeated within a submission
/// until the host's part does not count.
pub fn time(
    engine: &mut dyn Engine,
    dispatches: Range<usize>,
    result: View,
    step: &dyn Fn(usize) -> Step,
    options: &Options,
) -> Seconds {
    let goal = if options.quick { 0.015 } else { 0.05 };
    timing::time(engine, dispatches, result, step, (goal, options.samples())).unwrap()
}
