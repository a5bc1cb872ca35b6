//! Everything that can go wrong, sorted by what the user can do about it.
//!
//! A message that names a setting marks it: `⟨batch_size⟩`, or with a value `⟨batch_size 32⟩`. The library shows the
//! marks as a recipe has them (`batch_size`, `batch_size = 32`); a program shows them in its own way, as flags for
//! example, with [`with_settings`]. A data set to be downloaded is marked like a setting, `⟨download mnist⟩`. So no message of the library has to know what a program calls a setting. Text from
//! outside is no mark, whatever it holds: [`crate::text`] writes its brackets as [`BRACKET`], which is shown as `⟨`.

use std::fmt;

use crate::text::BRACKET;

/// Why something could not be done: one sentence with the cause and the fix.
///
/// The variant decides the exit code of the program, see [`Error::exit_code`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A failed disk, pipe or program, whatever the input (exit code 1).
    Failure(String),
    /// A text that can't be read, or an unknown name (exit code 2).
    Usage(String),
    /// A setting that doesn't go with the rest (exit code 2).
    ///
    /// The rest is the data, the network, the device or another setting.
    Setting {
        /// The key of the setting in a recipe, such as `batch_size`.
        key: &'static str,
        /// The sentence.
        problem: String,
    },
    /// Data or a model file that cannot be used (exit code 3).
    Data(String),
    /// A missing file or folder of data, a run or a model (exit code 3).
    NotFound(String),
    /// No adapter, too small an adapter, or a lost device (exit code 4).
    Device(DeviceFault, String),
    /// The loss, a gradient or a weight became non-finite (exit code 5).
    Diverged(String),
    /// A check failed (exit code 6).
    Check(String),
    /// A signal stopped a run, which was saved (exit code 128 + signal).
    Interrupted {
        /// The number of the signal, 2 for Ctrl-C.
        signal: u8,
        /// The sentence.
        problem: String,
    },
}

/// The fault of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceFault {
    /// None answers, or it can't be opened: take another one.
    Absent,
    /// It has too little memory or too low a limit: take a smaller batch or network.
    TooSmall,
    /// It stopped answering while it worked: open it again.
    Lost,
    /// It was given up while it still worked, so the process can only end.
    GivenUp,
}

/// The result of a fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The exit code of a program that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Failure(_) => 1,
            Error::Usage(_) | Error::Setting { .. } => 2,
            Error::Data(_) | Error::NotFound(_) => 3,
            Error::Device(..) => 4,
            Error::Diverged(_) => 5,
            Error::Check(_) => 6,
            Error::Interrupted { signal, .. } => 128 + signal,
        }
    }

    /// The sentence, with settings marked.
    pub fn marked(&self) -> &str {
        match self {
            Error::Failure(problem)
            | Error::Usage(problem)
            | Error::Setting { problem, .. }
            | Error::Data(problem)
            | Error::NotFound(problem)
            | Error::Device(_, problem)
            | Error::Diverged(problem)
            | Error::Check(problem)
            | Error::Interrupted { problem, .. } => problem,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&with_settings(self.marked(), as_in_a_recipe))
    }
}

impl std::error::Error for Error {}

/// A text with its marked settings replaced.
///
/// `show` gets the key of a setting and, where there is one, its value.
pub fn with_settings(text: &str, show: impl Fn(&str, Option<&str>) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('⟨') {
        shown.push_str(before);
        if let Some(after) = behind.strip_prefix(&BRACKET['⟨'.len_utf8()..]) {
            shown.push('⟨');
            rest = after;
            continue;
        }
        match behind.split_once('⟩') {
            Some((mark, after)) if is_mark(mark) => {
                let (key, value) =
                    mark.split_once(' ').map_or((mark, None), |(key, value)| (key, Some(value)));
                shown.push_str(&show(key, value));
                rest = after;
            }
            _ => {
                shown.push('⟨');
                rest = behind;
            }
        }
    }
    shown + rest
}

/// Whether the text between brackets begins with a key.
fn is_mark(mark: &str) -> bool {
    let key = mark.split(' ').next().unwrap_or_default();
    !key.is_empty() && key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

/// The key of a mark that names a data set to download.
pub const DOWNLOAD: &str = "download";

/// A setting as a recipe file has it.
pub fn as_in_a_recipe(key: &str, value: Option<&str>) -> String {
    match value {
        None => key.to_owned(),
        Some(_) if key == DOWNLOAD => "the program".to_owned(),
        Some(value) if value.parse::<f64>().is_ok() => format!("{key} = {value}"),
        Some(value) => format!("{key} = \"{value}\""),
    }
}

/// The most bytes of a misspelt name.
const MOST_OF_A_NAME: usize = 100;

/// `, did you mean “x”?` with the nearest of `known`; empty when none is near.
pub fn suggestion(given: &str, known: &[&str]) -> String {
    if given.len() > MOST_OF_A_NAME {
        return String::new();
    }
    let given = given.to_lowercase();
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), name))
        // One mistake in a short name; with two, almost every word would be near.
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
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
        for (given, short) in [("cat", "cpu"), ("tanh", "sgd"), ("dense", "mse"), ("max", "adam")] {
            assert_eq!(suggestion(given, &[short]), "", "{given}");
        }
    }

    #[test]
    fn settings_are_shown_as_a_recipe_has_them_or_as_a_program_calls_them() {
        let error = Error::Setting {
            key: "batch_size",
            problem:
                "it does not fit: use ⟨batch_size 32⟩, ⟨optimiser sgd momentum 0.9⟩ or another ⟨network⟩"
                    .to_owned(),
        };
        assert_eq!(
            error.to_string(),
            "it does not fit: use batch_size = 32, optimiser = \"sgd momentum 0.9\" or another network"
        );
        let flag = |key: &str, value: Option<&str>| {
            format!("--{key}{}", value.map_or(String::new(), |v| format!(" {v}")))
        };
        assert_eq!(
            with_settings(error.marked(), flag),
            "it does not fit: use --batch_size 32, --optimiser sgd momentum 0.9 or another --network"
        );
        for unmarked in ["a ⟨ alone, ⟩ too", "⟨⟩", "an open ⟨batch_size", "⟨Photos⟩"] {
            assert_eq!(with_settings(unmarked, flag), unmarked);
        }
    }

    #[test]
    fn brackets_of_a_text_from_outside_never_mark_a_setting() {
        for text in ["⟨network⟩", "a⟨batch_size 32⟩b", "⟨", "⟨net", "x ⟨a b", "⟨⟨network⟩", "⟩", "⟨N⟩"]
        {
            let message = format!("{} can't be read: use ⟨data⟩", crate::text::printable(text));
            let message = with_settings(&message, |key, _| format!("--{key}"));
            assert_eq!(message, format!("{text} can't be read: use --data"));
        }
    }
}
