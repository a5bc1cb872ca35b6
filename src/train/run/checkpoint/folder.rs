//! The checkpoints of a run directory.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::file::{Checkpoint, FOLDER};
use super::read::read;
use crate::error::{Error, Result};
use crate::text::{reason, shown};
use crate::train::run::record::RunRecord;
use crate::train::run::tensors::Fault;

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
        Error::Data(format!(
            "{} can't be read ({error}), so check its permissions",
            shown(&folder),
            error = reason(&error)
        ))
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
pub(super) fn steps_of(name: &str) -> Option<usize> {
    name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// The name of the checkpoint after `steps` steps.
pub fn name(steps: usize) -> String {
    format!("step-{steps:09}.safetensors")
}

/// The newest whole checkpoint of a run, and the problems of newer ones. A checkpoint itself may be named as well.
///
/// # Errors
/// [`Error::Data`] when there is none, [`Error::Failure`] when a newer one may be whole but can't be read.
pub fn newest(run: &Path) -> Result<(Checkpoint, Vec<Error>)> {
    if run.is_file() {
        let named = own(run, None).map_err(|fault| Error::Data(format!("{} {fault}", shown(run))))?;
        return Ok((named, Vec::new()));
    }
    let record = RunRecord::load(run).ok();
    let mut problems = Vec::new();
    for (_, path) in list(run)? {
        match own(&path, record.as_ref()) {
            Ok(checkpoint) => return Ok((checkpoint, problems)),
            Err(fault) if fault.is_unreadable => {
                return Err(Error::Failure(format!(
                    "{} {fault}, or name an earlier checkpoint to go on from that",
                    shown(&path)
                )));
            }
            Err(fault) => problems.push(Error::Data(format!("{} {fault}", shown(&path)))),
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
fn own(path: &Path, record: Option<&RunRecord>) -> Result<Checkpoint, Fault> {
    // A link may lead to the checkpoint of another run, and to another one tomorrow.
    if path.is_symlink() {
        let problem =
            "is a link, not a checkpoint of this run, so put the file itself there or remove the link";
        return Err(problem.to_owned().into());
    }
    let checkpoint = read(path)?;
    let of_another =
        record.zip(checkpoint.record.as_ref()).and_then(|(record, its)| its.of_another_run(record));
    of_another.map_or(Ok(checkpoint), |why| Err(format!("is a checkpoint {why}").into()))
}
