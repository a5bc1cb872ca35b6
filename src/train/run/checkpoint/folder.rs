//! The checkpoints of a run directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::file::{Checkpoint, FOLDER};
use crate::data::held::HeldFolder;
use crate::error::{Error, Result};
use crate::text::{shorten, shown};
use crate::train::run::record::{RECORD, RunRecord};

/// The file of a run's checkpoint after `steps` steps.
pub fn path(run: &Path, steps: usize) -> PathBuf {
    run.join(FOLDER).join(name(steps))
}

/// The checkpoints of a run by their steps, the newest first. [`BEST`](super::BEST) is not among them.
///
/// # Errors
/// [`Error::Data`] when the folder can't be read. A missing folder has no checkpoints.
pub fn list(run: &Path) -> Result<Vec<(usize, PathBuf)>> {
    let folder = run.join(FOLDER);
    let problem = |error: std::io::Error| {
        Error::Data(format!("{} can't be read ({error}), so check its permissions", shown(&folder)))
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(problem)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(problem)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        found.extend(steps_of(name).map(|steps| (steps, path.clone())));
    }
    found.sort_by(|one: &(usize, PathBuf), two| two.cmp(one));
    Ok(found)
}

/// The number of steps after which a checkpoint of this name was saved.
fn steps_of(name: &str) -> Option<usize> {
    name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// The name of the checkpoint after `steps` steps.
pub fn name(steps: usize) -> String {
    format!("step-{steps:09}.safetensors")
}

/// The newest whole checkpoint of a run, and the problems of newer ones. A checkpoint itself may be named as well.
///
/// # Errors
/// [`Error::Data`] when there is none.
pub fn newest(run: &Path) -> Result<(Checkpoint, Vec<Error>)> {
    if run.is_file() {
        return Ok((Checkpoint::load(run)?, Vec::new()));
    }
    let record = RunRecord::load(run).ok();
    let mut problems = Vec::new();
    for (_, path) in list(run)? {
        match own(&path, record.as_ref()) {
            Ok(checkpoint) => return Ok((checkpoint, problems)),
            Err(problem) => problems.push(problem),
        }
    }
    Err(match problems.first() {
        None => Error::NotFound(format!(
            "{} has no checkpoint to resume from, so name the directory of another run or train again",
            shown(run)
        )),
        Some(first) => Error::Data(format!(
            "none of the {} checkpoints of {} can be used ({}{})",
            problems.len(),
            shown(run),
            first.marked(),
            if problems.len() > 1 { ", and others likewise" } else { "" }
        )),
    })
}

/// The checkpoint in a file, if it is of the run that has this record.
fn own(path: &Path, record: Option<&RunRecord>) -> Result<Checkpoint> {
    // A link may lead to the checkpoint of another run, and to another one tomorrow.
    if path.is_symlink() {
        return Err(Error::Data(format!(
            "{} is a link, not a checkpoint of this run, so put the file itself there or remove the link",
            shown(path)
        )));
    }
    let checkpoint = Checkpoint::load(path)?;
    let its = checkpoint.record.as_ref();
    match record.zip(its).filter(|(record, its)| !record.is_of_run(its)) {
        None => Ok(checkpoint),
        Some((record, its)) => Err(Error::Data(format!(
            "{} is a checkpoint of a run that began at {}, and {RECORD} is the record of one that began at {}, so put the \
             run's own file back or remove the other's",
            shown(path),
            shorten(&its.started),
            shorten(&record.started)
        ))),
    }
}

/// The checkpoints in a held folder by their steps, the newest first.
fn held(folder: &HeldFolder) -> io::Result<Vec<(usize, String)>> {
    let names = folder.names()?.into_iter();
    let mut found: Vec<_> = names.filter_map(|name| Some((steps_of(&name)?, name))).collect();
    found.sort_by(|one, two| two.cmp(one));
    Ok(found)
}

/// Removes the checkpoints after `steps` steps, where the run goes on.
///
/// They were given up or are damaged, and would seem newer than those that are saved from here on.
///
/// # Errors
/// [`Error::Failure`] naming one that can't be removed.
pub fn forget_after(folder: &HeldFolder, steps: usize) -> Result<()> {
    let problem = |path: PathBuf, error: io::Error| {
        Error::Failure(format!("{} can't be removed ({error}), so check its folder", shown(path)))
    };
    let all = held(folder).map_err(|error| problem(folder.path().to_owned(), error))?;
    for (_, name) in all.into_iter().filter(|(later, _)| *later > steps) {
        // Removing a link leaves the file it leads to. What is neither would be in the way of a later checkpoint.
        let removed = if folder.is_link(&name) { Ok(true) } else { folder.check(&name) };
        let removed = removed.and_then(|_| folder.remove(&name));
        removed.map_err(|error| problem(folder.path().join(&name), error))?;
    }
    Ok(())
}

/// Removes all but the newest `keep` checkpoints. A file that can't be removed stays, and does no harm.
pub fn tidy(folder: &HeldFolder, keep: usize) {
    for (_, name) in held(folder).unwrap_or_default().into_iter().skip(keep.max(1)) {
        let _ = folder.remove(&name);
    }
}

/// Removes all checkpoints of a run that did not begin.
pub fn clear(folder: &HeldFolder) {
    for (_, name) in held(folder).unwrap_or_default() {
        let _ = folder.remove(&name);
    }
}
