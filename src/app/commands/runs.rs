//! `wgrad runs`: a list of runs, and the first difference between two.

use std::fs;
use std::path::{Path, PathBuf};

use wgrad::internals::text::{filled, shorten, shown};
use wgrad::internals::train::run::checkpoint::{self, Checkpoint};
use wgrad::internals::train::run::{Event, Lock, RECORD, RunRecord, Status, read_metrics};
use wgrad::{Error, Result};

use super::console::{answer, note};
use crate::app::cli;

pub fn run(arguments: &cli::RunsArgs) -> Result<()> {
    match &arguments.command {
        None => list(&arguments.out),
        Some(cli::RunsCommand::Diff { one, two }) => diff(one, two),
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
            Ok(record) => answer(format_args!("{name} {}", line(&path, &record)))?,
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

/// Prints the first step and tensor at which two runs differ.
///
/// Steps are compared by their losses, tensors in the earliest checkpoint that both runs have.
fn diff(one: &Path, two: &Path) -> Result<()> {
    let (first, second) = (RunRecord::load(one)?, RunRecord::load(two)?);
    for (what, first, second) in [
        ("network", &first.network, &second.network),
        ("seed", &first.seed.to_string(), &second.seed.to_string()),
        ("data", &first.digest, &second.digest),
        ("adapter", &first.adapter, &second.adapter),
    ] {
        if first != second {
            answer(format_args!("{what}: {} and {}", shorten(first), shorten(second)))?;
        }
    }
    let (losses, others) = (losses(one)?, losses(two)?);
    let common = losses.len().min(others.len());
    match losses.iter().zip(&others).position(|(one, two)| one.to_bits() != two.to_bits()) {
        Some(at) => answer(format_args!(
            "the runs differ from step {} on: its loss is {:?} and {:?}; weights may differ before it",
            at + 1,
            losses[at],
            others[at]
        ))?,
        None => answer(format_args!(
            "the losses of all {common} steps that both runs have are equal, bit by bit"
        ))?,
    }
    tensors(one, two)
}

/// The mean loss of every step of a run.
fn losses(run: &Path) -> Result<Vec<f64>> {
    let metrics = read_metrics(run)?;
    if let Some(first) = metrics.damaged.first() {
        note(format_args!(
            "{} of the metrics lines of {} are damaged and left out, the first is line {first}",
            metrics.damaged.len(),
            shown(run)
        ));
    }
    let losses = metrics.events.into_iter().filter_map(|event| match event {
        Event::Steps(steps) => Some(steps.losses),
        Event::Epoch(_) => None,
    });
    Ok(losses.flatten().collect())
}

fn tensors(one: &Path, two: &Path) -> Result<()> {
    let others = checkpoint::list(two)?;
    let mut common: Vec<(usize, PathBuf, PathBuf)> = checkpoint::list(one)?
        .into_iter()
        .filter_map(|(steps, path)| {
            let other = others.iter().find(|(other, _)| *other == steps)?;
            Some((steps, path, other.1.clone()))
        })
        .collect();
    // The earliest first.
    common.reverse();
    if common.is_empty() {
        return answer(format_args!("the runs have no checkpoints after the same number of steps"));
    }
    for (steps, one, two) in common {
        let (one, two) = (Checkpoint::load(&one)?, Checkpoint::load(&two)?);
        if let Some(what) = one.snapshot.difference(&two.snapshot) {
            return answer(format_args!("in the checkpoints after step {steps} they differ in {what}"));
        }
        answer(format_args!("the checkpoints after step {steps} are equal, bit by bit"))?;
    }
    Ok(())
}
