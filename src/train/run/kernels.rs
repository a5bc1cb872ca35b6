//! The custom kernels that a run keeps, `kernels/NAME.wgsl`: it is resumed with them, whatever became of their files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::files::{self, write_atomically};
use crate::error::{Error, Result};
use crate::verify::custom::MAX_BYTES;

/// The folder of the custom kernels in a run directory.
pub const KERNELS: &str = "kernels";

/// The path of the custom kernel that a run keeps in the place of the built-in one of this name.
pub fn kept_kernel(run: &Path, name: &str) -> PathBuf {
    run.join(KERNELS).join(format!("{name}.wgsl"))
}

/// The text of a custom kernel that a run keeps, if there is one.
///
/// # Errors
/// [`Error::Data`] when it can't be read.
pub fn read_kernel(run: &Path, name: &str) -> Result<Option<String>> {
    let path = kept_kernel(run, name);
    if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Ok(None);
    }
    let read = files::read_text(&path, MAX_BYTES);
    read.map(Some)
        .map_err(|why| Error::Data(format!("{} can't be read ({why}), so restore it", path.display())))
}

/// Writes the text of a custom kernel that a run keeps.
pub(super) fn write_kernel(run: &Path, name: &str, text: &str) -> Result<()> {
    let folder = run.join(KERNELS);
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Failure(format!("{} can't be made ({error}), so check the disk", folder.display())))
        }
        _ => write_atomically(&kept_kernel(run, name), text.as_bytes()),
    }
}

/// Removes the kernels that a run keeps, and their folder if nothing else is in it.
pub(super) fn forget_kernels(run: &Path) {
    let folder = run.join(KERNELS);
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "wgsl") {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}
