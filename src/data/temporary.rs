//! Temporary files, which take their name last.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = ".wgrad-";
const SUFFIX: &str = ".tmp";

/// Whether a file of this name is a temporary one of [`super::files::write_atomically`].
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Creates a file whose name no other process and no other call uses. `create` makes a new file of a name.
pub(super) fn create_temporary(
    mut create: impl FnMut(&str) -> io::Result<File>,
) -> io::Result<(File, String)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}{SUFFIX}", process::id());
        match create(&name) {
            // Left by a killed process that had the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Ok((created?, name)),
        }
    }
}

/// Writes and closes a file: Windows renames only closed ones.
pub(super) fn fill_and_sync(
    file: File,
    fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    fill(&mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}
