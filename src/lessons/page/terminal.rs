//! Pages as text for a terminal, never more than a screenful unless asked for.

use super::chart;
use super::table::{Cell, Table, aligned, width};
use super::{Block, Note, Page};
use crate::lessons::options::count;

/// How much room there is.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub columns: usize,
    /// Lines, or none to show everything.
    pub lines: Option<usize>,
}

/// What is left out to make a page shorter.
#[derive(Clone, Copy)]
struct Detail {
    /// Rows of a table from its start and from its end.
    first: usize,
    last: usize,
    /// Lines of a plot; none leaves it out.
    plot: Option<usize>,
    /// Whether shaders and twins are listed one per line, in short, or not at all.
    note: Listing,
    /// Paragraphs.
    texts: usize,
    formulas: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    Long,
    Short,
    None,
}

const EVERYTHING: Detail = Detail {
    first: usize::MAX,
    last: 0,
    plot: Some(16),
    note: Listing::Long,
    texts: usize::MAX,
    formulas: true,
};

const BRIEF: Detail = Detail { first: 2, last: 1, plot: None, note: Listing::Short, ..EVERYTHING };

/// From long to short; the first that fits is taken.
const DETAILS: [Detail; 11] = [
    EVERYTHING,
    Detail { first: 8, last: 3, ..EVERYTHING },
    Detail { first: 6, last: 2, plot: Some(12), ..EVERYTHING },
    Detail { first: 4, last: 1, plot: Some(10), ..EVERYTHING },
    Detail { first: 2, last: 1, plot: Some(7), ..EVERYTHING },
    BRIEF,
    Detail { texts: 1, ..BRIEF },
    Detail { first: 1, texts: 1, note: Listing::None, ..BRIEF },
    Detail { texts: 1, formulas: false, ..BRIEF },
    Detail { texts: 0, note: Listing::None, ..BRIEF },
    Detail { first: 1, texts: 0, formulas: false, note: Listing::None, ..BRIEF },
];

/// Columns beyond which text is hard to read.
const MOST_COLUMNS: usize = 80;

/// The page as lines.
pub fn render(page: &Page, screen: Screen) -> Vec<String> {
    let columns = screen.columns.clamp(40, MOST_COLUMNS);
    let Some(most) = screen.lines else {
        return lines(page, columns, EVERYTHING);
    };
    let mut shortest = Vec::new();
    for detail in DETAILS {
        shortest = lines(page, columns, detail);
        if shortest.len() <= most {
            break;
        }
    }
    shortest
}

fn lines(page: &Page, columns: usize, detail: Detail) -> Vec<String> {
    let all = detail.first == usize::MAX;
    let mut lines = vec![page.title.clone(), "─".repeat(width(&page.title))];
    let mut texts = 0;
    for block in &page.blocks {
        let part = match block {
            Block::Text(text) => {
                texts += 1;
                if texts > detail.texts {
                    continue;
                }
                wrap(text, columns, "")
            }
            Block::Formulas(_) if !detail.formulas => continue,
            Block::Formulas(formulas) => formulas.iter().map(|line| format!("    {line}")).collect(),
            Block::Table(table) => render_table(table, columns, detail, all),
            Block::Plot(plot) => match detail.plot {
                Some(height) => chart::draw(plot, columns.min(72), height),
                None => continue,
            },
            Block::Note(_) if detail.note == Listing::None => continue,
            Block::Note(note) => render_note(note, detail.note == Listing::Long, columns),
            Block::Try { command, why } => {
                let mut part = vec![format!("Try:  {command}")];
                part.extend(wrap(why, columns, "      "));
                part
            }
        };
        if lines.len() > 2 {
            lines.push(String::new());
        }
        lines.extend(part);
    }
    if detail.plot.is_none() {
        lines.push(String::new());
        lines.push("Shortened to fit the screen; --all shows the whole page.".to_owned());
    }
    lines
}

/// Words in lines of at most `columns`.
fn wrap(text: &str, columns: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        if width(&line) + 1 + width(word) > columns && line.len() > indent.len() {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn render_note(note: &Note, long: bool, columns: usize) -> Vec<String> {
    let rows = note.lines();
    if !long {
        let mut shaders: Vec<&str> = rows.iter().map(|[_, shader, _]| shader.as_str()).collect();
        shaders.sort_unstable();
        shaders.dedup();
        return wrap(&format!("{} {}", note.heading(), shaders.join(", ")), columns, "");
    }
    let widest = |at: usize| rows.iter().map(|row| width(&row[at])).max().unwrap_or_default();
    let (what_width, shader_width) = (widest(0), widest(1));
    let mut lines = wrap(&note.heading(), columns, "");
    for [what, shader, twin] in &rows {
        let line = format!("    {what:<what_width$}  {shader:<shader_width$}  twin {twin}");
        if width(&line) <= columns {
            lines.push(line);
        } else {
            lines.push(format!("    {what:<what_width$}  {shader}"));
            lines.push(format!("    {:<what_width$}  twin {twin}", ""));
        }
    }
    lines
}

/// A table; columns that do not fit follow below, or are counted.
fn render_table(table: &Table, columns: usize, detail: Detail, all: bool) -> Vec<String> {
    let (head, hidden, tail) = table.ends(detail.first, detail.last);
    let rows: Vec<&Vec<Cell>> = head.iter().chain(tail).collect();
    let cells: Vec<Vec<String>> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| aligned(&rows.iter().map(|row| &row[at]).collect::<Vec<_>>(), name))
        .collect();
    let mut lines = vec![table.title.clone()];
    let mut start = 0;
    while start < cells.len() {
        let end = fitting(&cells, start, columns);
        let line = |at: usize| {
            let row: Vec<&str> = chunk(start, end).map(|column| cells[column][at].as_str()).collect();
            format!("  {}", row.join("  ")).trim_end().to_owned()
        };
        // The header, then the rows.
        for at in 0..=rows.len() {
            if hidden > 0 && at == head.len() + 1 {
                lines.push(format!("    … {hidden} more, --all shows them"));
            }
            lines.push(line(at));
        }
        start = end;
        if start < cells.len() && !all {
            let hidden = count(cells.len() - start, "column");
            lines.push(format!("    … and {hidden}, --all shows more"));
            break;
        }
    }
    lines
}

/// The columns of one part of a table: the first column goes with each.
fn chunk(start: usize, end: usize) -> impl Iterator<Item = usize> {
    (0..usize::from(start > 0)).chain(start..end)
}

/// The first column that no longer fits.
fn fitting(cells: &[Vec<String>], start: usize, columns: usize) -> usize {
    let wide = |at: usize| 2 + width(&cells[at][0]);
    let mut used = if start > 0 { wide(0) } else { 0 };
    let mut end = start;
    while end < cells.len() && (end == start || used + wide(end) <= columns) {
        used += wide(end);
        end += 1;
    }
    end
}
