//! stdout is the answer, stderr is progress. A pipe that closes is no error.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use wgrad::internals::error::with_settings;
use wgrad::{Error, Result};

/// Writes a line of the answer to stdout.
///
/// # Errors
/// When it cannot be written, except that a closed pipe ends the program
/// quietly, as `| head` expects.
pub fn answer(line: fmt::Arguments) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Error::Failure(format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Writes a line of progress to stderr, with marked settings as flags; there is nowhere to report that nobody reads it.
pub fn note(line: fmt::Arguments) {
    let _ = writeln!(io::stderr().lock(), "{}", with_flags(&line.to_string()));
}

/// A text of the library, its marked settings as flags.
pub fn with_flags(text: &str) -> String {
    with_settings(text, as_flag)
}

/// A setting as the command line has it: the data set is the one that is an argument.
pub fn as_flag(key: &str, value: Option<&str>) -> String {
    let flag = if key == "data" { "DATA".to_owned() } else { format!("--{}", key.replace('_', "-")) };
    match value {
        None => flag,
        Some(value) if value.contains(' ') => format!("{flag} \"{value}\""),
        Some(value) => format!("{flag} {value}"),
    }
}

/// A path as a shell takes it: in quotes where it has anything that a shell would take apart.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=\\".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// 12345 as 12,345.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_is_one_word_to_a_shell() {
        let paths = ["a/b_c-1.wgsl", "my kernels/a.wgsl", "it's", "", "$HOME"];
        let words = ["a/b_c-1.wgsl", "'my kernels/a.wgsl'", r"'it'\''s'", "''", "'$HOME'"];
        assert_eq!(paths.map(|path| quoted(Path::new(path))), words);
    }

    #[test]
    fn marked_settings_are_shown_as_flags() {
        let text = "use ⟨batch_size 32⟩ or ⟨optimiser sgd momentum 0.9⟩, another ⟨network⟩ or other ⟨data⟩";
        let shown =
            "use --batch-size 32 or --optimiser \"sgd momentum 0.9\", another --network or other DATA";
        assert_eq!(with_flags(text), shown);
    }

    #[test]
    fn commas_stand_between_groups_of_three() {
        assert_eq!(
            ["7", "123", "1,234", "1,234,567"],
            [7, 123, 1_234, 1_234_567].map(thousands).each_ref().map(|s| s.as_str())
        );
    }
}
