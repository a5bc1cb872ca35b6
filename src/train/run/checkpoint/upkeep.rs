//! Removing checkpoints. Only those go that are known to be this run's own; a name proves nothing.

use std::io;

use serde::Deserialize;

use super::file::{ADVICE, BEST, FORMAT, FORMAT_VERSION};
use super::folder::steps_of;
use crate::data::files::unwritten;
use crate::data::held::HeldFolder;
use crate::error::{Error, Result};
use crate::text::{reason, shown};
use crate::train::run::tensors::Tensors;

/// Checks that each checkpoint is a file, or a link, which is never followed.
///
/// # Errors
/// [`Error::Failure`] naming what is in the place of one.
pub fn check_places(folder: &HeldFolder) -> Result<()> {
    let all = held(folder).map_err(|error| unwritten(folder.path(), &error))?;
    let others = all.iter().map(|(_, name)| name.as_str()).filter(|name| !folder.is_link(name));
    for name in others.chain([BEST]) {
        folder.check(name).map_err(|error| unwritten(&folder.path().join(name), &error))?;
    }
    Ok(())
}

/// Removes the checkpoints of the run `id` after `steps` steps, where it goes on. Returns what has become of others.
///
/// They would seem newer than those that are saved from here on. Those of the run were given up or are damaged; what isn't
/// known to be the run's is set aside.
///
/// # Errors
/// [`Error::Failure`] naming one that can't be removed or renamed.
pub fn forget_after(folder: &HeldFolder, steps: usize, id: &str) -> Result<Vec<String>> {
    let all = held(folder).map_err(|error| unchanged(folder, "", &error))?;
    let mut said = Vec::new();
    for (_, name) in all.into_iter().filter(|(later, _)| *later > steps) {
        if is_of(folder, &name, id) {
            folder.remove(&name).map_err(|error| unchanged(folder, &name, &error))?;
        } else {
            said.extend(set_aside(folder, &name)?);
        }
    }
    // The best checkpoint of another run would be replaced by the next of this one.
    if !id.is_empty() && id_of(folder, BEST).is_some_and(|its| its != id) {
        said.extend(set_aside(folder, BEST)?);
    }
    Ok(said)
}

/// Gives another name to what is in the place of a checkpoint, and says so.
pub fn set_aside(folder: &HeldFolder, name: &str) -> Result<Option<String>> {
    let aside = folder.set_aside(name).map_err(|error| unchanged(folder, name, &error))?;
    Ok(aside.map(|aside| {
        let path = shown(folder.path().join(name));
        format!("{path} isn't known to be a checkpoint of this run, so it is renamed {aside}")
    }))
}

/// [`set_aside`] for what isn't known to be a checkpoint of the run `id`, if anything has the name.
pub fn set_foreign_aside(folder: &HeldFolder, name: &str, id: &str) -> Result<Option<String>> {
    if is_of(folder, name, id) { Ok(None) } else { set_aside(folder, name) }
}

/// Removes all but the newest `keep` checkpoints of the run `id` up to the one just saved, after `steps` steps. A file
/// that can't be removed stays, and does no harm.
pub fn tidy(folder: &HeldFolder, keep: usize, steps: usize, id: &str) {
    let mut earlier = held(folder).unwrap_or_default();
    earlier.retain(|(before, _)| *before < steps);
    // The one just saved counts. With too few others none has to be looked into.
    if earlier.len() < keep.max(1) {
        return;
    }
    let own = earlier.iter().filter(|(_, name)| is_of(folder, name, id));
    for (_, name) in own.skip(keep.saturating_sub(1)) {
        let _ = folder.remove(name);
    }
}

/// The checkpoints in a held folder by their steps, the newest first.
fn held(folder: &HeldFolder) -> io::Result<Vec<(usize, String)>> {
    let names = folder.names()?.into_iter();
    let mut found: Vec<_> = names.filter_map(|name| Some((steps_of(&name)?, name))).collect();
    found.sort_by(|one, two| two.cmp(one));
    Ok(found)
}

/// Whether a file is known to be a checkpoint of a run. Those of earlier versions don't say.
fn is_of(folder: &HeldFolder, name: &str, id: &str) -> bool {
    !id.is_empty() && id_of(folder, name).is_some_and(|its| its == id)
}

/// The id of the run of a checkpoint, if its header can be read.
fn id_of(folder: &HeldFolder, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Record {
        id: String,
    }
    let file = Tensors::of_file(folder.open_to_read(name).ok()?, ADVICE).ok()?;
    file.check_format(FORMAT, FORMAT_VERSION).ok()?;
    let Record { id } = file.json("record").ok()?;
    Some(id).filter(|id| !id.is_empty())
}

fn unchanged(folder: &HeldFolder, name: &str, error: &io::Error) -> Error {
    let path = shown(folder.path().join(name));
    Error::Failure(format!("{path} can't be removed or renamed ({}), so check its folder", reason(error)))
}
