//! Characters: which are printed as they are, and what stands for the others.

use unicode_width::UnicodeWidthChar;

/// The most combining marks on a letter; no script needs more.
const MOST_MARKS: usize = 8;

/// What becomes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Kept,
    Escaped,
    /// The first of the marks that are too many on one letter.
    Shortened,
    LeftOut,
}

/// The characters of a text, each with its form and the text behind it.
pub(super) fn forms(text: &str) -> impl Iterator<Item = (char, Form, &str)> {
    let mut rest = text.chars();
    let (mut before, mut marks) = (None, 0);
    std::iter::from_fn(move || {
        let letter = rest.next()?;
        let is_kept = is_kept(before, letter, rest.as_str().chars().next());
        marks = if is_kept && is_combining(letter) { marks + 1 } else { 0 };
        before = is_kept.then_some(letter);
        let form = match marks {
            _ if !is_kept => Form::Escaped,
            0..=MOST_MARKS => Form::Kept,
            _ if marks == MOST_MARKS + 1 => Form::Shortened,
            _ => Form::LeftOut,
        };
        Some((letter, form, rest.as_str()))
    })
}

pub(super) fn written(letter: char, form: Form) -> String {
    match form {
        Form::Kept => letter.to_string(),
        Form::Shortened => "…".to_owned(),
        Form::LeftOut => String::new(),
        Form::Escaped => match letter {
            '\0' => "\\0".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\0'..='\x7f' => format!("\\x{:02x}", u32::from(letter)),
            _ => format!("\\u{{{:x}}}", u32::from(letter)),
        },
    }
}

/// Whether a character is printed as it is, between the kept one before it and the next one.
fn is_kept(before: Option<char>, letter: char, next: Option<char>) -> bool {
    match letter {
        // Joiners, as in Persian words, in Indic syllables and in emoji of several.
        '\u{200c}' | '\u{200d}' => {
            before.is_some_and(is_virama) || before.is_some_and(joins) && next.is_some_and(joins)
        }
        // Selectors of a variant, of emoji and ideographs.
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            before.is_some_and(|before| !before.is_ascii_alphabetic() && before != ' ' && width(before) > 0)
        }
        // Those of Mongolian, and its separator of vowels.
        '\u{180b}'..='\u{180f}' => matches!(before, Some('\u{1820}'..='\u{18aa}')),
        // A mark at the beginning would go onto a letter of ours.
        _ => is_visible(letter) && (before.is_some() || !is_combining(letter)),
    }
}

/// Whether joiners make sense beside a character: letters with their marks, emoji, but nothing in ASCII.
fn joins(letter: char) -> bool {
    let is_symbol = matches!(letter, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '\u{fe0f}');
    !letter.is_ascii() && (letter.is_alphabetic() || is_combining(letter) || is_symbol)
}

/// Whether a sign of an Indic script takes away the vowel of a letter; a joiner behind it is spelling.
fn is_virama(letter: char) -> bool {
    let code = u32::from(letter);
    (0x900..0xd80).contains(&code) && code % 0x80 == 0x4d || code == 0xdca
}

/// Whether a character is drawn onto the one before it.
fn is_combining(letter: char) -> bool {
    width(letter) == 0 && is_visible(letter)
}

/// The columns of a character, 0 for controls.
fn width(letter: char) -> usize {
    UnicodeWidthChar::width(letter).unwrap_or_default()
}

/// Whether a character shows, wherever it stands; a space does.
pub(super) fn is_visible(letter: char) -> bool {
    match letter {
        ' '..='~' => true,
        // Letters, marks and a symbol without any ink.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => false,
        // Spaces of other widths.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => true,
        // Signs that are drawn around the digits behind them.
        '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{110bd}' => {
            true
        }
        // The standard library knows controls, format characters, separators and what is not assigned. It escapes
        // marks too, but only at the beginning.
        _ => {
            let behind_a_letter = String::from_iter(['a', letter]);
            behind_a_letter.escape_debug().eq(behind_a_letter.chars())
        }
    }
}
