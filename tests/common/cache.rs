//! A cache directory of the tests' own.

use std::path::PathBuf;
use std::process::Command;

/// Gives a program the cache directory of the tests in place of the user's.
pub fn keep_apart(command: &mut Command) -> &mut Command {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let users = path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")));
    // Compiled shaders stay where they are: Mesa looks for them in the same directory.
    if let Some(users) = users.filter(|_| std::env::var_os("MESA_SHADER_CACHE_DIR").is_none()) {
        command.env("MESA_SHADER_CACHE_DIR", users);
    }
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
}
