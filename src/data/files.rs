//! Files: written whole or not at all, read up to a limit, identified by their hash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::descriptor::Descriptor;
use super::platform::{is_out_of_files, sync_folder};
use super::temporary::{create_temporary, fill_and_sync};
pub use super::unread::Unread;
use super::unread::read_at_most;
use crate::error::{Error, Result};
use crate::text::{reason, shown};

/// Writes a file whole or not at all, even when the machine loses power.
///
/// The bytes go to a temporary file in the same folder, are flushed to disk, and take the name `path` last. Until then
/// `path` keeps its former content. When anything fails, the temporary file is removed.
///
/// # Errors
/// [`Error::Failure`] naming the file and what the operating system said.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, &mut |file| file.write_all(bytes))
}

/// As [`write_atomically`]; `fill` writes the bytes, piece by piece.
///
/// # Errors
/// As [`write_atomically`].
pub(crate) fn write_with(path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    write(path, fill).map_err(|error| unwritten(path, &error))
}

/// The error of a file that can't be written.
pub(crate) fn unwritten(path: &Path, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        // What is in its place is no file, as `HeldFolder` finds it.
        ErrorKind::Other => "move away what is there",
        _ if is_out_of_files(error) => "close other programs or raise the limit of open files (ulimit -n)",
        _ => "check that its folder exists and is writable, and that the disk has room",
    };
    Error::Failure(format!("{} can't be written ({}), so {remedy}", shown(path), reason(error)))
}

/// The remedy for a file that the system can't read, as the end of a sentence.
pub(crate) fn unread_remedy(error: &io::Error) -> &'static str {
    if is_out_of_files(error) {
        "so close other programs or raise the limit of open files (ulimit -n)"
    } else {
        "so check its permissions and the disk"
    }
}

/// Makes a folder that the user named, with those it lies in, if it isn't there.
///
/// # Errors
/// [`Error::Failure`] when it can't be made.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| {
        Error::Failure(format!("{} can't be made ({}), so name another folder", shown(path), reason(&error)))
    })
}

/// Writes to a path that the user named.
///
/// The target of a symbolic link is written as by [`write_atomically`], and the link stays. A pipe, a device or an open
/// file of this process (`/dev/stdout`) gets the bytes and stays.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    let problem = |error: io::Error| {
        Error::Failure(format!("{} can't be written ({}), so name another file", shown(path), reason(&error)))
    };
    if let Some(open) = Descriptor::of(path) {
        return open.write(bytes).map_err(problem);
    }
    let target = followed(path).map_err(problem)?;
    match fs::metadata(&target) {
        Ok(found) if !found.is_file() => {
            let opened = OpenOptions::new().write(true).open(&target);
            opened.and_then(|mut file| file.write_all(bytes)).map_err(problem)
        }
        // A path without anything is written like a file; any other problem shows up there again.
        _ => write_atomically(&target, bytes),
    }
}

/// Checks that [`write_output`] can write to a path, and leaves nothing behind.
///
/// Meant for the start of long work whose result goes there.
///
/// # Errors
/// As [`write_output`].
pub fn check_output(path: &Path) -> Result<()> {
    let problem = |error: io::Error| {
        Error::Failure(format!(
            "{} can't be written ({}), so check that its folder exists and is writable",
            shown(path),
            reason(&error)
        ))
    };
    if let Some(open) = Descriptor::of(path) {
        return open.check().map_err(problem);
    }
    let target = followed(path).map_err(problem)?;
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => Err(problem(io::Error::other("it is a folder"))),
        // A pipe or a device can't be checked without writing to it.
        Ok(found) if !found.is_file() => Ok(()),
        _ => create_in(folder_of(&target))
            .and_then(|(file, temporary)| {
                drop(file);
                fs::remove_file(temporary)
            })
            .map_err(problem),
    }
}

/// Whether a path leads to a pipe, a device or an open file of this process, which get bytes and stay.
pub fn is_stream(path: &Path) -> bool {
    let is_special = |found: fs::Metadata| !found.is_file() && !found.is_dir();
    Descriptor::of(path).is_some() || fs::metadata(path).is_ok_and(is_special)
}

/// The target of a path after all symbolic links; it need not exist.
fn followed(path: &Path) -> io::Result<PathBuf> {
    // The limit of Linux.
    const MOST_LINKS: usize = 40;
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        if !fs::symlink_metadata(&at).is_ok_and(|found| found.is_symlink()) {
            return Ok(at);
        }
        let next = fs::read_link(&at)?;
        // A target is relative to the folder of its link.
        at = at.parent().map(|folder| folder.join(&next)).unwrap_or(next);
    }
    Err(io::Error::other("its symbolic links lead in a circle"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write(path: &Path, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = folder_of(path);
    let (file, temporary) = create_in(folder)?;
    let written = fill_and_sync(file, fill).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(|| File::open(folder));
    Ok(())
}

/// Reads a regular file of at most `most` bytes.
///
/// Memory is taken for the bytes that the file really holds.
///
/// # Errors
/// The reason, as an [`Unread`].
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    // As in `open_regular`.
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(Unread::NotAFile);
    }
    read_at_most(File::open(path)?, most)
}

/// Opens a regular file to be read. Opening a pipe would wait for its other end.
///
/// # Errors
/// What the system says, or that it is something else.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(io::Error::other("it is not a regular file"))
}

/// Reads a UTF-8 text file of at most `most` bytes.
///
/// # Errors
/// The reason, to stand in brackets behind “can't be read”.
pub fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let bytes = read_bytes(path, most).map_err(|why| match why {
        Unread::TooLong(_) => format!("it has more than {most} bytes"),
        why => why.to_string(),
    })?;
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())
}

/// A hash as text: two hexadecimal digits for each byte.
pub fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Creates a temporary file in a folder.
fn create_in(folder: &Path) -> io::Result<(File, PathBuf)> {
    let (file, name) = create_temporary(|name| File::create_new(folder.join(name)))?;
    Ok((file, folder.join(name)))
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

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_circle_of_them_is_refused() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let [file, link, second] = ["file", "link", "second"].map(|name| folder.path().join(name));
        symlink("file", &link).unwrap();
        symlink(&link, &second).unwrap();
        // First there is nothing where they lead.
        for bytes in [&b"new"[..], b"newer"] {
            write_output(&second, bytes).unwrap();
            assert_eq!(fs::read(&file).unwrap(), bytes);
            assert!([&link, &second].iter().all(|path| fs::symlink_metadata(path).unwrap().is_symlink()));
        }
        fs::remove_file(&link).unwrap();
        symlink("second", &link).unwrap();
        let error = write_output(&link, b"lost").unwrap_err();
        assert!(error.to_string().contains("circle"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_and_a_pipe_get_the_bytes_and_stay_what_they_are() {
        use std::os::unix::fs::FileTypeExt;
        write_output(Path::new("/dev/null"), b"gone").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| fs::read(&pipe).unwrap());
            write_output(&pipe, b"through").unwrap();
            assert_eq!(reader.join().unwrap(), b"through");
        });
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert!(write_output(folder.path(), b"lost").is_err());
    }

    #[test]
    fn check_output_predicts_writing_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        check_output(&path).unwrap();
        assert!(names(folder.path()).is_empty());
        fs::write(&path, "kept").unwrap();
        check_output(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        let refused = |path: &Path| check_output(path).unwrap_err().to_string();
        assert!(refused(folder.path()).contains("it is a folder"));
        assert!(refused(&folder.path().join("none").join("report.json")).contains("its folder exists"));
        assert_eq!(names(folder.path()), ["report.json"]);
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
