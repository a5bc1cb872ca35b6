//! `wgrad runs`: a list of runs.

use std::fs;
use std::path::{Path, PathBuf};

use wgrad::internals::text::{filled, shorten, shown};
use wgrad::internals::train::run::{Event, Lock, RECORD, RunRecord, Status, read_metrics};
use wgrad::{Error, Result};

use super::console::{answer, note};
use crate::app::cli;

pub fn run(arguments: &cli::RunsArgs) -> Result<()> {
    match &arguments.command {
        None => list(&arguments.out),
        Some(cli::RunsCommand::Diff { one, two }) => super::diff::run(one, two),
    }
}

/// A line per run, in the order of their names.
fn list(out: &Path) -> Result<()> {
    let runs = directories(out)?;
    if runs.is_empty() {
        note(format_args!("no runs in {}: wgrad train makes one", shown(out)));
        return Ok(());
    }
    answer(format_args!(
        "{:<24} {:<12} {:>6} {:>9}  {:<20}  network",
        "run", "status", "epochs", "held-out", "started"
    ))?;
    for path in runs {
        let name = filled(&shown(path.file_name().unwrap_or_default()), 24);
        match RunRecord::load(&path) {
            Ok(record) => {
                answer(format_args!("{name} {}", line(&path, &record)))?;
                if !record.has_model(&path) {
                    note(format_args!("{:<24} its {RECORD} and its model are not of one run", ""));
                }
            }
            Err(error) => note(format_args!("{name} {}", error.marked())),
        }
    }
    Ok(())
}

fn line(path: &Path, record: &RunRecord) -> String {
    let status = match record.status {
        // A process that works in a directory has its lock.
        Status::Running if !Lock::is_taken(path) => "killed",
        Status::Running => "running",
        Status::Done => "done",
        Status::Diverged => "diverged",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
    };
    // The record of a killed run is from its start or its last resumption.
    let measured = || {
        let events = read_metrics(path).unwrap_or_default().events;
        let epoch = |event| if let Event::Epoch(epoch) = event { Some(epoch) } else { None };
        events.into_iter().rev().find_map(epoch)
    };
    let last = match record.status {
        Status::Running => measured(),
        _ => record.last.clone(),
    };
    let accuracy =
        last.as_ref().map_or("-".to_owned(), |last| format!("{:.2} %", last.held_out_accuracy * 100.0));
    let epochs = last.map_or(0, |last| last.epoch);
    format!(
        "{status:<12} {epochs:>6} {accuracy:>9}  {}  {}",
        filled(&shorten(&record.started), 20),
        shorten(&record.network)
    )
}

fn directories(out: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(out).map_err(|error| {
        Error::Usage(format!(
            "{} can't be read ({error}), so name the folder of the runs with --out",
            shown(out)
        ))
    })?;
    let mut runs: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join(RECORD).is_file()).collect();
    runs.sort();
    Ok(runs)
}
