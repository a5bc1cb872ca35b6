//! Output: answers on stdout, progress on stderr. A closed pipe is no error.
//!
//! Nothing else in the program writes there, so nothing that a terminal would obey or hide reaches it: texts from
//! outside are escaped where they go into a message, and each message once more here.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use console::Term;
use indicatif::HumanCount;
use serde::Serialize;
use serde_json::json;
use wgrad::internals::error::{DOWNLOAD, as_in_a_recipe, with_settings};
use wgrad::internals::text::{self, printable, reason};
use wgrad::{Error, Result};

use crate::app::cli::{ask_for_json, flags, words};
use crate::app::shortened::shortened;
use crate::app::wrapped::wrapped;

/// Writes a part of the answer to stdout, with marked settings as flags.
///
/// # Errors
/// [`Error::Failure`] when it can't be written. A closed pipe ends the program quietly, as `| head` expects.
pub fn answer(line: fmt::Arguments) -> Result<()> {
    let lines = with_flags(&line.to_string());
    write_answer(&wrapped(&text::lines(&lines), columns(&Term::stdout())))
}

/// Writes lines for another program to stdout, as by [`answer`] but never broken.
///
/// # Errors
/// As [`answer`].
pub fn answer_whole(lines: &str) -> Result<()> {
    write_answer(&text::lines(&with_flags(lines)))
}

/// The columns of a terminal. None of a file or a pipe, whose reader gets whole lines.
fn columns(stream: &Term) -> Option<usize> {
    stream.size_checked().filter(|_| stream.is_term()).map(|(_, columns)| columns.into())
}

/// Writes a value to stdout as one line of JSON.
///
/// # Errors
/// As [`answer`].
pub fn answer_json(value: &impl Serialize) -> Result<()> {
    write_answer(&text::json(&serde_json::to_string(value).expect("strings and numbers are JSON")))
}

/// Whether something was written to stdout.
static ANSWERED: AtomicBool = AtomicBool::new(false);

fn print(text: &str) -> io::Result<()> {
    ANSWERED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

fn write_answer(text: &str) -> Result<()> {
    match print(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Error::Failure(format!("cannot write to stdout: {}", reason(&error)))),
        Ok(()) => Ok(()),
    }
}

/// Writes the error of a command to stderr, and with `--json` as an object to stdout if nothing else is there.
pub fn report(error: &Error, as_json: bool) {
    let sentence = shortened(&with_flags(error.marked()));
    note(format_args!("error: {}", error.marked()));
    if as_json && !ANSWERED.load(Ordering::Relaxed) {
        // A failure here is ignored: the error itself decides the exit code.
        let _ = print(&text::json(&json!({ "error": sentence }).to_string()));
    }
}

/// Writes an object about a failed command to stdout. It ends nothing, as the command's own error is to be reported.
pub fn answer_of_failure(value: &impl Serialize) {
    let _ = print(&text::json(&serde_json::to_string(value).expect("strings and numbers are JSON")));
}

/// Writes a line of progress to stderr, with marked settings as flags.
///
/// A failure to write is ignored: there is nowhere left to report it.
pub fn note(line: fmt::Arguments) {
    note_shown(&shortened(&with_flags(&line.to_string())));
}

/// Writes a line of progress whose settings are already shown as flags.
pub fn note_shown(line: &str) {
    let lines = text::lines(line);
    let _ = writeln!(io::stderr().lock(), "{}", wrapped(&lines, columns(&Term::stderr())));
}

/// Prints the help, or why the command line was refused, and gives the exit code.
pub fn refused(mut error: clap::Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    if !error.use_stderr() {
        // The help has no text from outside, and may have colours.
        return match error.print().and_then(|()| io::stdout().flush()) {
            Err(problem) if problem.kind() != ErrorKind::BrokenPipe => {
                note_shown(&format!("error: cannot write to stdout: {}", reason(&problem)));
                ExitCode::FAILURE
            }
            _ => code,
        };
    }
    // The words of the command line that it repeats.
    let repeated: Vec<(ContextKind, ContextValue)> =
        error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in repeated.into_iter().filter(|(kind, _)| *kind != ContextKind::Usage) {
        error.insert(kind, on_one_line(value));
    }
    let rendered = error.render().to_string();
    note_shown(rendered.trim_end());
    // The command line can't be parsed, but it is clear what its user wants to read.
    if ask_for_json(words()) {
        let lines: Vec<&str> = rendered.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        answer_of_failure(&json!({ "error": lines.join(" ").trim_start_matches("error: ") }));
    }
    code
}

