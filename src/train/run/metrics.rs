//! The metrics of a run: JSON lines, a table, and event files.
//!
//! `metrics.jsonl` has an [`Event`] per line, `metrics.csv` the same lines as a table; the event file for TensorBoard
//! is optional.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::appended::Appended;
use super::tensorboard::Board;
use super::{Epoch, Event};
use crate::error::{Error, Result};
use crate::train::trainer::Position;

/// The file that holds an [`Event`] per line.
pub const METRICS: &str = "metrics.jsonl";
/// The file that holds the same as a table. Lists of values per step are left out.
pub const TABLE: &str = "metrics.csv";

/// The columns of the table, by the keys of an event.
const COLUMNS: [&str; 10] = [
    "kind",
    "step",
    "epoch",
    "train_loss",
    "train_accuracy",
    "samples_per_second",
    "validation_loss",
    "validation_accuracy",
    "held_out_loss",
    "held_out_accuracy",
];

/// The files, open to be appended to.
#[derive(Debug)]
pub(super) struct MetricsFiles {
    lines: Appended,
    table: Appended,
    /// The event file, if the run has one.
    board: Option<Board>,
}

impl MetricsFiles {
    pub fn create(run: &Path) -> Result<MetricsFiles> {
        let metrics = MetricsFiles::open(run)?;
        metrics.begin_table()?;
        Ok(metrics)
    }

    /// Opens the files of a run, with any event file.
    pub fn open(run: &Path) -> Result<MetricsFiles> {
        let board = Board::exists(run).then(|| Board::open(run)).transpose()?;
        Ok(MetricsFiles { lines: Appended::open(run, METRICS)?, table: Appended::open(run, TABLE)?, board })
    }

    /// Writes an event file from here on. [`MetricsFiles::rewind`] adds earlier events.
    pub fn write_events(&mut self, run: &Path) -> Result<()> {
        self.board = Some(Board::open(run)?);
        Ok(())
    }

    fn begin_table(&self) -> Result<()> {
        self.table.append((COLUMNS.join(",") + "\n").as_bytes())
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn append(&mut self, event: &Event) -> Result<()> {
        self.lines.append(event.to_line().as_bytes())?;
        self.table.append(row(event).as_bytes())?;
        self.board.as_ref().map_or(Ok(()), |board| board.append(event))
    }

    /// Waits until what was appended is on the disk.
    pub fn sync(&self) -> Result<()> {
        for part in [&self.lines, &self.table] {
            part.sync()?;
        }
        self.board.as_ref().map_or(Ok(()), Board::sync)
    }

    /// Cuts the events back to a position in the run. The table is written again from them.
    pub fn rewind(&mut self, position: &Position) -> Result<Option<Epoch>> {
        let bytes = fs::read(self.lines.path()).map_err(|error| self.lines.problem(&error))?;
        let (mut length, mut events, mut table) = (0, Vec::new(), String::new());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            // Lines after an unfinished or damaged one are of no use.
            let Some(event) = parse(line).filter(|event| event.is_before(position)) else { break };
            length += line.len() as u64;
            table += &row(&event);
            events.push(event);
        }
        self.lines.cut(length)?;
        self.table.cut(0)?;
        self.begin_table()?;
        self.table.append(table.as_bytes())?;
        if let Some(board) = &self.board {
            board.rewind(position.steps, &events)?;
        }
        let epoch = |event| if let Event::Epoch(epoch) = event { Some(epoch) } else { None };
        Ok(events.into_iter().filter_map(epoch).next_back())
    }
}

impl Event {
    /// Whether it was written before a position of the run.
    fn is_before(&self, position: &Position) -> bool {
        match self {
            Event::Steps(steps) => steps.step <= position.steps as u64,
            // The last step of an epoch comes before its measures.
            Event::Epoch(epoch) => epoch.epoch < position.epoch,
        }
    }
}

/// The events of a run, up to the first damaged line.
///
/// # Errors
/// [`Error::Data`] when there are none.
pub fn read_metrics(run: &Path) -> Result<Vec<Event>> {
    let path = run.join(METRICS);
    let bytes = fs::read(&path).map_err(|error| {
        let shown = path.display();
        Error::Data(format!("{shown} can't be read ({error}), so name the directory of another run"))
    })?;
    Ok(bytes.split_inclusive(|byte| *byte == b'\n').map_while(parse).collect())
}

/// An event from its line, if that is whole.
fn parse(line: &[u8]) -> Option<Event> {
    serde_json::from_slice(line.strip_suffix(b"\n")?).ok()
}

/// An event as a line of the table. Columns that it lacks are empty.
fn row(event: &Event) -> String {
    let value = serde_json::to_value(event).expect("an event has only strings as keys");
    let field = |column: &&str| match value.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    COLUMNS.iter().map(field).collect::<Vec<_>>().join(",") + "\n"
}
