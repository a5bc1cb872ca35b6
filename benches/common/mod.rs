//! The arguments of the benches.

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

    /// Whether a text has all the words of the command line, in either case of letters.
    pub fn wants(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.to_lowercase().contains(&word.to_lowercase()))
    }

    /// The least seconds of a measurement, and the number of measurements.
    pub fn effort(&self) -> (f64, usize) {
        if self.quick { (0.015, 3) } else { (0.05, 7) }
    }
}
