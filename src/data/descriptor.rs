//! Paths that name an open file of this process, such as `/dev/stdout` and `/dev/fd/63`.
//!
//! On Linux they are links whose text leads nowhere for a pipe, and to a file that must not be replaced: others write
//! to it through the same open file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::platform::folders_of_open_files;

/// Links that are followed to the folder of open files.
const MOST_LINKS: usize = 40;

/// An open file of this process.
#[derive(Debug, PartialEq)]
pub(super) struct Descriptor {
    number: u32,
    /// The name by which it is opened anew.
    path: PathBuf,
}

impl Descriptor {
    /// The open file that a path names, after all links but the last.
    pub fn of(path: &Path) -> Option<Descriptor> {
        let mut at = path.to_owned();
        for _ in 0..MOST_LINKS {
            if let Some(number) = number(&at) {
                return Some(Descriptor { number, path: at });
            }
            let next = fs::read_link(&at).ok()?;
            at = at.parent().map(|folder| folder.join(&next)).unwrap_or(next);
        }
        None
    }

    /// Writes to the file, behind what it holds.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self.number {
            // What was printed before and what follows go through the same open file.
            1 => write_all(&mut io::stdout().lock(), bytes),
            2 => write_all(&mut io::stderr().lock(), bytes),
            _ => write_all(&mut self.open()?, bytes),
        }
    }

    /// Checks that it can be written to.
    pub fn check(&self) -> io::Result<()> {
        match self.number {
            1 | 2 => Ok(()),
            // The end of a pipe that opening would wait for is already open.
            _ => self.open().map(|_| ()),
        }
    }

    fn open(&self) -> io::Result<fs::File> {
        OpenOptions::new().append(true).open(&self.path)
    }
}

fn write_all(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes).and_then(|()| file.flush())
}

/// The number of an open file of this process, if the path is that of one.
fn number(path: &Path) -> Option<u32> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let folder = path.parent().filter(|folder| folder.ends_with("fd"))?;
    folders_of_open_files().contains(&fs::canonicalize(folder).ok()?).then_some(number)
}
