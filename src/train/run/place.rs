//! The name of a run directory: the next number in the folder of the runs.

use crate::text::{shown, unescaped};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Makes `OUT` and the next directory in it. `made` lists what was made, even when it fails.
pub(super) fn claim(out: &Path, name: &str, made: &mut Vec<PathBuf>) -> io::Result<PathBuf> {
    make_folders(out, made)?;
    let mut number = last_number(out, name)? + 1;
    let mut missing = 0;
    loop {
        let path = out.join(format!("{name}-{number:03}"));
        match fs::create_dir(&path) {
            Ok(()) => {
                made.push(path.clone());
                return Ok(path);
            }
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            // Another process abandoned its run, and removed the folder for both. A working directory that was deleted
            // is a folder in which nothing can be made.
            Err(error) if error.kind() == ErrorKind::NotFound && missing < 100 => {
                missing += 1;
                make_folders(out, made)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// `create_dir_all` that lists the folders it made.
fn make_folders(path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if path.exists() {
        return Err(io::Error::other(format!("{} is a file", shown(path))));
    }
    if let Some(parent) = path.parent() {
        make_folders(parent, made)?;
    }
    match fs::create_dir(path) {
        Ok(()) => made.push(path.to_owned()),
        Err(_) if path.is_dir() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The highest number of a run of that name, or 0.
fn last_number(out: &Path, name: &str) -> io::Result<u64> {
    let out = if out.as_os_str().is_empty() { Path::new(".") } else { out };
    let mut last = 0;
    for entry in fs::read_dir(out)? {
        let found = entry?.file_name();
        let digits = found.to_str().and_then(|found| found.strip_prefix(name)?.strip_prefix('-'));
        let digits =
            digits.filter(|digits| digits.len() < 16 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        last = last.max(digits.and_then(|digits| digits.parse().ok()).unwrap_or(0));
    }
    Ok(last)
}

/// Removes empty directories, the last first.
pub(super) fn remove_empty(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// The name of a run directory, without its number. It is made from the data set's.
pub(super) fn run_name(data: &str) -> String {
    const MOST: usize = 40;
    let last = Path::new(data).file_name().map(|name| unescaped(name).to_lowercase()).unwrap_or_default();
    let words = last.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(MOST);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}
