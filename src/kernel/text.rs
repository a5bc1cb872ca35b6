//! The text of a shader that is compiled: with constants written in and directives in front.

use std::ops::Range;

use super::{Const, Consts};

/// `shaders/common.wgsl`, which goes in front of every kernel.
pub const COMMON: &str = include_str!("../../shaders/common.wgsl");

/// The text to compile: `common.wgsl`, then `wgsl` with these constants.
///
/// The error is the name of a constant that `wgsl` does not declare. Types of cooperative matrices have their size in
/// their name, so the constant `TILE` is written into `alias` lines with such names, too. Directives go to the very
/// front, as WGSL demands, and leave spaces behind; [`in_directive`] maps their positions back.
pub fn specialize(wgsl: &str, consts: &Consts) -> Result<String, &'static str> {
    let mut rest = wgsl.to_owned();
    // On the first line, so that lines keep their numbers.
    let mut enabled = String::new();
    for range in directives(wgsl) {
        enabled += &wgsl[range.clone()].replace(['\n', '\r'], " ");
        enabled.push(' ');
        let blank = wgsl[range.clone()].replace(|letter| letter != '\n', " ");
        rest.replace_range(range, &blank);
    }
    let mut lines: Vec<String> = rest.lines().map(str::to_owned).collect();
    for (name, value) in consts.iter() {
        let declaration = format!("const {name}: ");
        let line = lines.iter_mut().find(|line| line.starts_with(&declaration)).ok_or(name)?;
        let (left, right) = line.split_once(" = ").ok_or(name)?;
        let (_, rest) = right.split_once(';').ok_or(name)?;
        *line = format!("{left} = {value};{rest}");
        if let ("TILE", Const::Uint(tile)) = (name, value) {
            lines.iter_mut().for_each(|line| with_tile_size(line, tile));
        }
    }
    Ok(format!("{enabled}{COMMON}\n{}\n", lines.join("\n")))
}

/// The extension of cooperative matrices.
pub const COOPERATIVE: &str = "wgpu_cooperative_matrix";

/// The ranges of a shader's `enable` directives, each with its `;`.
///
/// Comments may stand between them. A directive with a comment in it doesn't count: it stays where it is, and the
/// parser refuses it there.
fn directives(wgsl: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let rest = wgsl[at..].trim_start();
        at = wgsl.len() - rest.len();
        let directive = || {
            let words = rest.strip_prefix("enable")?.split_once(';')?.0;
            let plain = |letter: char| {
                letter.is_ascii_alphanumeric() || letter.is_ascii_whitespace() || "_,".contains(letter)
            };
            (words.starts_with(|letter: char| letter.is_ascii_whitespace()) && words.chars().all(plain))
                .then(|| "enable;".len() + words.len())
        };
        if let Some(length) = directive() {
            found.push(at..at + length);
            at += length;
        } else if let Some(length) = comment(rest) {
            at += length;
        } else {
            return found;
        }
    }
}

/// The length of the comment at the start of a text, if there is one.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let (mut depth, mut at) = (0, 0);
    loop {
        // Such comments may be nested.
        let rest = text.get(at..)?;
        match rest.get(..2) {
            Some("/*") => (depth, at) = (depth + 1, at + 2),
            _ if depth == 0 => return None,
            Some("*/") if depth == 1 => return Some(at + 2),
            Some("*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += rest.chars().next()?.len_utf8(),
        }
    }
}

/// Whether a shader enables an extension.
pub fn enables(wgsl: &str, extension: &str) -> bool {
    enabled(wgsl).iter().any(|(_, name)| *name == extension)
}

/// The extensions that a shader enables, each with the offset of its name.
pub fn enabled(wgsl: &str) -> Vec<(usize, &str)> {
    let names = |range: Range<usize>| {
        let mut next = range.start + "enable".len();
        let words =
            wgsl[next..range.end].split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words.map(move |word| {
            let at = next;
            // And the one byte behind it.
            next += word.len() + 1;
            (at, word)
        })
    };
    directives(wgsl).into_iter().flat_map(names).filter(|(_, name)| !name.is_empty()).collect()
}

/// The words and signs of a shader outside of comments, each with its offset.
pub fn words(wgsl: &str) -> impl Iterator<Item = (usize, &str)> {
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let (rest, start) = (&wgsl[at..], at);
            let letter = rest.chars().next()?;
            let length = rest.find(|letter| !in_word(letter)).unwrap_or(rest.len()).max(letter.len_utf8());
            let skipped = comment(rest);
            at += skipped.unwrap_or(length);
            if skipped.is_none() && !letter.is_whitespace() {
                return Some((start, &rest[..length]));
            }
        }
    })
}

/// The offset in `wgsl` of an offset in the first line of [`specialize`]'s text, if that is in a directive.
pub fn in_directive(wgsl: &str, at: usize) -> Option<usize> {
    let mut front = 0;
    directives(wgsl).into_iter().find_map(|range| {
        let begin = front;
        // And the space behind it.
        front += range.len() + 1;
        (begin..front).contains(&at).then(|| range.start + (at - begin).min(range.len() - 1))
    })
}

