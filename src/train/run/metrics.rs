//! The metrics of a run: JSON lines, a table, and event files.
//!
//! `metrics.jsonl` has an [`Event`] per line, `metrics.csv` the same lines as a table; the event file for TensorBoard
//! is optional.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::appended::Appended;
use super::events::{Epoch, Event, METRICS, TABLE, events, header, row};
use super::salvage::salvaged;
use super::tensorboard::Board;
use crate::data::files::hex;
use crate::data::held::HeldFolder;
use crate::error::{Error, Result};
use crate::text::{reason, shown};
use crate::train::trainer::Position;

/// The metrics at one moment: the length of `metrics.jsonl` and its SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsSum {
    /// The length of the file, in bytes.
    pub bytes: u64,
    /// The checksum of these bytes.
    pub sha256: String,
}

impl MetricsSum {
    /// The part of the file that it is the sum of, if that is as it was.
    fn part<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let part = bytes.get(..usize::try_from(self.bytes).ok()?)?;
        (hex(Sha256::digest(part)) == self.sha256).then_some(part)
    }
}

/// The files, open to be appended to.
#[derive(Debug)]
pub(super) struct MetricsFiles {
    lines: Appended,
    /// The length of the lines and their hash.
    written: (u64, Sha256),
    table: Appended,
    /// The event file, if the run has one.
    board: Option<Board>,
}

/// The metrics after going back to a position.
#[derive(Debug, Default)]
pub struct Rewound {
    /// The last epoch that is left.
    pub last: Option<Epoch>,
    /// What was damaged, and what has become of it.
    pub problem: Option<String>,
}

impl MetricsFiles {
    pub fn create(folder: &HeldFolder) -> Result<MetricsFiles> {
        let metrics = MetricsFiles::open(folder)?;
        metrics.table.append(header().as_bytes())?;
        Ok(metrics)
    }

    /// Opens the files of a run, with any event file. [`MetricsFiles::rewind`] reads what they hold.
    pub fn open(folder: &HeldFolder) -> Result<MetricsFiles> {
        let board = Board::exists(folder).then(|| Board::open(folder)).transpose()?;
        let (lines, table) = (Appended::open(folder, METRICS)?, Appended::open(folder, TABLE)?);
        Ok(MetricsFiles { lines, written: (0, Sha256::new()), table, board })
    }

    /// Writes an event file from here on. [`MetricsFiles::rewind`] adds earlier events.
    pub fn write_events(&mut self, folder: &HeldFolder) -> Result<()> {
        self.board = Some(Board::open(folder)?);
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The sum of all that was written.
    pub fn sum(&self) -> MetricsSum {
        let (bytes, hash) = &self.written;
        MetricsSum { bytes: *bytes, sha256: hex(hash.clone().finalize()) }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.written.0 += bytes.len() as u64;
        self.written.1.update(bytes);
    }

    pub fn append(&mut self, event: &Event) -> Result<()> {
        let line = event.to_line();
        self.lines.append(line.as_bytes())?;
        self.count(line.as_bytes());
        self.table.append(row(event).as_bytes())?;
        self.board.as_ref().map_or(Ok(()), |board| board.append(event))
    }

    /// Puts back the files that were removed or replaced by hand. Returns what was done, or why it couldn't be: each is
    /// tried, and tried again at the next call.
    pub fn put_back(&mut self, folder: &HeldFolder) -> Vec<String> {
        let board = self.board.as_mut().map(|board| &mut board.file);
        let all = [&mut self.lines, &mut self.table].into_iter().chain(board);
        let said = all.map(|part| part.put_back(folder));
        said.filter_map(|said| said.unwrap_or_else(|error| Some(error.marked().to_owned()))).collect()
    }

    /// Waits until what was appended is on the disk.
    pub fn sync(&self) -> Result<()> {
        for part in [&self.lines, &self.table] {
            part.sync()?;
        }
        self.board.as_ref().map_or(Ok(()), Board::sync)
    }

    /// Cuts the events back to a position in the run. The table is written again from them.
    ///
    /// `sum` is that of the metrics at the position, if known.
    pub fn rewind(
        &mut self,
        folder: &HeldFolder,
        position: &Position,
        sum: Option<&MetricsSum>,
    ) -> Result<Rewound> {
        let bytes = self.lines.read()?;
        let whole = sum.and_then(|sum| sum.part(&bytes));
        let (events, problem) = match whole {
            Some(part) => (events(part).filter_map(Result::ok).collect(), None),
            None => {
                let damaged = sum.is_some();
                salvaged(&bytes, &self.table.read()?, damaged, |event| event.is_before(position))
            }
        };
        let lines: String = events.iter().map(Event::to_line).collect();
        if bytes.starts_with(lines.as_bytes()) {
            self.lines.cut(folder, lines.len() as u64)?;
        } else {
            self.lines.replace(folder, lines.as_bytes())?;
        }
        self.written = (0, Sha256::new());
        self.count(lines.as_bytes());
        let table: String = events.iter().map(row).collect();
        self.table.replace(folder, (header() + &table).as_bytes())?;
        if let Some(board) = &self.board {
            board.rewind(folder, position.steps, &events)?;
        }
        Ok(Rewound { last: events.into_iter().filter_map(Event::into_epoch).next_back(), problem })
    }
}

impl Event {
    /// The measures, if it is the end of an epoch.
    pub fn into_epoch(self) -> Option<Epoch> {
        if let Event::Epoch(epoch) = self { Some(epoch) } else { None }
    }

    /// Whether it was written before a position of the run.
    fn is_before(&self, position: &Position) -> bool {
        match self {
            Event::Steps(steps) => steps.step <= position.steps as u64,
            // The last step of an epoch comes before its measures.
            Event::Epoch(epoch) => epoch.epoch < position.epoch,
        }
    }
}

/// The metrics of a run, read from its directory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The events of all lines that can be read.
    pub events: Vec<Event>,
    /// The numbers of the damaged lines, from 1. An unfinished last line is not among them.
    pub damaged: Vec<usize>,
}

/// Reads the metrics of a run.
///
/// # Errors
/// [`Error::Data`] when there are none.
pub fn read_metrics(run: &Path) -> Result<Metrics> {
    let problem = |why: String| {
        let shown = shown(run.join(METRICS));
        Error::Data(format!("{shown} can't be read ({why}), so name the directory of another run"))
    };
    let folder = HeldFolder::open(run).map_err(|error| problem(reason(&error).to_string()))?;
    let bytes = folder.read(METRICS, u64::MAX).map_err(|why| problem(why.to_string()))?;
    let mut metrics = Metrics::default();
    for (at, event) in events(&bytes).enumerate() {
        match event {
            Ok(event) => metrics.events.push(event),
            Err(true) => metrics.damaged.push(at + 1),
            Err(false) => {}
        }
    }
    Ok(metrics)
}
