//! One process at a time in a run directory.
//!
//! The directory itself is locked where the system can, and the file `.lock` in it, which says who has it. The system
//! releases the locks of a process that ends, so a file that was left behind locks nobody out.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crate::data::held::{HeldFolder, Identity};
use crate::error::{Error, Result};
use crate::text::{reason, shown};

/// The name of the file that is locked.
const LOCK: &str = ".lock";

/// The lock of a run directory that this process works in.
#[derive(Debug)]
pub struct Lock {
    /// The locked directory. Closing it releases the lock. None where directories can't be locked, as on Windows.
    directory: Option<File>,
    file: LockFile,
    folder: Arc<HeldFolder>,
}

/// The locked file in a directory.
#[derive(Debug)]
struct LockFile {
    identity: Identity,
    /// Closing it releases the lock.
    _file: File,
}

impl Lock {
    /// Locks a directory.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the process that has it, or saying why it can't be locked.
    pub(super) fn take(folder: &Arc<HeldFolder>) -> Result<Lock> {
        let directory = lock_directory(folder)?;
        loop {
            let file = lock_file(folder)?;
            // The process that had the lock may have removed the file after it was opened here.
            if folder.leads_to(LOCK, file.identity).map_err(|error| unlocked(folder, &error))? {
                return Ok(Lock { directory, file, folder: Arc::clone(folder) });
            }
        }
    }

    /// Checks that no other process can have the directory: `.lock` may have been removed by hand.
    ///
    /// # Errors
    /// [`Error::Failure`] when another process may write here.
    pub(super) fn check(&mut self) -> Result<()> {
        if self.folder.leads_to(LOCK, self.file.identity).map_err(|error| unlocked(&self.folder, &error))? {
            return Ok(());
        }
        if self.directory.is_none() {
            return Err(Error::Failure(format!(
                "the file {LOCK} of {} was removed or replaced while this run worked in it, so another may write there and \
                 this one stops",
                shown(self.folder.path())
            )));
        }
        self.file = lock_file(&self.folder)?;
        Ok(())
    }

    /// Whether a process works in the directory.
    pub fn is_taken(run: &Path) -> bool {
        let taken = |file: &File| matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        let Ok(folder) = HeldFolder::open(run) else { return false };
        let directory = folder.as_file().is_ok_and(|directory| taken(&directory));
        let file = || {
            let there = folder.check(LOCK).is_ok_and(|there| there);
            there && folder.open_to_write(LOCK, false).is_ok_and(|file| taken(&file))
        };
        directory || file()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.folder.leads_to(LOCK, self.file.identity).unwrap_or(false) {
            let _ = self.folder.remove(LOCK);
        }
    }
}

fn lock_directory(folder: &HeldFolder) -> Result<Option<File>> {
    let Ok(directory) = folder.as_file() else { return Ok(None) };
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Err(taken(folder)),
        // Some systems lock files only; the file in it is locked anyway.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Locks the file, and writes the number of this process into it.
fn lock_file(folder: &HeldFolder) -> Result<LockFile> {
    let problem = |error: io::Error| unlocked(folder, &error);
    let mut file = folder.open_to_write(LOCK, false).map_err(problem)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken(folder)),
        Err(TryLockError::Error(error)) => return Err(problem(error)),
    }
    let mine = std::process::id().to_string();
    file.set_len(0).map_err(problem)?;
    file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(mine.as_bytes())).map_err(problem)?;
    Ok(LockFile { identity: Identity::of_file(&file).map_err(problem)?, _file: file })
}

fn unlocked(folder: &HeldFolder, error: &io::Error) -> Error {
    Error::Failure(format!(
        "{} can't be locked ({LOCK}: {error}), so check that it may be written to",
        shown(folder.path()),
        error = reason(error)
    ))
}

fn taken(folder: &HeldFolder) -> Error {
    let process = folder.read(LOCK, 32).ok().and_then(|text| String::from_utf8(text).ok());
    let process = process.filter(|text| text.parse::<u32>().is_ok());
    let process = process.map_or("another process".to_owned(), |number| format!("process {number}"));
    Error::Failure(format!(
        "{} is in use by {process}, so wait until that has ended, or end it",
        shown(folder.path())
    ))
}
