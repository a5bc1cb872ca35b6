//! stdout is the answer, stderr is progress. A reader that goes away is no error.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use wgrad::error::{Error, Result};

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

/// Writes a line of progress to stderr; there is nowhere to report that nobody reads it.
pub fn note(line: fmt::Arguments) {
    let _ = writeln!(io::stderr().lock(), "{line}");
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
    fn commas_stand_between_groups_of_three() {
        assert_eq!(
            ["7", "123", "1,234", "1,234,567"],
            [7, 123, 1_234, 1_234_567].map(thousands).each_ref().map(|s| s.as_str())
        );
    }
}
