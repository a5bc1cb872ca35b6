//! Text from outside, made printable: on one line, with visible escapes for all that a terminal obeys or hides.
//!
//! File names, class names, and text of recipes, records, models and drivers go through [`printable`], [`shorten`] or
//! [`shown`] where a message or a table takes them up. The program passes all that it prints through [`lines`] or
//! [`json`] once more.

mod letters;
mod reason;

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::path::Path;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_width::UnicodeWidthStr;

pub use reason::{Reason, reason};

use letters::{Form, forms, is_visible, written};

/// A bracket that opens no mark of a setting.
pub const BRACKET: &str = "⟨⟨⟩";

/// The most characters of a text in a message.
const MOST: usize = 200;
/// The most characters of several lines that are joined.
const MOST_OF_LINES: usize = 1_000;
/// The most characters of a path; its beginning and its end are kept.
const MOST_OF_PATH: usize = 400;

/// A text on one line, with escapes such as `\n`, `\x1b` and `\u{202e}`.
///
/// Letters, marks, emoji and spaces stay, and joiners between letters of scripts that need them. A bracket that would
/// mark a setting (see [`crate::error`]) becomes a [`BRACKET`].
pub fn printable(text: &str) -> String {
    pieces(text).collect()
}

/// The beginning of a text as by [`printable`], at most 200 characters, and `…` if there is more.
pub fn shorten(text: &str) -> String {
    limited(text, MOST)
}

fn limited(text: &str, most: usize) -> String {
    let mut short = String::new();
    let mut length = 0;
    for piece in pieces(text) {
        length += piece.chars().count();
        if length > most {
            return short + "…";
        }
        short += &piece;
    }
    short
}

/// A text of several lines, such as an error of another crate, on one line: at most 1,000 characters as by [`printable`].
pub fn joined(text: impl Display) -> String {
    let text = text.to_string();
    limited(&text.split_whitespace().collect::<Vec<_>>().join(" "), MOST_OF_LINES)
}

/// A path as by [`printable`]; bytes that are no text are shown as `\xff`.
///
/// Of a path of more than 400 characters, the middle is left out.
pub fn shown(path: impl AsRef<Path>) -> String {
    let chunks = path.as_ref().as_os_str().as_encoded_bytes().utf8_chunks();
    let all: Vec<String> = chunks
        .flat_map(|chunk| {
            let other = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
            pieces(chunk.valid()).map(Cow::into_owned).chain(other).collect::<Vec<_>>()
        })
        .collect();
    let fitting = |pieces: &mut dyn Iterator<Item = &String>| {
        let lengths = pieces.scan(0, |length, piece| {
            *length += piece.chars().count();
            Some(*length)
        });
        lengths.take_while(|length| *length <= MOST_OF_PATH / 2).count()
    };
    let (front, end) = (fitting(&mut all.iter()), fitting(&mut all.iter().rev()));
    if front + end >= all.len() {
        return all.concat();
    }
    format!("{}…{}", all[..front].concat(), all[all.len() - end..].concat())
}

