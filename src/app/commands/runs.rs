//! `wgrad runs`: a list of runs.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use console::{Term, truncate_str};
use serde_json::{Value, json};
use wgrad::internals::text::{columns, filled, reason, shorten, shown, unescaped};
use wgrad::internals::train::run::{
    Epoch, Event, Lock, RECIPE, RECORD, RunRecord, Status, checkpoint, read_metrics,
};
use wgrad::{Error, Result};

use super::console::{answer, answer_json, note, with_flags};
use crate::app::cli::{self, Sort};

pub fn run(arguments: &cli::RunsArgs) -> Result<()> {
    match &arguments.command {
        None => list(&arguments.list),
        Some(cli::RunsCommand::List(arguments)) => list(arguments),
        Some(cli::RunsCommand::Diff { one, two }) => super::diff::run(one, two),
    }
}

/// A line per run, or an array of objects.
fn list(arguments: &cli::ListArgs) -> Result<()> {
    let out = &arguments.out;
    let mut runs: Vec<Listed> = directories(out)?.into_iter().map(Listed::read).collect();
    if runs.is_empty() {
        note(format_args!("no runs in {}: wgrad train makes one", shown(out)));
    } else if let Some(text) = &arguments.filter {
        runs.retain(|run| run.has(&text.to_lowercase()));
        if runs.is_empty() {
            note(format_args!("no run in {} has “{}” in its line", shown(out), shorten(text)));
        }
    }
    // Equal ones stay in the order of their names.
    runs.sort_by(|one, other| one.order(other, arguments.sort));
    if arguments.json {
        return answer_json(&runs.iter().map(Listed::json).collect::<Vec<_>>());
    }
    if runs.is_empty() {
        return Ok(());
    }
    // None where stdout is no terminal: its reader gets whole lines.
    let width = Term::stdout().size_checked().map(|(_, columns)| columns.into());
    let name = runs.iter().map(|run| columns(&run.name)).max().unwrap_or_default().min(LONGEST_NAME);
    let table = Table { width, name };
    let started = if width.is_some() { "started (UTC)" } else { "started" };
    table.print(&(table.front("run", "status", "epochs", "held-out", started) + "network"))?;
    runs.iter().try_for_each(|run| run.print(&table))
}

/// The columns of a longer name are not kept free for the other ones.
const LONGEST_NAME: usize = 24;

/// The columns of the list.
struct Table {
    /// The columns of the terminal, if it is one.
    width: Option<usize>,
    /// The columns of the names.
    name: usize,
}

impl Table {
    /// A line without its network.
    fn front(&self, name: &str, status: &str, epochs: &str, accuracy: &str, started: &str) -> String {
        let name = filled(name, self.name);
        // A terminal shows the minute.
        let started = filled(started, if self.width.is_some() { 16 } else { 20 });
        format!("{name}  {status:<11} {epochs:>6} {accuracy:>9}  {started}  ")
    }

    /// A line, cut to the terminal.
    fn fitted<'a>(&self, line: &'a str) -> Cow<'a, str> {
        self.width.map_or(line.into(), |width| truncate_str(line, width, "…"))
    }

    fn print(&self, line: &str) -> Result<()> {
        answer(format_args!("{}", self.fitted(line)))
    }
}

/// A run of the list.
struct Listed {
    path: PathBuf,
    name: String,
    /// The record, or why it can't be read.
    record: Result<RunRecord>,
    status: &'static str,
    /// The measures of its last epoch.
    last: Option<Epoch>,
    /// Why the measures can't be read.
    unread: Option<Error>,
}

impl Listed {
    fn read(path: PathBuf) -> Listed {
        let record = RunRecord::load(&path);
        let (status, last) = record
            .as_ref()
            .map_or(("unreadable", Ok(None)), |record| (status(&path, record), last(&path, record)));
        let name = shown(path.file_name().unwrap_or_default());
        let (last, unread) = last.map_or_else(|error| (None, Some(error)), |last| (last, None));
        Listed { name, status, last, unread, record, path }
    }

    /// Whether a text in lower case is in it.
    fn has(&self, text: &str) -> bool {
        let record = self.record.as_ref();
        let [data, network] =
            record.map_or(["", ""], |record| [&record.data, &record.network].map(String::as_str));
        [&*self.name, self.status, data, network].iter().any(|part| part.to_lowercase().contains(text))
    }

