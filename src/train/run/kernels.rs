//! The custom kernels that a run keeps, `kernels/NAME.wgsl`: it is resumed with them, whatever became of their files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::data::files::{Unread, unwritten};
use crate::data::held::HeldFolder;
use crate::error::{Error, Result};
use crate::text::{reason, shown};
use crate::verify::custom::MAX_BYTES;

/// The folder of the custom kernels in a run directory.
pub const KERNELS: &str = "kernels";

/// The path of the custom kernel that a run keeps in the place of the built-in one of this name.
pub fn kept_kernel(run: &Path, name: &str) -> PathBuf {
    run.join(KERNELS).join(file(name))
}

fn file(name: &str) -> String {
    format!("{name}.wgsl")
}

/// The text of a custom kernel that a run keeps, if there is one.
///
/// # Errors
/// [`Error::Data`] when it can't be read.
pub fn read_kernel(run: &Path, name: &str) -> Result<Option<String>> {
    let problem = |why: String| {
        Error::Data(format!("{} can't be read ({why}), so restore it", shown(kept_kernel(run, name))))
    };
    let folder = HeldFolder::open(run).and_then(|run| run.folder(KERNELS));
    let folder = match folder {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        folder => folder.map_err(|error| problem(reason(&error).to_string()))?,
    };
    match folder.read(&file(name), MAX_BYTES) {
        Err(Unread::NotFound) => Ok(None),
        Err(why) => Err(problem(why.to_string())),
        Ok(bytes) => {
            String::from_utf8(bytes).map(Some).map_err(|_| problem("it is not valid UTF-8".to_owned()))
        }
    }
}

/// Keeps the text of the custom kernel in the place of the built-in one of this name.
///
/// # Errors
/// [`Error::Failure`] naming the file.
pub(super) fn keep_kernel(run: &HeldFolder, name: &str, text: &str) -> Result<()> {
    let folder = match run.folder(KERNELS) {
        Err(error) if error.kind() == ErrorKind::NotFound => run.make_folder(KERNELS),
        folder => folder,
    };
    let written =
        folder.and_then(|folder| folder.write(&file(name), &mut |file| file.write_all(text.as_bytes())));
    written.map_err(|error| unwritten(&kept_kernel(run.path(), name), &error))
}

/// Removes the kernels that a run keeps, and their folder if nothing else is in it.
pub(super) fn forget_kernels(run: &HeldFolder) {
    let Ok(folder) = run.folder(KERNELS) else { return };
    for name in folder.names().unwrap_or_default().iter().filter(|name| name.ends_with(".wgsl")) {
        let _ = folder.remove(name);
    }
    drop(folder);
    let _ = run.remove_folder(KERNELS);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_kernel_is_kept_as_it_was_given_and_goes_with_an_abandoned_run() {
        let out = tempfile::tempdir().unwrap();
        let run = HeldFolder::open(out.path()).unwrap();
        assert_eq!(read_kernel(out.path(), "sgd").unwrap(), None);
        for text in ["\u{feff}fn sgd() {}\r\n", "fn sgd() { }"] {
            keep_kernel(&run, "sgd", text).unwrap();
            assert_eq!(read_kernel(out.path(), "sgd").unwrap().as_deref(), Some(text));
        }
        fs::write(kept_kernel(out.path(), "sgd"), [0xff]).unwrap();
        assert!(matches!(read_kernel(out.path(), "sgd"), Err(Error::Data(_))));
        forget_kernels(&run);
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    }
}