/// Writes the size of a cooperative matrix into the alias of its type.
fn with_tile_size(line: &mut String, tile: u32) {
    let sized = |line: &str| -> Option<String> {
        let (left, right) = line.strip_prefix("alias ")?.split_once("coop_mat")?;
        let (_, right) = right.split_once('<')?;
        Some(format!("alias {left}coop_mat{tile}x{tile}<{right}"))
    };
    if let Some(sized) = sized(line) {
        *line = sized;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::consts;

    #[test]
    fn constants_are_written_into_their_lines_only() {
        let wgsl = "const M: u32 = 64u;   // rows\nconst ADD: bool = false;\nlet M = 3;";
        let text = specialize(wgsl, &consts! { M: 7usize, ADD: true }).unwrap();
        assert!(text.ends_with("const M: u32 = 7u;   // rows\nconst ADD: bool = true;\nlet M = 3;\n"));
    }

    #[test]
    fn the_tile_size_of_a_cooperative_matrix_is_written_into_its_name() {
        let wgsl =
            "// sums\nenable f16;\nconst TILE: u32 = 16u;\nalias Left = coop_mat16x16<f16, A>;   // of A";
        let text = specialize(wgsl, &consts! { TILE: 8usize }).unwrap();
        assert!(text.starts_with("enable f16; // The text in front"), "{text}");
        assert!(
            text.ends_with(
                "\n// sums\n           \nconst TILE: u32 = 8u;\nalias Left = coop_mat8x8<f16, A>;   // of A\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn directives_go_to_the_front_without_what_is_beside_them() {
        let front = |wgsl: &str| {
            let text = specialize(wgsl, &Consts::default()).unwrap();
            let (front, rest) = text.split_once(COMMON).unwrap();
            assert_eq!(rest.matches('\n').count(), wgsl.lines().count().max(1) + 1, "{wgsl}");
            (front.to_owned(), rest[1..rest.len() - 1].to_owned())
        };
        let cases = [
            (
                "enable f16; // packed\nenable b;\nx",
                "enable f16; enable b; ",
                "            // packed\n         \nx",
            ),
            (
                "/* /* enable c; */ */ enable f16;enable\tb , c ;x",
                "enable f16; enable\tb , c ; ",
                "/* /* enable c; */ */                          x",
            ),
            ("enable\n f16;\nx", "enable  f16; ", "      \n     \nx"),
            // No directives, and text that is none any more.
            ("// enable f16;\nx enable f16;", "", "// enable f16;\nx enable f16;"),
            ("enabled;\nenable f16;", "", "enabled;\nenable f16;"),
            ("enable /* ; */ f16;", "", "enable /* ; */ f16;"),
            ("/* enable f16;", "", "/* enable f16;"),
            ("", "", ""),
        ];
        for (wgsl, directives, rest) in cases {
            assert_eq!(front(wgsl), (directives.to_owned(), rest.to_owned()), "{wgsl}");
            for (at, letter) in directives.char_indices().filter(|(_, letter)| !letter.is_whitespace()) {
                let at_word = in_directive(wgsl, at).unwrap();
                assert_eq!(wgsl[at_word..].chars().next(), Some(letter), "{wgsl}: {at} and {at_word}");
            }
            assert_eq!(in_directive(wgsl, directives.len()), None);
        }
        assert!(enables("enable a, wgpu_cooperative_matrix ; // on", COOPERATIVE));
        assert!(!enables("// enable wgpu_cooperative_matrix;\nenable f16;", COOPERATIVE));
        let wgsl = "/* f16 */ enable\n f16 ;\nenable\ta,b_1 ,;enable c;x";
        assert_eq!(enabled(wgsl), [(18, "f16"), (31, "a"), (33, "b_1"), (46, "c")]);
    }

    #[test]
    fn words_are_found_whole_and_outside_of_comments() {
        let found = |wgsl| words(wgsl).collect::<Vec<_>>();
        let wgsl = "// é f64\n/* f64 */ let f64x=x.f_; /*f64*/var é: f64;";
        let expected = ["let", "f64x", "=", "x", ".", "f_", ";", "var", "é", ":", "f64", ";"];
        assert_eq!(found(wgsl).iter().map(|(_, word)| *word).collect::<Vec<_>>(), expected);
        assert!(found(wgsl).iter().all(|(at, word)| wgsl[*at..].starts_with(word)));
        assert_eq!(found("f64"), [(0, "f64")]);
        // A comment that isn't closed is none.
        assert_eq!(found("/* f64")[2], (3, "f64"));
        assert_eq!(found(""), []);
    }

    #[test]
    fn an_undeclared_constant_is_named() {
        assert_eq!(specialize("const M: u32 = 1u;", &consts! { N: 1usize }), Err("N"));
    }
}
