//! Contact sheets: many small pictures with lines of text, as one PNG file.

mod font;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use font::Line;

use crate::error::{Error, Result};
use crate::program::shape::Shape;

/// Red, green and blue.
pub type Colour = [u8; 3];

pub const WHITE: Colour = [255, 255, 255];
pub const GREEN: Colour = [90, 220, 90];
pub const RED: Colour = [255, 110, 110];
const GROUND: Colour = [40, 40, 48];

/// The side to which small pictures are enlarged, by a whole factor.
const SIDE: usize = 64;
/// Pixels between cells.
const GAP: usize = 6;
/// The most pixels of a line; longer ones end in dots.
const MOST_WIDTH: usize = 128;
/// Pixels between lines.
const LEADING: usize = 2;
/// The most bytes of a contact sheet in memory.
const MOST_BYTES: usize = 256 << 20;

/// One image of a data set, and lines of text below it.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    /// C·H·W bytes, channels first.
    pub image: Vec<u8>,
    pub lines: Vec<(String, Colour)>,
}

/// Checks the size of a contact sheet, before its images are made.
///
/// # Errors
/// [`Error::Usage`] when it would take more than 256 MiB.
pub fn check(rows: usize, columns: usize, shape: &Shape) -> Result<()> {
    let pixels = shape.width.max(SIDE).saturating_mul(shape.height.max(SIDE));
    if rows.saturating_mul(columns).saturating_mul(pixels).saturating_mul(3) > MOST_BYTES {
        return Err(Error::Usage(format!(
            "a contact sheet of {rows} × {columns} images is larger than {} MiB, so ask for fewer",
            MOST_BYTES >> 20
        )));
    }
    Ok(())
}

/// Draws rows of cells, whose images are all of `shape`, as a PNG file.
///
/// # Errors
/// As [`check`].
pub fn png(rows: &[Vec<Thumbnail>], shape: &Shape) -> Result<Vec<u8>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    check(rows.len(), columns, shape)?;
    let zoom = (SIDE / shape.width.max(shape.height)).max(1);
    let lines = rows.iter().flatten().map(|cell| cell.lines.len()).max().unwrap_or_default();
    let widths = rows.iter().flatten().flat_map(|cell| &cell.lines).map(|(line, _)| set(line).width);
    let cell_width = (shape.width * zoom).max(widths.max().unwrap_or_default()) + GAP;
    let cell_height = shape.height * zoom + lines * (font::HEIGHT + LEADING) + GAP;
    let (width, height) = (columns * cell_width + GAP, rows.len() * cell_height + GAP);
    let mut canvas = Canvas { width, pixels: GROUND.repeat(width * height) };
    for (row, cells) in rows.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let (left, top) = (GAP + column * cell_width, GAP + row * cell_height);
            canvas.image(&cell.image, shape, zoom, left, top);
            let mut top = top + shape.height * zoom + LEADING;
            for (line, colour) in &cell.lines {
                canvas.text(&set(line), *colour, left, top);
                top += font::HEIGHT + LEADING;
            }
        }
    }
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(&canvas.pixels, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| {
            let problem =
                format!("the contact sheet can't be encoded as PNG ({error}), so ask for fewer images");
            Error::Failure(problem)
        })?;
    Ok(file)
}

/// Whether there is a letter for each character of a text.
pub fn can_draw(text: &str) -> bool {
    Line::of(text, MOST_WIDTH).is_some()
}

/// The line as it is drawn. Letters that the font lacks are question marks.
fn set(line: &str) -> Line {
    let known = |letter: char| if can_draw(letter.encode_utf8(&mut [0; 4])) { letter } else { '?' };
    Line::of(line, MOST_WIDTH)
        .or_else(|| Line::of(&line.chars().map(known).collect::<String>(), MOST_WIDTH))
        .unwrap_or(Line { letters: Vec::new(), width: 0 })
}

