//! Letters of GNU Unifont, 8 or 16 pixels wide, for the names of classes under small pictures.

use unicode_bidi::BidiInfo;
use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthChar;
use unifont::i18n::preprocess_text;
use unifont::{Glyph, get_glyph};

/// The height of a letter, in pixels.
pub const HEIGHT: usize = 16;

/// A line of text as it is drawn.
pub struct Line {
    /// The letters with the pixels to their left.
    pub letters: Vec<(usize, &'static Glyph)>,
    /// The width, in pixels.
    pub width: usize,
}

impl Line {
    /// Sets a text in at most `most` pixels; a longer one ends in dots. None if the font lacks one of its letters.
    pub fn of(text: &str, most: usize) -> Option<Line> {
        let text: String = text.nfc().collect();
        let whole = Line::set(&text)?;
        if whole.width <= most {
            return Some(whole);
        }
        let ends = text.char_indices().map(|(end, _)| end).rev();
        let mut lines = ends.filter_map(|end| Line::set(&(text[..end].to_owned() + "..")));
        Some(lines.find(|line| line.width <= most).unwrap_or(whole))
    }

    fn set(text: &str) -> Option<Line> {
        let text = preprocess_text(text);
        let order = BidiInfo::new(&text, None);
        let Some(paragraph) = order.paragraphs.first() else {
            return Some(Line { letters: Vec::new(), width: 0 });
        };
        let mut line = Line { letters: Vec::new(), width: 0 };
        for letter in order.reorder_line(paragraph, paragraph.range.clone()).chars() {
            let glyph = get_glyph(letter).filter(|_| !letter.is_control())?;
            match letter.width() {
                // A mark is drawn onto the letter before it; where text runs to the left, that is behind it, and is left out.
                Some(0) if order.has_rtl() => {}
                Some(0) => line.letters.push((line.letters.last().map_or(0, |(left, _)| *left), glyph)),
                _ => {
                    line.letters.push((line.width, glyph));
                    line.width += glyph.get_width();
                }
            }
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyphs(text: &str) -> Vec<*const Glyph> {
        Line::of(text, 999).unwrap().letters.iter().map(|(_, glyph)| std::ptr::from_ref(*glyph)).collect()
    }

    #[test]
    fn text_of_every_script_is_set() {
        for (text, width) in
            [("cat", 24), ("Straße", 48), ("кот", 24), ("γάτα", 32), ("猫", 16), ("고양이", 48), ("", 0)]
        {
            assert_eq!(Line::of(text, 999).unwrap().width, width, "{text}");
        }
        // Letters of one look differ, and those of two forms don't.
        assert_ne!(glyphs("a"), glyphs("A"));
        assert_eq!(glyphs("e\u{301}"), glyphs("é"));
        // A mark without a form of its own has the place of its letter.
        let marked = Line::of("x\u{301}y", 999).unwrap();
        assert_eq!(marked.letters.iter().map(|(left, _)| *left).collect::<Vec<_>>(), [0, 0, 8]);
    }

    #[test]
    fn text_that_runs_to_the_left_begins_at_the_right() {
        let mut mirrored = glyphs("חתול");
        mirrored.reverse();
        assert_eq!(
            mirrored,
            "חתול".chars().flat_map(|letter| glyphs(&letter.to_string())).collect::<Vec<_>>()
        );
    }

    #[test]
    fn long_texts_end_in_dots_and_letters_that_the_font_lacks_are_told() {
        let line = Line::of("0123456789", 48).unwrap();
        assert_eq!((line.width, line.letters.len()), (48, 6));
        assert_eq!(glyphs(".")[0], std::ptr::from_ref(line.letters[5].1));
        assert!(Line::of("a\u{1f408}", 999).is_none() && Line::of("a\tb", 999).is_none());
    }
}
