//! A folder held open, so that no other folder of the same name is ever written to.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{
    DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, OpenOptionsSyncExt,
};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};

use super::platform::{IDENTITY_IS_IN_FOLDERS, sync_folder};
use super::temporary::{create_temporary, fill_and_sync, is_temporary};
use super::unread::{Unread, read_at_most};

/// The end of a name under which something was set aside.
const SET_ASIDE: &str = ".set-aside";

/// A folder that stays the same when its name leads elsewhere later.
///
/// Its files are named without a folder. None of them is a link, a pipe, a device or a folder: such a thing in the place
/// of a file is an error, for reading and for writing.
#[derive(Debug)]
pub struct HeldFolder {
    dir: Dir,
    identity: Identity,
    path: PathBuf,
}

/// The identity of a file or folder, whatever its name: its device, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

impl Identity {
    fn of(found: &Metadata) -> Identity {
        Identity(found.dev(), found.ino())
    }

    /// That of an open file.
    ///
    /// # Errors
    /// What the system says.
    pub fn of_file(file: &File) -> io::Result<Identity> {
        Ok(Identity::of(&cap_std::fs::File::from_std(file.try_clone()?).metadata()?))
    }
}

impl HeldFolder {
    /// Opens the folder that a path leads to.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<HeldFolder> {
        HeldFolder::hold(Dir::open_ambient_dir(path, ambient_authority())?, path.to_owned())
    }

    fn hold(dir: Dir, path: PathBuf) -> io::Result<HeldFolder> {
        Ok(HeldFolder { identity: Identity::of(&dir.dir_metadata()?), dir, path })
    }

    /// Opens a folder in this one. It must not be a link.
    ///
    /// # Errors
    /// What the system says.
    pub fn folder(&self, name: &str) -> io::Result<HeldFolder> {
        let dir =
            self.dir.open_dir_nofollow(name).map_err(|error| match self.dir.symlink_metadata(name) {
                Ok(found) if found.is_symlink() => io::Error::other("it is a link"),
                _ => error,
            })?;
        HeldFolder::hold(dir, self.path.join(name))
    }

    /// Makes a folder in this one.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_folder(&self, name: &str) -> io::Result<HeldFolder> {
        self.dir.create_dir(name)?;
        self.folder(name)
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its path still leads to it.
    pub fn is_in_place(&self) -> bool {
        match Dir::open_ambient_dir(&self.path, ambient_authority()).and_then(|dir| dir.dir_metadata()) {
            Ok(now) => Identity::of(&now) == self.identity,
            // With too many open files and the like nothing says that it was moved.
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        }
    }

    /// The folder as a file, which can be locked or flushed on Unix.
    ///
    /// # Errors
    /// What the system says.
    pub fn as_file(&self) -> io::Result<File> {
        // The folder is held by a handle that only leads to files.
        let options = OpenOptions::new().read(true).maybe_dir(true).to_owned();
        Ok(self.dir.open_with(".", &options)?.into_std())
    }

    /// Opens a file.
    fn open_file(&self, name: &str, options: &mut OpenOptions) -> io::Result<File> {
        // Opening a pipe would wait for its other end.
        let options = options.follow(FollowSymlinks::No).nonblock(true);
        let file = match self.dir.open_with(name, options) {
            Ok(file) => file.into_std(),
            Err(error) => return Err(self.check(name).err().unwrap_or(error)),
        };
        if file.metadata()?.is_file() { Ok(file) } else { Err(not_a_file()) }
    }

    /// Opens a file to be read and written, and makes it if there is none.
    ///
    /// # Errors
    /// What the system says, or that it is no regular file.
    pub fn open_to_write(&self, name: &str, append: bool) -> io::Result<File> {
        self.open_file(name, OpenOptions::new().read(true).write(!append).append(append).create(true))
    }

    /// Opens a file to be read.
    ///
    /// # Errors
    /// As [`HeldFolder::open_to_write`].
    pub(crate) fn open_to_read(&self, name: &str) -> io::Result<File> {
        self.open_file(name, OpenOptions::new().read(true))
    }

    /// Whether there is a file of this name, and that it is a regular one.
    ///
    /// # Errors
    /// When it is a link, a pipe, a device or a folder.
    pub fn check(&self, name: &str) -> io::Result<bool> {
        match self.dir.symlink_metadata(name) {
            Ok(found) if found.is_file() => Ok(true),
            Ok(found) if found.is_symlink() => Err(io::Error::other("it is a link, not a file")),
            Ok(_) => Err(not_a_file()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a link of this name.
    pub fn is_link(&self, name: &str) -> bool {
        self.dir.symlink_metadata(name).is_ok_and(|found| found.is_symlink())
    }

    /// Whether the file of this name is the one of this identity.
    ///
    /// # Errors
    /// What the system says, such as that too many files are open.
    pub fn leads_to(&self, name: &str, identity: Identity) -> io::Result<bool> {
        let named = match self.dir.symlink_metadata(name) {
            Ok(found) if found.is_file() => found,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => return Ok(false),
        };
        if IDENTITY_IS_IN_FOLDERS {
            return Ok(Identity::of(&named) == identity);
        }
        match self.open_to_read(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            named => Ok(Identity::of_file(&named?)? == identity),
        }
    }

    /// Reads a file of at most `most` bytes.
    ///
    /// # Errors
    /// As [`super::files::read_bytes`].
    pub fn read(&self, name: &str, most: u64) -> Result<Vec<u8>, Unread> {
        read_at_most(self.open_to_read(name)?, most)
    }

    /// Writes a file whole or not at all, as [`super::files::write_atomically`]. `fill` writes its bytes.
    ///
    /// # Errors
    /// What the system says, or that there is something else than a file of this name.
    pub fn write(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        self.check(name)?;
        let (file, temporary) = create_temporary(|name| {
            let options = OpenOptions::new().write(true).create_new(true).to_owned();
            Ok(self.dir.open_with(name, &options)?.into_std())
        })?;
        let written = fill_and_sync(file, fill).and_then(|()| self.dir.rename(&temporary, &self.dir, name));
        if written.is_err() {
            // The first error is the one to report.
            let _ = self.dir.remove_file(&temporary);
        }
        written?;
        sync_folder(|| self.as_file());
        Ok(())
    }

    /// Removes a file or a link. Nothing there is no error.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match self.dir.remove_file_or_symlink(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Gives what has this name another one, which is returned; none where nothing has it.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_aside(&self, name: &str) -> io::Result<Option<String>> {
        let is_free = |name: &str| match self.dir.symlink_metadata(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            found => found.map(|_| false),
        };
        if is_free(name)? {
            return Ok(None);
        }
        let (mut aside, mut number) = (format!("{name}{SET_ASIDE}"), 1);
        while !is_free(&aside)? {
            number += 1;
            aside = format!("{name}{SET_ASIDE}-{number}");
        }
        self.dir.rename(name, &self.dir, &aside)?;
        Ok(Some(aside))
    }

    /// Removes an empty folder in it.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_folder(&self, name: &str) -> io::Result<()> {
        self.dir.remove_dir(name)
    }

    /// The names in it that are text.
    ///
    /// # Errors
    /// What the system says.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.dir.entries()? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    /// Removes the temporary files of a process that was killed. A file that can't be removed does no harm.
    pub fn remove_temporary(&self) {
        for name in self.names().unwrap_or_default().iter().filter(|name| is_temporary(name)) {
            let _ = self.dir.remove_file(name);
        }
    }
}

fn not_a_file() -> io::Error {
    io::Error::other("it is not a regular file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_held_folder_can_be_locked_and_flushed_and_tells_when_its_name_leads_elsewhere() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("folder");
        std::fs::create_dir(&path).unwrap();
        let held = HeldFolder::open(&path).unwrap();
        let first = held.as_file().unwrap();
        first.try_lock().unwrap();
        assert!(held.as_file().unwrap().try_lock().is_err(), "it is locked already");
        first.sync_all().unwrap();
        assert!(held.is_in_place());
        std::fs::rename(&path, place.path().join("moved")).unwrap();
        assert!(!held.is_in_place());
        std::fs::create_dir(&path).unwrap();
        assert!(!held.is_in_place());
        held.write("file", &mut |file| file.write_all(b"there")).unwrap();
        assert_eq!(std::fs::read(place.path().join("moved/file")).unwrap(), b"there");
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
    }
}
