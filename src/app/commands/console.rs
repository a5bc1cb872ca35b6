//! Output: answers on stdout, progress on stderr. A closed pipe is no error.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use wgrad::internals::error::{as_in_a_recipe, with_settings};
use wgrad::{Error, Result};

use crate::app::cli::flags;
use crate::app::shortened::shortened;

/// Writes a line of the answer to stdout.
///
/// # Errors
/// [`Error::Failure`] when it can't be written. A closed pipe ends the program quietly, as `| head` expects.
pub fn answer(line: fmt::Arguments) -> Result<()> {
    match print(line) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Error::Failure(format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Whether something was written to stdout.
static ANSWERED: AtomicBool = AtomicBool::new(false);

fn print(line: fmt::Arguments) -> io::Result<()> {
    ANSWERED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush())
}

/// Writes the error of a command to stderr, and with `--json` as an object to stdout if nothing else is there.
pub fn report(error: &Error, as_json: bool) {
    let sentence = shortened(&with_flags(error.marked()));
    note(format_args!("error: {}", error.marked()));
    if as_json && !ANSWERED.load(Ordering::Relaxed) {
        // A failure here is ignored: the error itself decides the exit code.
        let _ = print(format_args!("{}", json!({ "error": sentence })));
    }
}

/// Writes an object about a failed command to stdout. It ends nothing, as the command's own error is to be reported.
pub fn answer_of_failure(line: fmt::Arguments) {
    let _ = print(line);
}

/// Writes a line of progress to stderr, with marked settings as flags.
///
/// A failure to write is ignored: there is nowhere left to report it.
pub fn note(line: fmt::Arguments) {
    let _ = writeln!(io::stderr().lock(), "{}", shortened(&with_flags(&line.to_string())));
}

/// A text of the library, its marked settings as flags.
pub fn with_flags(text: &str) -> String {
    with_settings(text, as_flag)
}

/// The long flags of the command that runs, found when a message first needs them.
static FLAGS: LazyLock<Option<Vec<String>>> = LazyLock::new(|| flags(std::env::args_os().skip(1)));

/// A setting as the command line has it. The data set is an argument, the others are flags. A setting for which this
/// command has no flag is shown as in a recipe.
pub fn as_flag(key: &str, value: Option<&str>) -> String {
    let name = key.replace('_', "-");
    if key != "data" && FLAGS.as_ref().is_some_and(|flags| !flags.contains(&name)) {
        return as_in_a_recipe(key, value);
    }
    as_train_flag(key, value)
}

/// A text of the library, its marked settings as flags of `wgrad train`, whichever command runs.
pub fn with_train_flags(text: &str) -> String {
    with_settings(text, as_train_flag)
}

fn as_train_flag(key: &str, value: Option<&str>) -> String {
    let name = key.replace('_', "-");
    let flag = if key == "data" { "DATA".to_owned() } else { format!("--{name}") };
    match value {
        None => flag,
        Some(value) if value.contains(' ') => format!("{flag} \"{value}\""),
        Some(value) => format!("{flag} {value}"),
    }
}

/// A path as one word of a shell, in quotes where needed.
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
    fn thousands_are_separated_by_commas() {
        assert_eq!(
            ["7", "123", "1,234", "1,234,567"],
            [7, 123, 1_234, 1_234_567].map(thousands).each_ref().map(|s| s.as_str())
        );
    }
}
