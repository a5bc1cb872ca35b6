//! Files of a run that are only appended to.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file that grows by whole lines or records.
#[derive(Debug)]
pub(super) struct Appended {
    file: File,
    path: PathBuf,
}

impl Appended {
    pub fn open(run: &Path, name: &str) -> Result<Appended> {
        let path = run.join(name);
        let file = File::options().append(true).create(true).open(&path);
        let file = file.map_err(|error| {
            let shown = path.display();
            Error::Failure(format!("{shown} can't be opened ({error}), so check its folder and the disk"))
        })?;
        Ok(Appended { file, path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|found| found.len() == 0)
    }

    pub fn problem(&self, error: &std::io::Error) -> Error {
        Error::Failure(format!("{} can't be written ({error}), so check the disk", self.path.display()))
    }

    /// Appends all bytes in one call. A reader never sees half a line. After a failed write the
    /// file is cut back to its length before.
    pub fn append(&self, bytes: &[u8]) -> Result<()> {
        let before = self.file.metadata().map(|found| found.len());
        (&self.file).write_all(bytes).map_err(|error| {
            let _ = before.and_then(|length| self.file.set_len(length));
            self.problem(&error)
        })
    }

    /// Waits until what was appended is on the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.problem(&error))
    }

    pub fn cut(&self, length: u64) -> Result<()> {
        // Some systems don't let a handle that only appends cut a file.
        let file = File::options().write(true).open(&self.path);
        file.and_then(|file| file.set_len(length)).map_err(|error| self.problem(&error))
    }
}
