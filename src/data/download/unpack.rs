//! Archives, unpacked into one folder. Nothing in an archive is trusted.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::local::unwritable;
use crate::error::{Error, Result};
use crate::text::{joined, reason, shorten, shown};

/// The most files of an archive.
const MOST_FILES: usize = 1000;
/// The most bytes of all files of an archive; EMNIST has less than 600 MB.
const MOST_BYTES: u64 = 2 << 30;

/// Unpacks a zip archive. Its folders are left out: all files go into one.
///
/// # Errors
/// [`Error::Data`] for an archive that is damaged, leads out of the folder, holds links or is too large;
/// [`Error::Failure`] for a file that can't be written.
pub(super) fn zip(archive: &Path, folder: &Path) -> Result<()> {
    let damaged = |error: zip::result::ZipError| bad(archive, &format!("is damaged ({})", joined(error)));
    let file = File::open(archive).map_err(|error| unreadable(archive, &error))?;
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let mut unpacking = Unpacking::new(archive, folder);
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let kind = match () {
            () if entry.is_dir() => Kind::Folder,
            () if entry.is_file() => Kind::File,
            () => Kind::Other,
        };
        unpacking.entry(&name, kind, &mut entry)?;
    }
    Ok(())
}

/// Unpacks a tar archive that is compressed with gzip. Its folders are left out: all files go into one.
///
/// # Errors
/// As [`zip`].
pub(super) fn tar_gz(archive: &Path, folder: &Path) -> Result<()> {
    let damaged = |error: io::Error| bad(archive, &format!("is damaged ({})", joined(error)));
    let file = File::open(archive).map_err(|error| unreadable(archive, &error))?;
    let mut tar = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    let mut unpacking = Unpacking::new(archive, folder);
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| bad(archive, "has a name that is no text"))?;
        let kind = match entry.header().entry_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Folder,
            tar::EntryType::XGlobalHeader => continue,
            _ => Kind::Other,
        };
        unpacking.entry(&name, kind, &mut entry)?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Folder,
    Other,
}

/// The files that an archive has given so far.
struct Unpacking<'a> {
    archive: &'a Path,
    folder: &'a Path,
    names: BTreeSet<String>,
    left: u64,
}

impl Unpacking<'_> {
    fn new<'a>(archive: &'a Path, folder: &'a Path) -> Unpacking<'a> {
        Unpacking { archive, folder, names: BTreeSet::new(), left: MOST_BYTES }
    }

    fn entry(&mut self, name: &str, kind: Kind, content: &mut dyn Read) -> Result<()> {
        let problem = |problem: &str| bad(self.archive, &format!("{problem} (“{}”)", shorten(name)));
        if name.starts_with('/')
            || name.split('/').any(|part| part == "..")
            || name.contains(['\\', ':', '\0'])
        {
            return Err(problem("has a file that would lie outside of its folder"));
        }
        let file = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        match kind {
            Kind::Folder => return Ok(()),
            Kind::Other => return Err(problem("has a link or a device")),
            // The Finder's companions of files.
            Kind::File if file.starts_with('.') || name.starts_with("__MACOSX/") => return Ok(()),
            Kind::File => {}
        }
        if !file.bytes().all(|byte| byte.is_ascii_graphic()) || file.is_empty() {
            return Err(problem("has a file with a name that is not of ASCII letters"));
        }
        // On some systems, names that differ in case are one.
        if !self.names.insert(file.to_ascii_lowercase()) {
            return Err(problem("has two files of one name"));
        }
        if self.names.len() > MOST_FILES {
            return Err(problem("has too many files"));
        }
        let path = self.folder.join(file);
        let unwritten = |error: io::Error| unwritable(&path, &error);
        let mut to = File::create_new(&path).map_err(unwritten)?;
        // An error of the archive and one of the disk can't be told apart here; the archive has been verified.
        let written = io::copy(&mut content.take(self.left + 1), &mut to).map_err(unwritten)?;
        if written > self.left {
            return Err(problem("unpacks to too many bytes"));
        }
        self.left -= written;
        to.sync_all().map_err(unwritten)
    }
}

fn unreadable(archive: &Path, error: &io::Error) -> Error {
    Error::Failure(format!("{} can't be read ({}), so try again", shown(archive), reason(error)))
}

fn bad(archive: &Path, problem: &str) -> Error {
    Error::Data(format!("{} {problem}, so it is not unpacked", shown(archive)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Cursor, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A tar archive with these names, as they are, and a link if there is a target.
    fn tar_of(entries: &[(&str, &[u8])], link: Option<&str>) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes) in entries {
            let mut header = tar::Header::new_old();
            // The crate's own setter refuses what is to be refused here.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        if let Some(target) = link {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            tar.append_link(&mut header, "link", target).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// The files that an archive gives, or the problem.
    fn unpacked(bytes: &[u8], unpack: fn(&Path, &Path) -> Result<()>) -> Result<Vec<(String, Vec<u8>)>> {
        let place = tempfile::tempdir().unwrap();
        let (archive, folder) = (place.path().join("archive"), place.path().join("files"));
        fs::write(&archive, bytes).unwrap();
        fs::create_dir(&folder).unwrap();
        let result = unpack(&archive, &folder);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "something lies outside");
        result?;
        let file = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        };
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(file).collect();
        files.sort();
        Ok(files)
    }

    #[test]
    fn files_of_all_folders_go_into_one() {
        let entries: &[(&str, &[u8])] =
            &[("set/b.bin", b"2"), ("set/a.txt", b"one"), ("set/._a.txt", b"x"), ("__MACOSX/c", b"x")];
        let expected = [("a.txt".to_owned(), b"one".to_vec()), ("b.bin".to_owned(), b"2".to_vec())];
        assert_eq!(unpacked(&tar_of(entries, None), tar_gz).unwrap(), expected);
        assert_eq!(unpacked(&zip_of(entries), zip).unwrap(), expected);
    }

    #[test]
    fn archives_that_lead_outside_or_are_damaged_are_refused() {
        for name in ["../evil", "set/../../evil", "/evil", "c:evil", "a\\..\\evil"] {
            for bad in
                [unpacked(&tar_of(&[(name, b"x")], None), tar_gz), unpacked(&zip_of(&[(name, b"x")]), zip)]
            {
                let problem = bad.expect_err(name);
                assert!(problem.to_string().contains("outside of its folder"), "{problem}");
            }
        }
        let link = unpacked(&tar_of(&[], Some("/etc/passwd")), tar_gz).unwrap_err();
        assert!(link.to_string().contains("has a link"), "{link}");
        let twice = unpacked(&tar_of(&[("a/x", b"1"), ("b/X", b"2")], None), tar_gz).unwrap_err();
        assert!(twice.to_string().contains("two files of one name"), "{twice}");
        let whole = tar_of(&[("a", &[1; 9_000])], None);
        assert!(unpacked(&whole[..whole.len() / 2], tar_gz).is_err());
        assert!(unpacked(b"no archive", zip).is_err());
    }
}
