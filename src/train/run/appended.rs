//! Files of a run that are only appended to.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::data::files::unwritten;
use crate::data::held::{HeldFolder, Identity};
use crate::error::{Error, Result};
use crate::text::{reason, shown};

/// A file that grows by whole lines or records.
#[derive(Debug)]
pub(super) struct Appended {
    file: File,
    name: &'static str,
    path: PathBuf,
}

impl Appended {
    /// Opens a file of the run, and makes it if there is none.
    pub fn open(folder: &HeldFolder, name: &'static str) -> Result<Appended> {
        let path = folder.path().join(name);
        let file = folder.open_to_write(name, true).map_err(|error| {
            let shown = shown(&path);
            Error::Failure(format!(
                "{shown} can't be opened ({error}), so check its folder and the disk",
                error = reason(&error)
            ))
        })?;
        Ok(Appended { file, name, path })
    }

    pub fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|found| found.len() == 0)
    }

    fn problem(&self, error: &std::io::Error) -> Error {
        Error::Failure(format!(
            "{} can't be written ({error}), so check the disk",
            shown(&self.path),
            error = reason(error)
        ))
    }

    /// All that was appended.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Error::Failure(format!(
                "{} can't be read ({error}), so check the disk",
                shown(&self.path),
                error = reason(&error)
            ))),
        }
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

    /// Puts the file back under its name, where it was removed or replaced by hand, and says so.
    ///
    /// What was appended to it is still there while it is open. What has taken its place gets another name.
    pub fn put_back(&mut self, folder: &HeldFolder) -> Result<Option<String>> {
        let problem = |error: std::io::Error| self.problem(&error);
        let identity = Identity::of_file(&self.file).map_err(problem)?;
        if folder.leads_to(self.name, identity).map_err(problem)? {
            return Ok(None);
        }
        let bytes = self.read()?;
        let aside = folder.set_aside(self.name).map_err(problem)?;
        self.replace(folder, &bytes)?;
        let shown = shown(&self.path);
        Ok(Some(match aside {
            None => format!("{shown} was removed while this run worked in it, so it is written again"),
            Some(aside) => format!(
                "{shown} was replaced while this run worked in it, so the run's own is written again, and what was there is \
                 now {aside}"
            ),
        }))
    }

    /// Cuts the file to a length.
    pub fn cut(&self, folder: &HeldFolder, length: u64) -> Result<()> {
        // Some systems don't let a handle that only appends cut a file.
        let cut = folder.open_to_write(self.name, false).and_then(|file| {
            if Identity::of_file(&file)? != Identity::of_file(&self.file)? {
                return Err(std::io::Error::other("another file has taken its place"));
            }
            file.set_len(length)
        });
        cut.map_err(|error| self.problem(&error))
    }

    /// Writes the whole file again, whole or not at all.
    pub fn replace(&mut self, folder: &HeldFolder, bytes: &[u8]) -> Result<()> {
        let written = folder.write(self.name, &mut |file| file.write_all(bytes));
        written.map_err(|error| unwritten(&self.path, &error))?;
        *self = Appended::open(folder, self.name)?;
        Ok(())
    }
}