/// RGB pixels, row by row.
struct Canvas {
    width: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn set(&mut self, x: usize, y: usize, colour: Colour) {
        let at = (y * self.width + x) * 3;
        self.pixels[at..at + 3].copy_from_slice(&colour);
    }

    fn image(&mut self, image: &[u8], shape: &Shape, zoom: usize, left: usize, top: usize) {
        for y in 0..shape.height * zoom {
            for x in 0..shape.width * zoom {
                self.set(left + x, top + y, colour(image, shape, y / zoom * shape.width + x / zoom));
            }
        }
    }

    fn text(&mut self, line: &Line, colour: Colour, left: usize, top: usize) {
        for (at, glyph) in &line.letters {
            for y in 0..font::HEIGHT {
                for x in (0..glyph.get_width()).filter(|x| glyph.get_pixel(*x, y)) {
                    self.set(left + at + x, top + y, colour);
                }
            }
        }
    }
}

/// The colour of a pixel; transparency becomes black.
fn colour(image: &[u8], shape: &Shape, at: usize) -> Colour {
    let plane = shape.height * shape.width;
    let value = |channel: usize| image[channel * plane + at];
    let shown =
        |channel: usize, alpha: u8| ((u32::from(value(channel)) * u32::from(alpha) + 127) / 255) as u8;
    match shape.channels {
        1 => [value(0); 3],
        2 => [shown(0, value(1)); 3],
        3 => [value(0), value(1), value(2)],
        _ => [0, 1, 2].map(|channel| shown(channel, value(3))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(rows: &[Vec<Thumbnail>], shape: &Shape) -> image::RgbImage {
        image::load_from_memory(&png(rows, shape).unwrap()).unwrap().into_rgb8()
    }

    #[test]
    fn images_and_words_are_in_their_cells() {
        let shape = Shape::image(3, 1, 2);
        let cell =
            |word: &str| Thumbnail { image: vec![255, 1, 0, 2, 0, 3], lines: vec![(word.to_owned(), GREEN)] };
        let contact_sheet = decoded(&[vec![cell("cat"), cell("L")], vec![cell("i")]], &shape);
        // A pixel is enlarged to 32×32, and two of them are wider than three letters.
        assert_eq!(contact_sheet.dimensions(), (2 * (64 + 6) + 6, 2 * (32 + 18 + 6) + 6));
        for (x, y, expected) in
            [(6, 6, [255, 0, 0]), (69, 37, [1, 2, 3]), (76, 6, [255, 0, 0]), (0, 0, GROUND)]
        {
            assert_eq!(contact_sheet.get_pixel(x, y).0, expected, "{x}, {y}");
        }
        // The foot of an L is six pixels wide, its top one.
        let green = |y: u32| (76..140).filter(|x| contact_sheet.get_pixel(*x, y).0 == GREEN).count();
        let rows: Vec<usize> = (40..56).map(green).filter(|count| *count > 0).collect();
        assert_eq!((rows.first(), rows.last()), (Some(&1), Some(&6)));
    }

    #[test]
    fn grey_and_alpha_are_drawn_on_black() {
        for (channels, image, expected) in
            [(1, vec![9], [9; 3]), (2, vec![200, 128], [100; 3]), (4, vec![255, 0, 10, 0], [0; 3])]
        {
            let shape = Shape::image(channels, 1, 1);
            let contact_sheet = decoded(&[vec![Thumbnail { image, lines: vec![] }]], &shape);
            assert_eq!(contact_sheet.get_pixel(20, 20).0, expected);
        }
    }

    #[test]
    fn contact_sheets_beyond_memory_are_refused() {
        let shape = Shape::image(1, 512, 512);
        let rows = vec![vec![Thumbnail { image: vec![0; 512 * 512], lines: vec![] }]; 400];
        assert!(png(&rows, &shape).unwrap_err().to_string().contains("ask for fewer"));
    }
}
