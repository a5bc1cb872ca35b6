//! One process at a time in a run directory.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::data::platform::LOCKS_STOP_READERS;
use crate::error::{Error, Result};

/// The name of the file that is locked. The system releases the lock of a process that ends, so a file that was left
/// behind locks nobody out.
const LOCK: &str = ".lock";

/// The lock of a run directory that this process works in.
#[derive(Debug)]
pub struct Lock {
    /// Closing it releases the lock.
    _file: File,
    path: PathBuf,
}

impl Lock {
    /// Locks a directory.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the process that has it, or saying why it can't be locked.
    pub fn take(run: &Path) -> Result<Lock> {
        let path = run.join(LOCK);
        let problem = |error: io::Error| {
            Error::Failure(format!(
                "{} can't be locked ({error}), so check that it may be written to",
                run.display()
            ))
        };
        loop {
            let options = File::options().read(true).write(true).create(true).truncate(false).to_owned();
            let mut file = options.open(&path).map_err(problem)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(taken(run, &path)),
                Err(TryLockError::Error(error)) => return Err(problem(error)),
            }
            let mine = std::process::id().to_string();
            file.set_len(0).and_then(|()| file.write_all(mine.as_bytes())).map_err(problem)?;
            // The process that had the lock may have removed the file after it was opened here. Where a lock stops
            // readers, only the file's existence can be checked.
            if LOCKS_STOP_READERS && path.exists() {
                return Ok(Lock { _file: file, path });
            }
            match fs::read_to_string(&path) {
                Ok(text) if text == mine => return Ok(Lock { _file: file, path }),
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    // Nobody else has the lock, so the file is of no use to others.
                    let _ = fs::remove_file(&path);
                    return Err(problem(error));
                }
                _ => {}
            }
        }
    }

    /// Whether a process works in the directory.
    pub fn is_taken(run: &Path) -> bool {
        File::open(run.join(LOCK)).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn taken(run: &Path, path: &Path) -> Error {
    let process = fs::read_to_string(path).ok().filter(|text| text.parse::<u32>().is_ok());
    let process = process.map_or("another process".to_owned(), |number| format!("process {number}"));
    Error::Failure(format!(
        "{} is in use by {process}, so wait until that has ended, or end it",
        run.display()
    ))
}
