//! Paths that name an open file of this process: `/dev/stdout`, `/dev/fd/63`, `/proc/self/fd/3`.
//!
//! On Linux they are links whose text leads nowhere for a pipe, and to a file that must not be replaced: others write
//! to it through the same open file.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
        if !cfg!(unix) {
            return None;
        }
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
    let folder = path.parent()?;
    // macOS has no /proc, and /dev/fd is no link there.
    let own = [format!("/proc/{}/fd", std::process::id()).into(), PathBuf::from("/dev/fd")];
    let folder =
        if folder.ends_with(OsStr::new("fd")) { fs::canonicalize(folder).ok()? } else { return None };
    own.contains(&folder).then_some(number)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_open_files_are_descriptors() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
        for (path, number) in [("/dev/stdout", 1), ("/dev/fd/2", 2), ("/proc/self/fd/1", 1)] {
            assert_eq!(Descriptor::of(Path::new(path)).map(|found| found.number), Some(number), "{path}");
        }
        assert_eq!(Descriptor::of(&link).map(|found| found.number), Some(1));
        let file = folder.path().join("fd");
        fs::create_dir(&file).unwrap();
        for path in [file.join("1"), folder.path().join("1"), "/dev/null".into(), "fd/1".into()] {
            assert_eq!(Descriptor::of(&path), None, "{}", path.display());
        }
    }
}
