//! What the benches share: their arguments.

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

    /// Seconds that a measurement takes at least, and how often it is taken.
    pub fn effort(&self) -> (f64, usize) {
        if self.quick { (0.015, 3) } else { (0.05, 7) }
    }
}
