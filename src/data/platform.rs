//! Differences between operating systems in handling files.
//!
//! All branches are compiled on every system, so that none rots; [`crate::engine::platform`] has facts about the machine.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// Makes a new name in a folder survive a loss of power.
///
/// Only Unix opens a folder as a file; elsewhere the journal of the file system keeps names. A file system may refuse:
/// the file is whole under its name by then, so that is no failure.
pub(super) fn sync_folder(open: impl FnOnce() -> io::Result<File>) {
    if cfg!(unix) {
        let _ = open().and_then(|folder| folder.sync_all());
    }
}

/// Whether too many files are open, in this process or on the machine.
pub(super) fn is_out_of_files(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    cfg!(unix) && matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// Whether a folder tells a file's identity. Elsewhere the file must be opened.
pub(super) const IDENTITY_IS_IN_FOLDERS: bool = cfg!(unix);

/// The folders whose entries are the open files of this process, by number.
///
/// Linux has links to the first; on macOS the second is a file system.
pub(super) fn folders_of_open_files() -> Vec<PathBuf> {
    let all = [format!("/proc/{}/fd", std::process::id()), "/dev/fd".to_owned()];
    if cfg!(unix) { all.map(PathBuf::from).into() } else { Vec::new() }
}

/// The user's cache directory: `$XDG_CACHE_HOME` if set, else that of the system.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    folder_of(System::here(), &CACHE, &|name| std::env::var_os(name))
}

/// The user's directory for data: `$XDG_DATA_HOME` if set, else that of the system.
pub(super) fn data_folder() -> Option<PathBuf> {
    folder_of(System::here(), &DATA, &|name| std::env::var_os(name))
}

#[derive(Clone, Copy)]
enum System {
    Mac,
    Windows,
    Other,
}

impl System {
    fn here() -> System {
        if cfg!(target_os = "macos") {
            System::Mac
        } else if cfg!(windows) {
            System::Windows
        } else {
            System::Other
        }
    }
}

/// A directory of the user for one purpose.
struct Purpose {
    /// The variable of the XDG Base Directory Specification.
    variable: &'static str,
    /// The directory below the home directory on macOS.
    mac: &'static str,
    /// The same on Linux and others.
    other: &'static str,
}

const CACHE: Purpose = Purpose { variable: "XDG_CACHE_HOME", mac: "Library/Caches", other: ".cache" };
const DATA: Purpose =
    Purpose { variable: "XDG_DATA_HOME", mac: "Library/Application Support", other: ".local/share" };

fn folder_of(
    system: System,
    purpose: &Purpose,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    // The XDG Base Directory Specification has relative paths ignored.
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = match system {
        System::Mac => absolute("HOME").map(|home| home.join(purpose.mac)),
        System::Windows => absolute("LOCALAPPDATA"),
        System::Other => absolute("HOME").map(|home| home.join(purpose.other)),
    };
    absolute(purpose.variable).or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Its paths are absolute where there are no drives.
    #[cfg(unix)]
    #[test]
    fn the_cache_directory_is_the_users() {
        let of = |system, set: &[(&str, &str)]| {
            let variable =
                |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            folder_of(system, &CACHE, &variable)
        };
        let both = [("HOME", "/home/me"), ("XDG_CACHE_HOME", "/var/cache")];
        assert_eq!(of(System::Other, &both), Some("/var/cache".into()));
        assert_eq!(of(System::Other, &both[..1]), Some("/home/me/.cache".into()));
        assert_eq!(of(System::Mac, &both[..1]), Some("/home/me/Library/Caches".into()));
        assert_eq!(
            of(System::Other, &[("XDG_CACHE_HOME", "cache"), ("HOME", "/me")]),
            Some("/me/.cache".into())
        );
        assert_eq!(of(System::Windows, &[("LOCALAPPDATA", "/local")]), Some("/local".into()));
        assert_eq!(of(System::Other, &[]), None);
        assert_eq!(of(System::Other, &[("HOME", ""), ("XDG_CACHE_HOME", "")]), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_directory_for_data_is_the_users() {
        let of = |system, set: &[(&str, &str)]| {
            let variable =
                |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            folder_of(system, &DATA, &variable)
        };
        let home = [("HOME", "/home/me"), ("XDG_CACHE_HOME", "/var/cache"), ("LOCALAPPDATA", "/local")];
        assert_eq!(of(System::Other, &home), Some("/home/me/.local/share".into()));
        assert_eq!(of(System::Mac, &home), Some("/home/me/Library/Application Support".into()));
        assert_eq!(of(System::Windows, &home), Some("/local".into()));
        assert_eq!(of(System::Mac, &[("XDG_DATA_HOME", "/data"), ("HOME", "/me")]), Some("/data".into()));
    }
}
