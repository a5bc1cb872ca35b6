//! One file, transferred in as many pieces as the connection takes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::connection::{Answer, Connection, NoAnswer};
use super::local::{Received, digest_of};
use crate::data::files::unwritten;
use crate::data::known::{Published, Version};
use crate::error::{Error, Result};
use crate::text::{printable, reason};

/// The most answers in a row that bring nothing new.
const MOST_VAIN: usize = 3;
/// The wait before a server is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Fetches a file, and names it `path` once it has the digest of one of its versions.
///
/// Until then its bytes are in `part/FILE.part`, where a later call finds them.
///
/// # Errors
/// As [`download`](super::download).
pub(super) fn fetch(
    connection: &Connection,
    file: &Published,
    part: &Path,
    path: &Path,
    received: &mut dyn FnMut(&Received),
) -> Result<()> {
    if is_one_of(file, path) {
        return Ok(());
    }
    let partial = part.join(format!("{}.part", file.name));
    // What a killed process received whole.
    if !is_one_of(file, &partial) {
        let transferred = receive(connection, file, &partial, received)?;
        let digest = digest_of(&partial).map_err(|error| unwritten(&partial, &error))?;
        if !file.versions.iter().any(|version| version.sha256 == digest) {
            // It would only be found wrong again.
            fs::remove_file(&partial).map_err(|error| unwritten(&partial, &error))?;
            return Err(Error::Data(format!(
                "{} has other content than the file that is expected ({transferred} bytes with the SHA-256 digest \
                 {digest}, not {}), so nothing was kept: name a mirror with ⟨from⟩",
                printable(&connection.url(file.name)),
                file.versions[0].sha256
            )));
        }
    }
    fs::rename(&partial, path).map_err(|error| unwritten(path, &error))
}

/// Whether a file has the length and the digest of a version.
pub(super) fn is_one_of(file: &Published, path: &Path) -> bool {
    let Ok(found) = fs::metadata(path) else { return false };
    let is_of_length = |version: &Version| version.bytes == found.len();
    file.versions.iter().any(is_of_length)
        && digest_of(path).is_ok_and(|digest| file.versions.iter().any(|version| version.sha256 == digest))
}

/// Receives all bytes of a file, and gives their number.
fn receive(
    connection: &Connection,
    file: &Published,
    partial: &Path,
    received: &mut dyn FnMut(&Received),
) -> Result<u64> {
    let most = file.versions.iter().map(|version| version.bytes).max().unwrap_or_default();
    let opened = OpenOptions::new().create(true).write(true).truncate(false).open(partial);
    let mut to = opened.map_err(|error| unwritten(partial, &error))?;
    let mut here = to.metadata().map_err(|error| unwritten(partial, &error))?.len();
    // A whole file that is wrong, or more than that, is of no use.
    if file.versions.iter().any(|version| version.bytes == here) || here > most {
        here = 0;
    }
    let (mut furthest, mut vain) = (here, 0);
    loop {
        let answer = match connection.ask(file.name, here) {
            Ok(answer) => answer,
            Err(NoAnswer::OutOfRange) if here > 0 => {
                here = 0;
                continue;
            }
            Err(NoAnswer::OutOfRange) => return Err(broken_off(connection, file, 0, most, None)),
            Err(NoAnswer::Failed(error)) => return Err(error),
        };
        let total = expected(connection, file, &answer, most)?;
        let (length, problem) = append(answer, &mut to, total, |bytes| {
            received(&Received { file: file.name, bytes, total });
        })
        .map_err(|error| unwritten(partial, &error))?;
        here = length;
        if here == total {
            return to.sync_all().map(|()| here).map_err(|error| unwritten(partial, &error));
        }
        vain = if here > furthest { 0 } else { vain + 1 };
        furthest = furthest.max(here);
        if vain == MOST_VAIN {
            return Err(broken_off(connection, file, here, total, problem));
        }
        thread::sleep(PAUSE);
    }
}

/// The length of the whole file by the server's word, which must be that of a version.
fn expected(connection: &Connection, file: &Published, answer: &Answer, most: u64) -> Result<u64> {
    match answer.total {
        None => Ok(most),
        Some(total) if file.versions.iter().any(|version| version.bytes == total) => Ok(total),
        Some(total) => Err(Error::Data(format!(
            "{} has {total} bytes, but the file that is expected has {}, so name a mirror with ⟨from⟩ that has it",
            printable(&connection.url(file.name)),
            file.versions[0].bytes
        ))),
    }
}

/// Writes the bytes of an answer, and gives the length of the file then and why no more came.
///
/// Each piece is written at once, so that it is there for a later call when the process is killed.
fn append(
    mut answer: Answer,
    to: &mut File,
    total: u64,
    mut wrote: impl FnMut(u64),
) -> io::Result<(u64, Option<io::Error>)> {
    let mut here = answer.from;
    to.set_len(here)?;
    to.seek(SeekFrom::Start(here))?;
    let mut buffer = vec![0; 1 << 16];
    while here < total {
        let room = buffer.len().min(usize::try_from(total - here).unwrap_or(usize::MAX));
        match answer.body.read(&mut buffer[..room]) {
            Ok(0) => return Ok((here, None)),
            Ok(count) => {
                to.write_all(&buffer[..count])?;
                here += count as u64;
                wrote(here);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Ok((here, Some(error))),
        }
    }
    Ok((here, None))
}

fn broken_off(
    connection: &Connection,
    file: &Published,
    here: u64,
    total: u64,
    problem: Option<io::Error>,
) -> Error {
    let why = problem.map_or_else(String::new, |problem| format!(" ({})", reason(&problem)));
    Error::Failure(format!(
        "{} broke off after {here} of {total} bytes{why}, so try again: what is here is kept and resumed",
        printable(&connection.url(file.name))
    ))
}
