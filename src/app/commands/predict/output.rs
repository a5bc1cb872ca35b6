//! The answers of `wgrad predict`: as text, JSON or CSV.

use std::path::Path;

use serde_json::{Value, json};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::text::{printable, shorten, shown, unescaped};
use wgrad::{Error, Prediction, Result};

use super::super::console::{answer, answer_json, answer_whole, note, with_flags};
use crate::app::cli;

/// The most classes that are all printed by default.
const SHORT_LIST: usize = 10;

/// Prints a row for each picture.
pub struct Output {
    format: Format,
    loss: Loss,
    top: Option<usize>,
    /// The objects of one JSON array.
    objects: Vec<Value>,
    /// Whether the header row of the CSV is printed.
    headed: bool,
}

enum Format {
    Text,
    Json,
    JsonLines,
    Csv,
}

impl Output {
    /// `classes` is the number of classes, which are all that can be printed.
    pub fn new(arguments: &cli::PredictArgs, loss: Loss, classes: usize) -> Output {
        let format = match (arguments.json, arguments.json_lines, arguments.csv) {
            (true, ..) => Format::Json,
            (_, true, _) => Format::JsonLines,
            (.., true) => Format::Csv,
            _ => Format::Text,
        };
        Output {
            format,
            loss,
            top: arguments.top.map(|top| top.min(classes)),
            objects: Vec::new(),
            headed: false,
        }
    }

    /// Prints the classes of a picture.
    pub fn row(&mut self, path: &Path, prediction: &Prediction) -> Result<()> {
        let ranked = prediction.ranked();
        match self.format {
            Format::Text => self.text(path, &ranked),
            Format::Csv => {
                let top = ranked.iter().take(self.columns());
                let mut cells = vec![unescaped(path)];
                cells.extend(top.flat_map(|(class, p)| [(*class).to_owned(), format!("{p:.6}")]));
                cells.resize(1 + 2 * self.columns(), String::new());
                self.csv(cells, "")
            }
            Format::Json | Format::JsonLines => {
                let top = ranked.iter().take(self.top.unwrap_or(usize::MAX));
                let classes: Vec<Value> =
                    top.map(|(class, p)| json!({"class": class, self.value(): p})).collect();
                self.object(json!({"file": unescaped(path), "class": ranked[0].0, "classes": classes}))
            }
        }
    }

    /// Says why a picture has no classes.
    pub fn failed(&mut self, path: &Path, error: &Error) -> Result<()> {
        note(format_args!("skipped: {}", error.marked()));
        let problem = with_flags(error.marked());
        match self.format {
            Format::Text => Ok(()),
            Format::Csv => {
                let mut cells = vec![unescaped(path)];
                cells.resize(1 + 2 * self.columns(), String::new());
                self.csv(cells, &problem)
            }
            Format::Json | Format::JsonLines => {
                self.object(json!({"file": unescaped(path), "error": problem}))
            }
        }
    }

    /// Prints what is printed at the end.
    pub fn finish(self) -> Result<()> {
        match self.format {
            Format::Json => answer_json(&Value::Array(self.objects)),
            _ => Ok(()),
        }
    }

    /// The name of a class's number. A squared error trains outputs towards 0 and 1, but they may lie outside.
    fn value(&self) -> &'static str {
        if self.loss.has_probabilities() { "probability" } else { "output" }
    }

    fn object(&mut self, object: Value) -> Result<()> {
        match self.format {
            Format::JsonLines => answer_json(&object),
            _ => {
                self.objects.push(object);
                Ok(())
            }
        }
    }

    fn text(&self, path: &Path, ranked: &[(&str, f64)]) -> Result<()> {
        let usual = if ranked.len() <= SHORT_LIST { ranked.len() } else { 3 };
        let top: Vec<String> = ranked
            .iter()
            .take(self.top.unwrap_or(usual))
            .map(|(class, p)| (class, certainty(self.loss, *p)))
            .filter(|(class, p)| p != "0.0 %" || **class == ranked[0].0)
            .map(|(class, p)| format!("{} {p}", shorten(class)))
            .collect();
        answer(format_args!("{}: {}   ({})", shown(path), shorten(ranked[0].0), top.join(", ")))
    }

    /// The number of classes in a row of the CSV.
    fn columns(&self) -> usize {
        self.top.unwrap_or(1)
    }

    fn csv(&mut self, cells: Vec<String>, problem: &str) -> Result<()> {
        if !self.headed {
            let (name, top) = (self.value(), self.columns());
            let others: String = (2..=top).map(|at| format!(",class_{at},{name}_{at}")).collect();
            answer_whole(&format!("file,class,{name}{others},error"))?;
            self.headed = true;
        }
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        answer_whole(&format!("{},{}", cells.join(","), quoted(problem)))
    }
}

/// The number of a class as text.
pub fn certainty(loss: Loss, p: f64) -> String {
    if loss.has_probabilities() { format!("{:.1} %", p * 100.0) } else { format!("{p:.3}") }
}

/// A cell of a CSV file, in quotes where it needs them.
fn quoted(cell: &str) -> String {
    let text = printable(cell);
    if text.contains([',', '"', ';']) || text.trim() != text {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}
