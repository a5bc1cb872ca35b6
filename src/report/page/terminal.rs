//! Pages as text for a terminal, shortened to a screenful.

use super::chart;
use super::number::count;
use super::table::{Cell, Ends, Table, aligned, width};
use super::{Block, Note, Page};

/// The size of a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub columns: usize,
    /// Lines; none to show everything.
    pub lines: Option<usize>,
}

/// The most that a page shows.
#[derive(Clone, Copy)]
struct Detail {
    /// Paragraphs; remarks are always shown.
    texts: usize,
    /// Lines of the first paragraph, which ends with a whole sentence.
    idea: usize,
    /// Lines of arithmetic, over all of the page.
    formulas: usize,
    tables: usize,
    /// Rows from the start and from the end of a table.
    rows: (usize, usize),
    plots: usize,
    /// Lines of a plot.
    height: usize,
    /// Whether it has blank lines, and a line per shader and its twin.
    airy: bool,
}

const EVERYTHING: Detail = Detail {
    texts: usize::MAX,
    idea: usize::MAX,
    formulas: usize::MAX,
    tables: usize::MAX,
    rows: (usize::MAX, 0),
    plots: usize::MAX,
    height: 16,
    airy: true,
};

/// A small screen: the idea, the most important numbers, a plot, shaders and twins, a command to try.
const DENSE: Detail =
    Detail { texts: 1, idea: 2, formulas: 6, tables: 1, rows: (3, 1), plots: 1, height: 6, airy: false };

/// Details from long to short; a page takes the first that fits.
const DETAILS: [Detail; 19] = [
    EVERYTHING,
    Detail { rows: (8, 3), ..EVERYTHING },
    Detail { rows: (6, 2), height: 12, ..EVERYTHING },
    Detail { rows: (4, 1), height: 10, ..EVERYTHING },
    Detail { rows: (2, 1), height: 7, ..EVERYTHING },
    Detail { rows: (2, 1), height: 7, plots: 1, texts: 2, ..EVERYTHING },
    Detail { rows: (2, 1), height: 7, plots: 1, texts: 1, tables: 1, formulas: 6, ..EVERYTHING },
    Detail { idea: 4, rows: (6, 2), height: 9, ..DENSE },
    Detail { idea: 3, rows: (4, 1), height: 8, ..DENSE },
    DENSE,
    Detail { height: 5, rows: (2, 1), formulas: 5, ..DENSE },
    Detail { height: 4, rows: (2, 1), formulas: 4, ..DENSE },
    Detail { height: 4, rows: (2, 1), formulas: 3, ..DENSE },
    Detail { height: 4, rows: (1, 1), formulas: 2, ..DENSE },
    Detail { height: 3, rows: (1, 1), formulas: 2, ..DENSE },
    Detail { height: 3, rows: (1, 1), formulas: 1, ..DENSE },
    Detail { height: 3, rows: (1, 0), formulas: 0, idea: 1, ..DENSE },
    Detail { height: 2, rows: (1, 0), formulas: 0, idea: 1, ..DENSE },
    // Without plots, for the smallest screens.
    Detail { plots: 0, rows: (1, 1), formulas: 0, idea: 1, ..DENSE },
];

/// Columns beyond which text is hard to read.
const MOST_COLUMNS: usize = 80;

/// The fewest columns that a page is made for, as fewer have no room for a plot.
pub const LEAST_COLUMNS: usize = 40;

/// The page as lines.
pub fn render(page: &Page, screen: Screen) -> Vec<String> {
    let columns = screen.columns.clamp(LEAST_COLUMNS, MOST_COLUMNS);
    let Some(most) = screen.lines else {
        return lines(page, columns, EVERYTHING);
    };
    let mut shortest = Vec::new();
    for detail in DETAILS {
        shortest = lines(page, columns, detail);
        if shortest.len() <= most {
            return shortest;
        }
    }
    // The command to try comes last and is kept.
    let kept = most.max(2);
    shortest.drain(1..=shortest.len() - kept);
    shortest
}

const SHORTENED: &str = "(shortened; --all shows the page)";

fn lines(page: &Page, columns: usize, detail: Detail) -> Vec<String> {
    let mut lines = wrap(&page.title, columns, "");
    let longest = lines.iter().map(|line| width(line)).max().unwrap_or_default();
    if detail.texts != usize::MAX {
        let room = columns.saturating_sub(width(&page.title));
        match room > width(SHORTENED) {
            true if lines.len() == 1 => lines[0].push_str(&format!("{SHORTENED:>room$}")),
            _ => lines.push(SHORTENED.to_owned()),
        }
    }
    if detail.airy {
        lines.push("─".repeat(longest));
    }
    let head = lines.len();
    let mut left = detail;
    for block in &page.blocks {
        let Some(part) = render_block(block, columns, &detail, &mut left) else { continue };
        if lines.len() > head && detail.airy {
            lines.push(String::new());
        }
        // Long formulas and commands are broken at blanks.
        for line in part {
            if width(&line) > columns {
                lines.extend(wrap(&line, columns, "      "))
            } else {
                lines.push(line)
            }
        }
    }
    lines
}

