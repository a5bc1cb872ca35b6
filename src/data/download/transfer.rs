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
        let mut transfer = receive(connection, file, &partial, received)?;
        let digest_here = || digest_of(&partial).map_err(|error| unwritten(&partial, &error));
        let mut digest = digest_here()?;
        let is_wrong = |digest: &str| file.versions.iter().all(|version| version.sha256 != digest);
        if is_wrong(&digest) && transfer.is_pieced {
            // The pieces may be of two versions, from two servers.
            fs::remove_file(&partial).map_err(|error| unwritten(&partial, &error))?;
            transfer = receive(connection, file, &partial, received)?;
            digest = digest_here()?;
        }
        if is_wrong(&digest) {
            // It would only be found wrong again.
            fs::remove_file(&partial).map_err(|error| unwritten(&partial, &error))?;
            return Err(Error::Data(format!(
                "{} has other content than the file that is expected ({} bytes with the SHA-256 digest \
                 {digest}, not {}), so nothing was kept: name a mirror with ⟨from⟩",
                printable(&connection.url(file.name)),
                transfer.bytes,
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

/// A file that was received.
struct Transfer {
    bytes: u64,
    /// Whether an answer began behind the first byte.
    is_pieced: bool,
}

/// Receives all bytes of a file.
fn receive(
    connection: &Connection,
    file: &Published,
    partial: &Path,
    received: &mut dyn FnMut(&Received),
) -> Result<Transfer> {
    let most = file.versions.iter().map(|version| version.bytes).max().unwrap_or_default();
    let opened = OpenOptions::new().create(true).write(true).truncate(false).open(partial);
    let mut to = opened.map_err(|error| unwritten(partial, &error))?;
    let mut here = to.metadata().map_err(|error| unwritten(partial, &error))?.len();
    // A whole file that is wrong, or more than that, is of no use.
    if file.versions.iter().any(|version| version.bytes == here) || here > most {
        here = 0;
    }
    let (mut furthest, mut vain) = (here, 0);
    let mut starts_over = false;
    loop {
        let answer = match connection.ask(file.name, here) {
            Ok(answer) => answer,
            Err(NoAnswer::OutOfRange) if here > 0 => {
                (here, starts_over) = (0, true);
                continue;
            }
            Err(NoAnswer::OutOfRange) => {
                return Err(broken_off(connection, file, (0, most), starts_over, None));
            }
            Err(NoAnswer::Failed(error)) => return Err(error),
        };
        let total = expected(connection, file, &answer, most)?;
        let is_known = answer.total.is_some();
        starts_over |= answer.from < here;
        let is_pieced = answer.from > 0;
        let (length, problem) = append(answer, &mut to, total, |bytes| {
            received(&Received { file: file.name, bytes, total });
        })
        .map_err(|error| unwritten(partial, &error))?;
        here = length;
        // Without a length, the digest tells a shorter version from an end that came too early.
        let is_version = || file.versions.iter().any(|version| version.bytes == here);
        if here == total || (!is_known && problem.is_none() && is_version()) {
            to.sync_all().map_err(|error| unwritten(partial, &error))?;
            return Ok(Transfer { bytes: here, is_pieced });
        }
        vain = if here > furthest { 0 } else { vain + 1 };
        furthest = furthest.max(here);
        if vain == MOST_VAIN {
            return Err(broken_off(connection, file, (here, total), starts_over, problem));
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
    (here, total): (u64, u64),
    starts_over: bool,
    problem: Option<io::Error>,
) -> Error {
    let why = problem.map_or_else(String::new, |problem| format!(" ({})", reason(&problem)));
    let fix = match (here, starts_over) {
        (0, _) => "try again later, or name a mirror with ⟨from⟩",
        (_, true) => "name a mirror with ⟨from⟩, as this server does not resume",
        (_, false) => "try again: what is here is kept and resumed",
    };
    Error::Failure(format!(
        "{} broke off after {here} of {total} bytes{why}, so {fix}",
        printable(&connection.url(file.name))
    ))
}
