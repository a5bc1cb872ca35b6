//! Everything that can go wrong, sorted by what the user can do about it.

/// Why something could not be done: one sentence with the cause and the fix.
///
/// The variant decides the exit code of the program, see [`Error::exit_code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something failed that is nobody's input: a disk, a pipe (exit code 1).
    #[error("{0}")]
    Failure(String),
    /// The command line, a recipe, a network's text or an unknown name (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// Data or a model file that cannot be used (exit code 3).
    #[error("{0}")]
    Data(String),
    /// No adapter, too small an adapter, or a lost device (exit code 4).
    #[error("{0}")]
    Device(String),
    /// The loss became NaN or infinite (exit code 5).
    #[error("{0}")]
    Diverged(String),
    /// A check that was asked for did not hold (exit code 6).
    #[error("{0}")]
    Check(String),
    /// The user stopped a run by this signal, after it was saved (exit code 128 and the signal's number).
    #[error("{0}")]
    Interrupted(String, u8),
}

/// What a fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The exit code of a program that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Failure(_) => 1,
            Error::Usage(_) => 2,
            Error::Data(_) => 3,
            Error::Device(_) => 4,
            Error::Diverged(_) => 5,
            Error::Check(_) => 6,
            Error::Interrupted(_, signal) => 128 + signal,
        }
    }
}

/// `, did you mean “x”?` for the nearest of `known`, or nothing when none is near.
pub fn suggestion(given: &str, known: &[&str]) -> String {
    let given = given.to_lowercase();
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min()
        .map(|(_, name)| format!(", did you mean “{name}”?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggestion("mnsit", &["digits", "mnist"]), ", did you mean “mnist”?");
        assert_eq!(suggestion("cats", &["digits", "mnist"]), "");
    }
}