    fn order(&self, other: &Listed, sort: Sort) -> Ordering {
        // A run that has diverged may have no number.
        let accuracy = |run: &Listed| {
            let accuracy = run.last.as_ref().map(|last| last.held_out_accuracy);
            accuracy.filter(|accuracy| !accuracy.is_nan()).unwrap_or(-1.0)
        };
        let started = |run: &Listed| run.record.as_ref().map(|record| record.started.clone()).ok();
        match sort {
            Sort::Name => Ordering::Equal,
            Sort::Started => started(other).cmp(&started(self)),
            Sort::Accuracy => accuracy(other).total_cmp(&accuracy(self)),
            Sort::Epochs => other.epochs().cmp(&self.epochs()),
        }
    }

    fn epochs(&self) -> usize {
        self.last.as_ref().map_or(0, |last| last.epoch)
    }

    /// Prints its line, with as much of the network as fits.
    fn print(&self, table: &Table) -> Result<()> {
        let record = match &self.record {
            Ok(record) => record,
            Err(error) => {
                note(format_args!("{}  {}", filled(&self.name, table.name), error.marked()));
                return Ok(());
            }
        };
        let accuracy = self
            .last
            .as_ref()
            .map_or("-".to_owned(), |last| format!("{:.2} %", last.held_out_accuracy * 100.0));
        let mut started = shorten(&record.started);
        if table.width.is_some() {
            started = started.replacen('T', " ", 1).chars().take(16).collect();
        }
        let front = table.front(&self.name, self.status, &self.epochs().to_string(), &accuracy, &started);
        table.print(&(front + &shorten(&record.network)))?;
        if let Some(error) = &self.unread {
            note(format_args!("{}  {}", " ".repeat(table.name), error.marked()));
        }
        if !record.has_model(&self.path) {
            note(format_args!("{}  its {RECORD} and its model are not of one run", " ".repeat(table.name)));
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let run = unescaped(&self.path);
        match &self.record {
            Ok(record) => json!({
                "run": run,
                "status": self.status,
                "error": self.unread.as_ref().map(|error| with_flags(error.marked())),
                "epochs": self.epochs(),
                "held_out_loss": self.last.as_ref().map(|last| last.held_out_loss),
                "held_out_accuracy": self.last.as_ref().map(|last| last.held_out_accuracy),
                "started": record.started,
                "seconds": record.seconds,
                "data": record.data,
                "network": record.network,
                "adapter": record.adapter,
                "seed": record.seed,
            }),
            Err(error) => {
                json!({ "run": run, "status": self.status, "error": with_flags(error.marked()) })
            }
        }
    }
}

fn status(path: &Path, record: &RunRecord) -> &'static str {
    match record.status {
        // A process that works in a directory has its lock.
        Status::Running if !Lock::is_taken(path) => "killed",
        Status::Running => "running",
        Status::Done => "done",
        Status::Diverged => "diverged",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
    }
}

/// The last epoch of a run. The record of a killed run is from its start or its last resumption.
fn last(path: &Path, record: &RunRecord) -> Result<Option<Epoch>> {
    if record.status != Status::Running {
        return Ok(record.last.clone());
    }
    Ok(read_metrics(path)?.events.into_iter().rev().find_map(Event::into_epoch))
}

fn directories(out: &Path) -> Result<Vec<PathBuf>> {
    let problem = |error: io::Error| {
        Error::Usage(format!(
            "{} can't be read ({}), so name the folder of the runs with --out",
            shown(out),
            reason(&error)
        ))
    };
    let mut runs = Vec::new();
    for entry in fs::read_dir(out).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() && is_run(&path) {
            runs.push(path);
        }
    }
    runs.sort();
    Ok(runs)
}

/// Whether a folder is a run directory, perhaps one that has lost its record. One that is just being made is none yet.
fn is_run(folder: &Path) -> bool {
    // What can't be looked at may be there.
    let has = |name: &str| match fs::symlink_metadata(folder.join(name)) {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    has(RECORD) || ((has(RECIPE) || has(checkpoint::FOLDER)) && !Lock::is_taken(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_to_the_terminal_and_whole_in_a_pipe() {
        let line = |width| {
            let table = Table { width, name: 10 };
            let front = table.front("漢字-001", "interrupted", "1000", "97.50 %", "2026-11-30 23:43");
            let whole = front + &"dense 64, relu, ".repeat(9);
            table.fitted(&whole).into_owned()
        };
        for width in [20, 40, 60, 80, 200] {
            let fitted = line(Some(width));
            assert!(columns(&fitted) <= width, "{fitted}");
            assert!(fitted.ends_with('…') || width == 200, "{fitted}");
        }
        assert!(line(Some(80)).contains("dense 64"), "{}", line(Some(80)));
        assert!(columns(&line(None)) > 200);
    }
}
