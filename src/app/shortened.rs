//! Messages with overlong words and quotations cut. A text of 100 kB that can't be read would fill the screen.

use std::path::MAIN_SEPARATOR;

/// The longest word and the longest quotation that are shown whole, in characters.
const MOST: usize = 200;
/// The longest path that is shown whole, in bytes. It may be part of a command to copy; no system has longer ones.
const MOST_OF_A_PATH: usize = 4096;
/// The longest message that is shown whole.
const MOST_OF_ALL: usize = 20_000;
/// The characters that are left at the end of what is cut.
const TAIL: usize = 40;

/// The message, cut where it is overlong.
pub fn shortened(text: &str) -> String {
    if text.len() <= MOST {
        return text.to_owned();
    }
    let quotations = in_pieces(text, &['“', '”'], |piece, behind| {
        if behind == Some('”') { cut(piece, MOST) } else { piece.to_owned() }
    });
    let words = in_pieces(&quotations, &[' ', '\n', '\t'], |word, _| {
        let may_be_path = word.contains(['/', MAIN_SEPARATOR]) && word.len() <= MOST_OF_A_PATH;
        if may_be_path { word.to_owned() } else { cut(word, MOST) }
    });
    cut(&words, MOST_OF_ALL)
}

/// The text with its pieces between separators replaced. `show` gets a piece and the separator behind it.
fn in_pieces(text: &str, separators: &[char], show: impl Fn(&str, Option<char>) -> String) -> String {
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(separators) {
        let behind = piece.chars().next_back().filter(|last| separators.contains(last));
        let piece = &piece[..piece.len() - behind.map_or(0, char::len_utf8)];
        shown += &show(piece, behind);
        shown.extend(behind);
    }
    shown
}

/// At most `most` characters of a text: its beginning and its end.
fn cut(text: &str, most: usize) -> String {
    // Bytes are counted first, as most texts are short.
    let count = if text.len() <= most { text.len() } else { text.chars().count() };
    if count <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(TAIL + 1)).collect();
    let tail: String = text.chars().skip(count - TAIL).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlong_words_and_quotations_are_cut_and_their_sentence_is_left() {
        let x = "x".repeat(100_000);
        for text in [
            format!("“{x}” is no layer"),
            format!("“{}” is no layer", "dense 1, ".repeat(9_999)),
            format!("{x}: no"),
        ] {
            let shown = shortened(&text);
            assert!(shown.chars().count() < 230, "{shown}");
            assert!(shown.ends_with("no layer") || shown.ends_with(": no"), "{shown}");
        }
        // A network's own words are not cut apart from their layer.
        assert!(shortened(&format!("“a”, then “{x}”, then “b”")).ends_with("”, then “b”"));
    }

    #[test]
    fn paths_and_messages_of_usual_length_are_left() {
        let path = format!("/tmp/{}", "folder/".repeat(300));
        let message = format!("go on with wgrad train --resume {path}");
        assert_eq!(shortened(&message), message);
        let list = "sgd, matmul, ".repeat(100);
        assert_eq!(shortened(&list), list);
        assert_eq!(shortened(&"é".repeat(150)), "é".repeat(150));
        assert!(shortened(&"word ".repeat(10_000)).chars().count() <= MOST_OF_ALL);
    }
}