/// A block, unless its kind is used up in `left`, the detail that is still to be shown.
fn render_block(block: &Block, columns: usize, detail: &Detail, left: &mut Detail) -> Option<Vec<String>> {
    let first = left.texts == detail.texts;
    Some(match block {
        Block::Text(_) if !take(&mut left.texts) => return None,
        Block::Text(text) if first => sentences(text, columns, detail.idea),
        Block::Text(text) | Block::Remark(text) => wrap(text, columns, ""),
        Block::Formulas(_) if left.formulas == 0 => return None,
        Block::Formulas(formulas) => ends_of(formulas, &mut left.formulas),
        Block::Table(_) if !take(&mut left.tables) => return None,
        Block::Table(table) => render_table(table, columns, *detail),
        Block::Plot(_) if !take(&mut left.plots) => return None,
        Block::Plot(plot) => {
            let wide = if detail.airy { 72 } else { MOST_COLUMNS };
            chart::draw(plot, columns.min(wide), detail.height, !detail.airy)
        }
        Block::Note(note) if detail.airy => render_note(note, columns),
        Block::Note(note) => wrap(&note.sentence(), columns, ""),
        Block::Try { command, why } if detail.airy => {
            let mut part = vec![format!("Try:  {command}")];
            part.extend(wrap(why, columns, "      "));
            part
        }
        Block::Try { command, why } => wrap(&format!("Try `{command}`: {why}"), columns, ""),
    })
}

/// Takes one, if there is one.
fn take(left: &mut usize) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

/// The whole sentences that fit into `most` lines, at least one.
fn sentences(text: &str, columns: usize, most: usize) -> Vec<String> {
    let ends = text.match_indices(['.', '?']).map(|(at, mark)| at + mark.len());
    let ends = ends.filter(|end| text[*end..].starts_with(' ')).chain([text.len()]);
    let wrapped: Vec<Vec<String>> = ends.map(|end| wrap(&text[..end], columns, "")).collect();
    let fitting = wrapped.iter().rposition(|lines| lines.len() <= most).unwrap_or_default();
    wrapped[fitting].clone()
}

/// The lines of arithmetic, or the first ones and the last where they are more than `left`.
fn ends_of(formulas: &[String], left: &mut usize) -> Vec<String> {
    let indented = |line: &String| format!("    {line}");
    if formulas.len() <= *left {
        *left -= formulas.len();
        return formulas.iter().map(indented).collect();
    }
    let head = formulas[..*left - 1].iter().map(indented);
    *left = 0;
    head.chain(formulas.last().map(|last| format!("  … {}", last.trim_start()))).collect()
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

fn render_note(note: &Note, columns: usize) -> Vec<String> {
    let rows = note.lines();
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

/// A table; columns that do not fit are shown below it, or counted.
fn render_table(table: &Table, columns: usize, detail: Detail) -> Vec<String> {
    let all = detail.rows.0 == usize::MAX;
    let Ends { head, hidden, tail } = if detail.airy {
        table.ends(detail.rows.0, detail.rows.1)
    } else {
        table.exact_ends(detail.rows.0, detail.rows.1)
    };
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
        let end = fitting(&cells, start, table.keys, columns);
        let line = |at: usize| {
            let row: Vec<&str> =
                chunk(start, end, table.keys).map(|column| cells[column][at].as_str()).collect();
            format!("  {}", row.join("  ")).trim_end().to_owned()
        };
        // Row 0 is the header.
        for at in 0..=rows.len() {
            if hidden > 0 && at == head.len() + 1 && detail.airy {
                lines.push(format!("    … {hidden} more, --all shows them"));
            }
            lines.push(line(at));
        }
        start = end;
        if start < cells.len() && !all {
            if detail.airy {
                let hidden = count(cells.len() - start, "column");
                lines.push(format!("    … and {hidden}, --all shows more"));
            }
            break;
        }
    }
    if !detail.airy {
        lines[0] = counted(&lines[0], (rows.len(), table.rows.len()), (start, cells.len()), columns);
    }
    lines
}

/// A title with the number of rows and columns that are shown, where that is not all.
fn counted(title: &str, rows: (usize, usize), cells: (usize, usize), columns: usize) -> String {
    let part = |(shown, all): (usize, usize), what: &str| {
        (shown < all).then(|| format!("{shown} of {}", count(all, what)))
    };
    let parts: Vec<String> = [part(rows, "row"), part(cells, "column")].into_iter().flatten().collect();
    let suffix = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let room = columns.saturating_sub(width(&suffix));
    let mut title = title.to_owned();
    if width(&title) > room {
        title = title.chars().take(room.saturating_sub(2)).chain(" …".chars()).collect();
    }
    title + &suffix
}

/// The columns of one part of a table, with the columns that identify a row.
fn chunk(start: usize, end: usize, keys: usize) -> impl Iterator<Item = usize> {
    (0..keys.min(start)).chain(start..end)
}

/// The first column that no longer fits.
fn fitting(cells: &[Vec<String>], start: usize, keys: usize, columns: usize) -> usize {
    let wide = |at: usize| 2 + width(&cells[at][0]);
    let mut used: usize = (0..keys.min(start)).map(wide).sum();
    let mut end = start;
    while end < cells.len() && (end == start || used + wide(end) <= columns) {
        used += wide(end);
        end += 1;
    }
    end
}
