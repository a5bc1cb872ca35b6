//! Tables, whose columns are aligned at the decimal point.

use serde_json::{Value, json};

use super::number::{number, overflows};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Number(f64),
    Text(String),
}

impl From<f32> for Cell {
    fn from(value: f32) -> Cell {
        Cell::Number(value.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Number(value)
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Cell {
        Cell::Number(value as f64)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Cell {
        Cell::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Cell {
        Cell::Text(value)
    }
}

impl Cell {
    pub(super) fn text(&self) -> String {
        match self {
            Cell::Number(value) => number(*value),
            Cell::Text(text) => text.clone(),
        }
    }
}

/// A table of numbers.
#[derive(Clone, Debug)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    /// The number of leading columns that identify a row.
    ///
    /// A split table repeats them.
    pub keys: usize,
}

/// The rows of a table that are shown, and the number of hidden ones between them.
pub(super) struct Ends<'a> {
    pub head: &'a [Vec<Cell>],
    pub hidden: usize,
    pub tail: &'a [Vec<Cell>],
}

impl Table {
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Table {
        Table {
            title: title.into(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            keys: 1,
        }
    }

    /// This table with `keys` columns that identify a row.
    pub fn keyed(self, keys: usize) -> Table {
        Table { keys, ..self }
    }

    /// Adds a row, one cell per column.
    ///
    /// # Panics
    /// When it has more or fewer.
    pub fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "table “{}”: a cell per column", self.title);
        self.rows.push(cells);
    }

    /// The numbers of a column.
    ///
    /// # Panics
    /// When there is no such column, or it has a text in it.
    pub fn column(&self, name: &str) -> Vec<f64> {
        let at = self.columns.iter().position(|column| column == name);
        let at = at.unwrap_or_else(|| panic!("table “{}” has no column “{name}”", self.title));
        let value = |row: &Vec<Cell>| match &row[at] {
            Cell::Number(value) => *value,
            Cell::Text(text) => panic!("column “{name}” of “{}” has the text “{text}”", self.title),
        };
        self.rows.iter().map(value).collect()
    }

    /// The first cell whose number has overflowed: `“error” in row 3 of “iterations” is ∞`.
    pub(super) fn overflow(&self) -> Option<String> {
        if overflows(&self.title) {
            return Some(self.title.clone());
        }
        self.rows.iter().enumerate().find_map(|(row, cells)| {
            let (column, text) =
                cells.iter().map(Cell::text).enumerate().find(|(_, text)| overflows(text))?;
            // The first column of a table of iterations is their number.
            let place = match (self.columns[0].as_str(), &cells[0]) {
                ("iteration", first) => format!("iteration {}", first.text()),
                _ => format!("row {} of “{}”", row + 1, self.title),
            };
            let name = match self.columns[column].trim() {
                "" => "a number",
                name => name,
            };
            Some(format!("{name} in {place} is {text}"))
        })
    }

    pub(super) fn json(&self) -> Value {
        let cell = |cell: &Cell| match cell {
            // JSON has no infinities: they are written as text.
            Cell::Number(value) if value.is_finite() => json!(value),
            other => json!(other.text()),
        };
        let rows: Vec<Vec<Value>> = self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        json!({"title": self.title, "columns": self.columns, "rows": rows})
    }

    /// Whether a column holds numbers, which are aligned to the right.
    pub(super) fn is_numeric(&self, column: usize) -> bool {
        self.rows.iter().all(|row| matches!(row[column], Cell::Number(_)))
    }

    /// The first and the last rows, where a line says how many are hidden between them.
    pub(super) fn ends(&self, first: usize, last: usize) -> Ends<'_> {
        // A line about one hidden row saves nothing.
        if self.rows.len() <= first.saturating_add(last).saturating_add(1) {
            Ends { head: &self.rows, hidden: 0, tail: &[] }
        } else {
            self.exact_ends(first, last)
        }
    }

    /// The first and the last rows, where hidden ones take no line.
    pub(super) fn exact_ends(&self, first: usize, last: usize) -> Ends<'_> {
        if self.rows.len() <= first.saturating_add(last) {
            return Ends { head: &self.rows, hidden: 0, tail: &[] };
        }
        let tail = self.rows.len() - last;
        Ends { head: &self.rows[..first], hidden: tail - first, tail: &self.rows[tail..] }
    }
}

/// The cells of a column, padded to one width, numbers aligned at the decimal point.
pub(super) fn aligned(cells: &[&Cell], header: &str) -> Vec<String> {
    let texts: Vec<String> = cells.iter().map(|cell| cell.text()).collect();
    let split = |text: &str| text.find('.').map_or((width(text), 0), |at| (at, width(text) - at));
    let numbers = || cells.iter().zip(&texts).filter(|(cell, _)| matches!(cell, Cell::Number(_)));
    let behind = numbers().map(|(_, text)| split(text).1).max().unwrap_or_default();
    let padded = cells.iter().zip(&texts).map(|(cell, text)| match cell {
        Cell::Number(_) => format!("{text}{}", " ".repeat(behind - split(text).1)),
        Cell::Text(text) => text.clone(),
    });
    let padded: Vec<String> = padded.collect();
    let widest = padded.iter().map(|text| width(text)).chain([width(header)]).max().unwrap_or_default();
    let right = cells.iter().all(|cell| matches!(cell, Cell::Number(_)));
    let fill = |text: &str| {
        let space = " ".repeat(widest - width(text));
        if right { format!("{space}{text}") } else { format!("{text}{space}") }
    };
    [header].into_iter().chain(padded.iter().map(String::as_str)).map(fill).collect()
}

/// The columns of a terminal that a text takes.
///
/// Lessons use no wide characters.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}