/// A path as a file of JSON has it: unescaped, with `U+FFFD` for bytes that are no text.
pub fn unescaped(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

/// A name in Unicode's composed form (NFC), to compare it: systems write an é of file names as one character or as two.
pub fn composed(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// The columns that a text takes on a terminal.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A text in at least this many columns, with spaces behind it; wide letters take two.
pub fn filled(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// A whole message with its line breaks and tabs, and escapes for everything else that [`printable`] escapes.
pub fn lines(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        forms(text)
            .map(|(letter, form, _)| match letter {
                '\n' | '\t' => letter.to_string(),
                _ => written(letter, form),
            })
            .collect(),
    )
}

/// A text with as many characters, of which those that [`printable`] escapes are `�`, but for tabs.
///
/// Meant for code with a caret below it.
pub fn masked(text: &str) -> String {
    let forms = forms(text);
    forms
        .map(|(letter, form, _)| if form == Form::Escaped && letter != '\t' { '\u{fffd}' } else { letter })
        .collect()
}

/// A text in which no bracket marks a setting, and all else is as it was.
pub fn unmarked(text: &str) -> String {
    let mut unmarked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('⟨') {
        unmarked += before;
        unmarked += if opens_a_mark(behind) { BRACKET } else { "⟨" };
        rest = behind;
    }
    unmarked + rest
}

/// JSON with `\u` escapes for characters that a terminal obeys or hides; it is read as the same values.
pub fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter == '\n' || is_visible(letter) {
            escaped.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// The first character that may not be in a name: a control, a line separator, or one that turns the direction of text.
///
/// All others may, and [`printable`] escapes them where need be.
pub fn unfit_for_a_name(name: &str) -> Option<char> {
    name.chars().find(|letter| {
        letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// The characters of a text as [`printable`] writes them.
fn pieces(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    forms(text).map(|(letter, form, rest)| match letter {
        '⟨' if opens_a_mark(rest) => Cow::Borrowed(BRACKET),
        _ => Cow::Owned(written(letter, form)),
    })
}

/// Whether a bracket would open a mark, with `rest` behind it, and any text of ours behind that.
fn opens_a_mark(rest: &str) -> bool {
    let behind = rest.trim_start_matches(|letter: char| letter.is_ascii_lowercase() || letter == '_');
    behind.is_empty() || behind.len() < rest.len() && behind.starts_with([' ', '⟩'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_or_hides_is_escaped() {
        for (text, expected) in [
            ("a\nb\r\tc\0", r"a\nb\r\tc\0"),
            ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
            ("\x7f\u{85}\u{9b}2J", r"\x7f\u{85}\u{9b}2J"),
            ("\u{2028}\u{2029}", r"\u{2028}\u{2029}"),
            ("gpj.\u{202e}exe\u{2066}\u{200f}\u{61c}", r"gpj.\u{202e}exe\u{2066}\u{200f}\u{61c}"),
            ("a\u{200b}b\u{2060}c\u{feff}\u{ad}", r"a\u{200b}b\u{2060}c\u{feff}\u{ad}"),
            ("\u{e0041}\u{e0001}", r"\u{e0041}\u{e0001}"),
            ("\u{3164}\u{34f}\u{e000}\u{ffff}", r"\u{3164}\u{34f}\u{e000}\u{ffff}"),
            ("a\u{fe0f}\u{180b}", r"a\u{fe0f}\u{180b}"),
            // A joiner without letters of a script that joins.
            ("pass\u{200d}word \u{200c}", r"pass\u{200d}word \u{200c}"),
            // A mark without a letter.
            ("\u{301}a\n\u{301}", r"\u{301}a\n\u{301}"),
        ] {
            assert_eq!(printable(text), expected);
            assert_eq!(printable(expected), expected, "what is escaped stays as it is");
        }
    }

    #[test]
    fn what_scripts_need_stays() {
        for text in [
            "cat \\ “dog” 'x' `y` {z} ~",
            "می\u{200c}خواهم",
            "Größe, naïve, ångström, e\u{301}, Ti\u{1ebf}ng",
            "क्\u{200d}ष, ന്\u{200d}",
            "👩\u{200d}👩\u{200d}👧, 👩🏽\u{200d}🚀, ❤\u{fe0f}, 1\u{fe0f}\u{20e3}, 🏳\u{fe0f}\u{200d}🌈, 🇩🇪",
            "漢字\u{3000}仮名 葛\u{e0100}",
            "\u{1112}\u{1161}\u{11ab}글",
            "שָׁלוֹם عَرَبِيّ",
            "9.41\u{202f}AM",
            "∑ ⟨ψ|φ⟩ ⟨a|b⟩ → …",
        ] {
            assert_eq!(printable(text), text);
            assert_eq!(lines(text), text);
        }
    }

    #[test]
    fn long_text_and_towers_of_marks_are_shortened() {
        let tower = format!("a{}b", "\u{301}".repeat(100));
        assert_eq!(printable(&tower), format!("a{}…b", "\u{301}".repeat(8)));
        assert_eq!(shorten(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(shorten(&"x".repeat(100_000)), "x".repeat(200) + "…");
        // No escape is cut into two.
        assert_eq!(shorten(&"\x1b".repeat(51)), r"\x1b".repeat(50) + "…");
        let path = format!("front/{}/end.png", "x".repeat(500));
        let short = shown(&path);
        assert!(short.starts_with("front/xx") && short.ends_with("xx/end.png") && short.contains('…'));
        assert_eq!(short.chars().count(), MOST_OF_PATH + 1);
        assert_eq!(shown("a/b.png"), "a/b.png");
        assert_eq!(joined("one\n\n  two\x1b\t three\n"), r"one two\x1b three");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_of_a_path_that_are_no_text_are_shown() {
        use std::os::unix::ffi::OsStrExt;
        let path = std::ffi::OsStr::from_bytes(b"a\xff\x1b/\xe9t\xe9");
        assert_eq!(shown(path), r"a\xff\x1b/\xe9t\xe9");
    }

    #[test]
    fn messages_keep_their_lines_and_json_its_values() {
        assert_eq!(lines("one\n\ttwo\x1b[2J\r\n\u{202e}three"), "one\n\ttwo\\x1b[2J\\r\n\\u{202e}three");
        assert!(matches!(lines("plain\n"), Cow::Borrowed(_)));
        assert_eq!(masked("\té\u{1b}!\u{200b}x"), "\té�!�x");
        assert_eq!(unmarked("\x1b⟨a|b⟩ ⟨net⟩\n"), "\x1b⟨a|b⟩ ⟨⟨⟩net⟩\n");
        let value = serde_json::json!({"a\u{202e}": "\x1b\n\u{9b}\u{200d}\u{e0041}é漢\u{7f}⟨x⟩"});
        let escaped = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(escaped.chars().all(|letter| letter == '\n' || is_visible(letter)), "{escaped}");
        assert!(escaped.contains("é漢") && escaped.contains("\\udb40\\udc41"), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }

    #[test]
    fn names_may_hold_joiners_but_nothing_that_breaks_a_line_or_turns_it() {
        assert_eq!(unfit_for_a_name("می\u{200c}خواهم 👩\u{200d}🚀 \u{200b}"), None);
        for letter in ['\n', '\0', '\x1b', '\u{9b}', '\u{2028}', '\u{202e}', '\u{2066}'] {
            assert_eq!(unfit_for_a_name(&format!("a{letter}b")), Some(letter));
        }
    }
}
