//! Downloads of data sets: resumed, verified against pinned digests, and whole before they get their name.
//!
//! While the set `NAME` is downloaded, its files are in `.NAME.part`: `FILE.part` until it is verified, then
//! `files/FILE`. The folder `files` becomes `NAME` at the end.

mod connection;
mod local;
mod transfer;
mod unpack;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::files::{read_text, unwritten, write_atomically};
use super::held::HeldFolder;
use super::known::{Form, Known};
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
    /// The new name of a folder that had the set's name, but did not hold the whole set.
    pub set_aside: Option<PathBuf>,
}

/// Downloads a set into a folder of its name in `root`, from `mirror` in place of its publisher.
///
/// What an earlier call left is resumed. A folder that is whole is left as it is, and needs not be writable; any other
/// of that name is set aside.
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
    let lock = root.join(format!(".{}.lock", known.name));
    let connection = Connection::to(mirror.unwrap_or(known.base))?;
    let was_there = Downloaded { folder: folder.clone(), was_there: true, set_aside: None };
    if is_whole(known, &folder) {
        furnish(known, &folder);
        // A process was killed at its very end.
        if part.exists() && locked(&lock, known.name).is_ok() {
            let _ = fs::remove_dir_all(&part);
        }
        return Ok(was_there);
    }
    fs::create_dir_all(root).map_err(|error| unwritten(root, &error))?;
    let lock = locked(&lock, known.name)?;
    // Another process may have finished meanwhile.
    if is_whole(known, &folder) {
        return Ok(was_there);
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
    write_digests(known, &files)?;
    let set_aside = replace(&files, root, known.name).map_err(|error| unwritten(&folder, &error))?;
    // The set is here; a later call tries again.
    let _ = fs::remove_dir_all(&part);
    drop(lock);
    Ok(Downloaded { folder, was_there: false, set_aside })
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

/// Gives the finished files their name, and what had it another one, which is returned.
fn replace(files: &Path, root: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    // It may hold files of the user's own.
    let aside = HeldFolder::open(root)?.set_aside(name)?.map(|aside| root.join(aside));
    let folder = root.join(name);
    let renamed = fs::rename(files, &folder);
    if let (Err(_), Some(aside)) = (&renamed, &aside) {
        // The first error is the one to report.
        let _ = fs::rename(aside, &folder);
    }
    renamed.map(|()| aside)
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

/// Whether a folder holds all files of a set.
///
/// Only archives have pinned digests where a set is published as one; the unpacked files are compared with the digests
/// that were written then.
fn is_whole(known: &Known, folder: &Path) -> bool {
    if known.form == Form::Files {
        return known.files.iter().all(|file| transfer::is_one_of(file, &folder.join(file.name)));
    }
    let Ok(digests) = read_text(&folder.join(DIGESTS), MOST_DIGESTS) else { return false };
    let mut lines = digests.lines().map(|line| line.split_once("  ")).peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            line.is_some_and(|(digest, name)| {
                digest_of(&folder.join(name)).is_ok_and(|found| found == digest)
            })
        })
}

/// Adds the digests to a whole folder that was filled by hand.
fn furnish(known: &Known, folder: &Path) {
    if !folder.join(DIGESTS).exists() {
        // A folder that can't be written is as whole without them.
        let _ = write_digests(known, folder);
    }
}

fn write_digests(known: &Known, folder: &Path) -> Result<()> {
    let unreadable = |error| unwritten(folder, &error);
    let mut lines = Vec::new();
    for name in names(known, folder).map_err(unreadable)? {
        let digest = digest_of(&folder.join(&name)).map_err(unreadable)?;
        lines.push((name, digest));
    }
    lines.sort();
    let text: String = lines.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    write_atomically(&folder.join(DIGESTS), text.as_bytes())
}

/// The names of a set's files in a folder.
fn names(known: &Known, folder: &Path) -> io::Result<Vec<String>> {
    if known.form == Form::Files {
        return Ok(known.files.iter().map(|file| file.name.to_owned()).collect());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        // Names of unpacked files are ASCII.
        names.extend(entry?.file_name().into_string().ok().filter(|name| name != DIGESTS));
    }
    Ok(names)
}
