//! The program, as a bench starts it.

use std::path::Path;
use std::process::{Command, Stdio};

/// The program with these arguments in a folder, with nothing on stdin and its answer thrown away.
pub fn program(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
    command.current_dir(place).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command
}
