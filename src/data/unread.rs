//! Reasons why a file was not read.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

use crate::text::reason;

/// Why [`super::files::read_bytes`] did not read a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unread {
    /// There is no such file.
    NotFound,
    /// It is a folder, a pipe or a device.
    NotAFile,
    /// It has at least this many bytes, which is more than allowed.
    TooLong(u64),
    /// It does not fit the memory of this machine.
    OutOfMemory,
    /// The operating system reported another error.
    Failed(io::Error),
}

/// The reason, to stand in brackets behind “can't be read”.
impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unread::NotFound => f.write_str("there is no such file"),
            Unread::NotAFile => f.write_str("it is not a regular file"),
            Unread::TooLong(bytes) => write!(f, "its {bytes} bytes are more than expected"),
            Unread::OutOfMemory => f.write_str("out of memory"),
            Unread::Failed(error) => reason(error).fmt(f),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Unread {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Unread::NotFound,
            ErrorKind::OutOfMemory => Unread::OutOfMemory,
            _ => Unread::Failed(error),
        }
    }
}

/// Reads a regular file of at most `most` bytes. Memory is taken for the bytes that it really holds.
pub(super) fn read_at_most(file: File, most: u64) -> Result<Vec<u8>, Unread> {
    let length = file.metadata()?.len();
    if length > most {
        return Err(Unread::TooLong(length));
    }
    let mut bytes = Vec::new();
    let room = usize::try_from(length).map_err(|_| Unread::OutOfMemory)?;
    bytes.try_reserve_exact(room).map_err(|_| Unread::OutOfMemory)?;
    // One byte more than allowed, in case the file has grown since.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > most { Err(Unread::TooLong(length)) } else { Ok(bytes) }
}
