//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes a file so that at every moment, also when the machine loses power, `path` holds either
/// what was there before or all of `bytes`.
///
/// The bytes go to a temporary file in the same folder, reach the disk, and take the name `path`
/// last. When anything fails the temporary file is removed.
///
/// # Errors
/// [`Error::Failure`] naming the file and what the operating system said.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes).map_err(|error| {
        Error::Failure(format!(
            "{} can't be written ({error}), so check that its folder exists, may be written to \
             and is on a disk with room",
            path.display()
        ))
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (file, temporary) = create_temporary(folder)?;
    let written = fill(file, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(folder);
    Ok(())
}

/// Removes what [`write_atomically`] left in a folder when its process was killed. Nobody may be
/// writing there. What can't be removed stays, and does no harm.
pub(crate) fn remove_temporary(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            let _ = fs::remove_file(&path);
        }
    }
}

const PREFIX: &str = ".wgrad-";
const SUFFIX: &str = ".tmp";

/// A new file of a name that no other process and no other call uses.
fn create_temporary(folder: &Path) -> io::Result<(File, PathBuf)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{PREFIX}{}-{number}{SUFFIX}", process::id()));
        match File::create_new(&path) {
            // Left by a process of the same number that was killed while writing.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Ok((created?, path)),
        }
    }
}

/// Takes the file, so that it is closed before it is renamed: Windows insists.
fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the new name itself survive a loss of power. Some file systems refuse this; the file is
/// whole under its name by then, so that is no failure.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_written_and_then_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        for bytes in [&b"first"[..], b"the second is longer", b""] {
            write_atomically(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert_eq!(names(folder.path()), ["run.json"]);
        }
    }

    #[test]
    fn a_failure_says_where_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        // A file can't take the place of a folder that isn't empty.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("kept"), "kept").unwrap();
        let error = write_atomically(&taken, b"lost").unwrap_err();
        assert!(matches!(error, Error::Failure(_)), "{error:?}");
        assert!(error.to_string().contains(&*taken.display().to_string()), "{error}");
        assert_eq!(names(folder.path()), ["taken"]);
        assert_eq!(names(&taken), ["kept"]);

        let error = write_atomically(&folder.path().join("none").join("run.json"), b"lost").unwrap_err();
        assert!(error.to_string().contains("its folder exists"), "{error}");
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[test]
    fn many_threads_writing_one_file_leave_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        std::thread::scope(|scope| {
            for byte in 0..8u8 {
                let path = &path;
                scope.spawn(move || write_atomically(path, &[byte; 1000]).unwrap());
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes, [bytes[0]; 1000]);
        assert_eq!(names(folder.path()), ["run.json"]);
    }
}
