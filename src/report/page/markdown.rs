//! Pages as Markdown, for docs/lessons.md.

use super::table::{Ends, Table};
use super::{Block, Page};

/// Rows that are shown from the start and from the end of a table.
const FIRST: usize = 8;
const LAST: usize = 3;

/// The page as a section.
///
/// `picture` is the path of the picture of its plots.
pub fn render(page: &Page, picture: &str) -> String {
    let mut text = format!("## {}\n", page.title);
    let mut pictured = false;
    for block in &page.blocks {
        let part = match block {
            Block::Text(text) | Block::Remark(text) => text.clone(),
            Block::Formulas(lines) => format!("```\n{}\n```", lines.join("\n")),
            Block::Table(table) => render_table(table),
            // One picture holds all plots of a page.
            Block::Plot(_) if pictured => continue,
            Block::Plot(plot) => {
                pictured = true;
                format!("![{}: {} against {}]({picture})", plot.title, plot.y, plot.x)
            }
            Block::Note(note) => {
                let lines = note.lines().into_iter().map(|[what, shader, twin]| {
                    format!("- {what}: [`{shader}`](../{shader}), twin `{twin}`")
                });
                let lines: Vec<String> = lines.collect();
                format!("{}\n\n{}", note.heading(), lines.join("\n"))
            }
            Block::Try { command, why } => format!("**Try** `{command}`: {why}"),
        };
        text.push('\n');
        text.push_str(&part);
        text.push('\n');
    }
    text
}

fn render_table(table: &Table) -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let Ends { head, hidden, tail } = table.ends(FIRST, LAST);
    let cells = |cells: &Vec<super::Cell>| row(cells.iter().map(super::Cell::text).collect());
    let rule = |at| if table.is_numeric(at) { "---:" } else { "---" }.to_owned();
    let mut lines = vec![format!("*{}*", table.title), String::new(), row(table.columns.clone())];
    lines.push(row((0..table.columns.len()).map(rule).collect()));
    lines.extend(head.iter().map(cells));
    if hidden > 0 {
        let mut ellipsis = vec![String::new(); table.columns.len()];
        ellipsis[0] = format!("… {hidden} more");
        lines.push(row(ellipsis));
    }
    lines.extend(tail.iter().map(cells));
    lines.join("\n")
}