fn on_one_line(value: ContextValue) -> ContextValue {
    let word = |word: &str| with_flags(&text::shorten(word));
    match value {
        ContextValue::String(one) => ContextValue::String(word(&one)),
        ContextValue::Strings(all) => ContextValue::Strings(all.iter().map(|one| word(one)).collect()),
        ContextValue::StyledStr(one) => ContextValue::StyledStr(word(&one.to_string()).into()),
        ContextValue::StyledStrs(all) => {
            ContextValue::StyledStrs(all.iter().map(|one| word(&one.to_string()).into()).collect())
        }
        other => other,
    }
}

/// A text of the library, its marked settings as flags.
pub fn with_flags(text: &str) -> String {
    with_settings(text, as_flag)
}

/// Texts as by [`with_flags`].
pub fn with_all_flags(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| with_flags(text)).collect()
}

/// The long flags of the command that runs, found when a message first needs them.
static FLAGS: LazyLock<Option<Vec<String>>> = LazyLock::new(|| flags(words().skip(1)));

/// A setting as the command line has it. The data set is an argument, the others are flags. A setting for which this
/// command has no flag is shown as in a recipe.
pub fn as_flag(key: &str, value: Option<&str>) -> String {
    let name = key.replace('_', "-");
    if ![DOWNLOAD, "data"].contains(&key) && FLAGS.as_ref().is_some_and(|flags| !flags.contains(&name)) {
        return as_in_a_recipe(key, value);
    }
    as_train_flag(key, value)
}

/// A text of the library, its marked settings as flags of `wgrad train`, whichever command runs.
pub fn with_train_flags(text: &str) -> String {
    with_settings(text, as_train_flag)
}

fn as_train_flag(key: &str, value: Option<&str>) -> String {
    if let Some(set) = value.filter(|_| key == DOWNLOAD) {
        return format!("wgrad data get {set}");
    }
    let name = key.replace('_', "-");
    let flag = if key == "data" { "DATA".to_owned() } else { format!("--{name}") };
    match value {
        None => flag,
        Some(value) if value.contains(' ') => format!("{flag} \"{value}\""),
        Some(value) => format!("{flag} {value}"),
    }
}

/// A path as one word of a shell, in quotes where needed.
///
/// A path that can't be printed as it is becomes `$'…'`, with escapes that bash and zsh read.
pub fn quoted(path: &Path) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=\\".contains(c);
    match path.to_str() {
        Some(text) if with_flags(&printable(text)) == text => {
            if !text.is_empty() && text.chars().all(plain) {
                return text.to_owned();
            }
            printable(&format!("'{}'", text.replace('\'', r"'\''")))
        }
        _ => {
            let bytes = path.as_os_str().as_encoded_bytes().iter();
            let escaped = bytes.map(|byte| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
                b' '..=b'~' => char::from(*byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            });
            format!("$'{}'", escaped.collect::<String>())
        }
    }
}

/// 12345 as 12,345.
pub fn thousands(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

/// 1 as “1 epoch”, 12345 as “12,345 epochs”.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_is_one_word_to_a_shell() {
        let paths = ["a/b_c-1.wgsl", "my kernels/a.wgsl", "it's", "", "$HOME"];
        let words = ["a/b_c-1.wgsl", "'my kernels/a.wgsl'", r"'it'\''s'", "''", "'$HOME'"];
        assert_eq!(paths.map(|path| quoted(Path::new(path))), words);
        let paths = ["a\n\x1b[2J", "\u{202e}'\\", "\u{200b}⟨data⟩", "é 漢", "⟨data⟩"];
        let words = [
            r"$'a\x0a\x1b[2J'",
            r"$'\xe2\x80\xae\'\\'",
            r"$'\xe2\x80\x8b\xe2\x9f\xa8data\xe2\x9f\xa9'",
            "'é 漢'",
            "'⟨data⟩'",
        ];
        assert_eq!(paths.map(|path| with_flags(&quoted(Path::new(path)))), words);
    }

    #[test]
    fn words_of_the_command_line_are_repeated_on_one_line() {
        let value = ContextValue::Strings(vec!["a\nb".to_owned(), "⟨data⟩\u{202e}".to_owned()]);
        let expected = ContextValue::Strings(vec![r"a\nb".to_owned(), r"⟨data⟩\u{202e}".to_owned()]);
        assert_eq!(on_one_line(value), expected);
    }

    #[test]
    fn marked_settings_are_shown_as_flags() {
        let text = "use ⟨batch_size 32⟩ or ⟨optimiser sgd momentum 0.9⟩, another ⟨network⟩ or other ⟨data⟩";
        let shown =
            "use --batch-size 32 or --optimiser \"sgd momentum 0.9\", another --network or other DATA";
        assert_eq!(with_flags(text), shown);
    }
}
