//! Downloads of data sets: resumed, verified against pinned digests, and whole before they get their name.
//!
//! While the set `NAME` is downloaded, its files are in `.NAME.part`: `FILE.part` until it is verified, then
//! `files/FILE`. The folder `files` becomes `NAME` at the end.

mod connection;
mod local;
mod transfer;
mod unpack;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::files::{read_text, write_atomically};
use super::known::{Form, Known};
use crate::data::files::unwritten;
use crate::error::{Error, Result};
use connection::Connection;
pub use local::Received;
use local::digest_of;

/// The digests of a set's files, in the form of `sha256sum`.
const DIGESTS: &str = "SHA256SUMS";
/// The most bytes of [`DIGESTS`].
const MOST_DIGESTS: u64 = 1 << 20;

/// A set that is whole on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Whether it was there before.
    pub was_there: bool,
}

/// Downloads a set into a folder of its name in `root`, from `mirror` in place of its publisher.
///
/// What an earlier call left is resumed. A folder that is whole is left as it is.
///
/// # Errors
/// [`Error::Usage`] for a mirror or a proxy that is no URL; [`Error::Data`] for a server that has other files;
/// [`Error::Failure`] when the server can't be reached or breaks off, or a file can't be written.
pub fn download(
    known: &Known,
    mirror: Option<&str>,
    root: &Path,
    received: &mut dyn FnMut(&Received),
) -> Result<Downloaded> {
    let folder = root.join(known.name);
    let part = root.join(format!(".{}.part", known.name));
    let connection = Connection::to(mirror.unwrap_or(known.base))?;
    fs::create_dir_all(&part).map_err(|error| unwritten(&part, &error))?;
    let lock = locked(&root.join(format!(".{}.lock", known.name)), known.name)?;
    if is_whole(&folder) {
        fs::remove_dir_all(&part).map_err(|error| unwritten(&part, &error))?;
        return Ok(Downloaded { folder, was_there: true });
    }
    let files = part.join("files");
    fs::create_dir_all(&files).map_err(|error| unwritten(&files, &error))?;
    for file in known.files {
        let at = match known.form {
            Form::Files => files.join(file.name),
            Form::TarGz | Form::Zip => part.join(file.name),
        };
        transfer::fetch(&connection, file, &part, &at, received)?;
    }
    if known.form != Form::Files {
        unpack_all(known, &part, &files)?;
    }
    write_digests(&files)?;
    replace(&files, &folder, &part).map_err(|error| unwritten(&folder, &error))?;
    drop(lock);
    Ok(Downloaded { folder, was_there: false })
}

/// Unpacks the archives of a set into a folder that is emptied first: an earlier call may have been killed meanwhile.
fn unpack_all(known: &Known, part: &Path, files: &Path) -> Result<()> {
    let emptied = fs::remove_dir_all(files).and_then(|()| fs::create_dir(files));
    emptied.map_err(|error| unwritten(files, &error))?;
    known.files.iter().try_for_each(|file| {
        let archive = part.join(file.name);
        match known.form {
            Form::Zip => unpack::zip(&archive, files),
            _ => unpack::tar_gz(&archive, files),
        }
    })
}

/// Gives the finished files their name. A damaged folder of that name makes room.
fn replace(files: &Path, folder: &Path, part: &Path) -> io::Result<()> {
    let former = part.join("former");
    match fs::rename(folder, &former) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(files, folder)?;
    fs::remove_dir_all(part)
}

/// Holds the file by which processes that download the same set exclude one another.
fn locked(path: &Path, name: &str) -> Result<File> {
    let opened = OpenOptions::new().create(true).write(true).truncate(false).open(path);
    let file = opened.map_err(|error| unwritten(path, &error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Failure(format!(
            "{name} is being downloaded by another process, so wait until that has finished"
        ))),
        // Some network drives know no locks.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(file),
    }
}

/// Whether all files of a folder have the digests that were written when they were downloaded.
fn is_whole(folder: &Path) -> bool {
    let Ok(digests) = read_text(&folder.join(DIGESTS), MOST_DIGESTS) else { return false };
    let mut lines = digests.lines().map(|line| line.split_once("  ")).peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            line.is_some_and(|(digest, name)| {
                digest_of(&folder.join(name)).is_ok_and(|found| found == digest)
            })
        })
}

fn write_digests(folder: &Path) -> Result<()> {
    let unreadable = |error| unwritten(folder, &error);
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Names of known files and of unpacked ones are ASCII.
        if let Some(name) = entry.file_name().to_str().filter(|name| *name != DIGESTS) {
            lines.push((name.to_owned(), digest_of(&entry.path()).map_err(unreadable)?));
        }
    }
    lines.sort();
    let text: String = lines.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    write_atomically(&folder.join(DIGESTS), text.as_bytes())
}
