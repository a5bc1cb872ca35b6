//! Messages in lines that fit a terminal, broken between words. A terminal itself breaks words.

use std::borrow::Cow;

use wgrad::internals::text::columns;

/// A narrower terminal breaks its lines itself.
const LEAST: usize = 20;
/// A comma so near to the end of a line ends it.
const NEAR: usize = 12;

/// The text for a terminal of this width, if it is one.
///
/// What a line has behind a label or in the last column of its first half goes on below that.
pub fn wrapped(text: &str, terminal: Option<usize>) -> Cow<'_, str> {
    match terminal.filter(|width| *width >= LEAST) {
        Some(width) if text.lines().any(|line| columns(line) > width) => {
            Cow::Owned(text.split('\n').map(|line| broken(line, width)).collect::<Vec<_>>().join("\n"))
        }
        _ => Cow::Borrowed(text),
    }
}

fn broken(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let indent = indent(line, width);
    let (mut done, mut last) = (String::new(), String::new());
    // The end of the last line's last item that a comma ends.
    let mut item = None;
    for word in words(line) {
        if columns(&last) > indent && columns(&last) + columns(word) > width {
            let near = item.filter(|end| columns(&last[..*end]) + NEAR >= width);
            let rest = last.split_off(near.unwrap_or(last.len()));
            done = done + &last + "\n";
            last = " ".repeat(indent) + (rest + word).trim_start();
            item = None;
        } else {
            last += word;
        }
        if word.ends_with(',') {
            item = Some(last.len());
        }
    }
    done + &last
}

/// The words with the spaces before them. A number and its `%` are one word.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let word = rest.len() - rest.trim_start_matches(' ').len();
        let mut end = rest.len();
        for (at, _) in rest.match_indices(' ').filter(|(at, _)| *at > word) {
            if !rest[at..].starts_with(" %") {
                end = at;
                break;
            }
        }
        let (first, others) = rest.split_at(end);
        rest = others;
        (!first.is_empty()).then_some(first)
    })
}

/// The column below which a line goes on.
fn indent(line: &str, width: usize) -> usize {
    let (mut column, mut indent) = (0, 0);
    for (number, word) in words(line).enumerate() {
        let text = word.trim_start();
        let spaces = word.len() - text.len();
        // A label is padded to 8 columns, such as “device  ” and “network ”.
        if column + spaces > width / 2 || text.is_empty() {
            break;
        }
        if number == 0 || spaces > 1 || indent == 0 && number == 1 && column + spaces == 8 {
            indent = column + spaces;
        }
        column += columns(word);
    }
    indent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_goes_on_below_its_last_column() {
        for (text, expected) in [
            ("error: no folder is here, so make one", "error: no folder is here,\nso make one"),
            ("device  CPU engine, as there is no GPU", "device  CPU engine,\n        as there is no GPU"),
            ("network dense 128, relu, dense 10", "network dense 128, relu,\n        dense 10"),
            ("      a note of more than one line\nnext", "      a note of more than\n      one line\nnext"),
            (
                "3.png: 0   (0 78.9 %, 8 15.3 %, 2 2.9 %)",
                "3.png: 0   (0 78.9 %,\n           8 15.3 %,\n           2 2.9 %)",
            ),
            ("a 漢字漢字漢字漢字 漢字漢字漢字", "a 漢字漢字漢字漢字\n漢字漢字漢字"),
        ] {
            assert_eq!(wrapped(text, Some(26)), expected);
            assert_eq!(wrapped(text, None), text, "a file has whole lines");
            assert_eq!(wrapped(text, Some(90)), text);
        }
    }

    #[test]
    fn a_word_longer_than_a_line_is_left_to_the_terminal() {
        let path = format!("/{}", "a/".repeat(30));
        assert_eq!(wrapped(&format!("{path} is no file"), Some(26)), format!("{path}\nis no file"));
        assert_eq!(wrapped(&format!("see {path}"), Some(26)), format!("see\n{path}"));
        assert_eq!(wrapped("", Some(26)), "");
        let spaces = " ".repeat(40);
        assert_eq!(wrapped(&spaces, Some(26)), spaces);
    }
}
