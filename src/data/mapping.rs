//! EMNIST's names of classes: a file with a label and its Unicode code points, as numbers, on each line.

use std::collections::HashSet;
use std::path::Path;

use super::dataset::{Samples, check_class_name, has_samples, numbered};
use super::files::{Unread, read_bytes};
use super::limits::MAX_CLASSES;
use crate::error::{Error, Result};
use crate::text::{reason, shorten, shown};

/// The most bytes of a mapping, room for a line for each possible class.
const MOST_BYTES: u64 = 2 << 20;
const FIX: &str = "so copy or download it again, or remove it to number the classes";

/// The names of the classes of IDX files with a prefix, from the mapping beside them. Without one they are numbers, and so
/// is a class without samples that the mapping leaves out.
///
/// # Errors
/// [`Error::Data`] for a file that is no mapping, or lacks a class that has samples.
pub(super) fn class_names(
    folder: &Path,
    prefix: &str,
    classes: usize,
    parts: [&Samples; 2],
) -> Result<Vec<String>> {
    let path = folder.join(format!("{prefix}-mapping.txt"));
    if prefix.is_empty() {
        return Ok(numbered(classes));
    }
    let bytes = match read_bytes(&path, MOST_BYTES) {
        Err(Unread::NotFound) => return Ok(numbered(classes)),
        read => read.map_err(|why| unread(&path, why))?,
    };
    let text = String::from_utf8(bytes).map_err(|_| bad(&path, &format!("is not UTF-8 text, {FIX}")))?;
    let mut names = read(&path, &text)?;
    names.resize(classes.max(names.len()), None);
    let has = has_samples(classes, parts.into_iter().flat_map(Samples::classes));
    if let Some(label) = (0..classes).find(|label| has[*label] && names[*label].is_none()) {
        let problem = format!("has no line for the label {label}, which the set has, {FIX}");
        return Err(bad(&path, &problem));
    }
    let taken: HashSet<String> = names.iter().flatten().cloned().collect();
    let number = |label: usize| {
        let number = label.to_string();
        if taken.contains(&number) { format!("label {label}") } else { number }
    };
    let named = names.into_iter().take(classes).enumerate();
    Ok(named.map(|(label, name)| name.unwrap_or_else(|| number(label))).collect())
}

/// The name of each label that has a line.
fn read(path: &Path, text: &str) -> Result<Vec<Option<String>>> {
    let mut names: Vec<Option<String>> = Vec::new();
    let mut taken = HashSet::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let problem = |what: String| bad(path, &format!("{what} in line {}, {FIX}", at + 1));
        let (label, name) = entry(line).ok_or_else(|| {
            problem(format!("has “{}” in place of a label and code points", shorten(line.trim())))
        })?;
        check_class_name(path, &name)?;
        names.resize(names.len().max(label + 1), None);
        if names[label].is_some() {
            return Err(problem(format!("has the label {label} again")));
        }
        if !taken.insert(name.clone()) {
            return Err(problem(format!("has the name “{}” again", shorten(&name))));
        }
        names[label] = Some(name);
    }
    if names.is_empty() { Err(bad(path, &format!("is empty, {FIX}"))) } else { Ok(names) }
}

/// The label and the name of a line.
fn entry(line: &str) -> Option<(usize, String)> {
    let mut numbers = line.split_whitespace().map(|number| number.parse::<u32>().ok());
    let label = numbers.next()?? as usize;
    let name: String = numbers.map(|code| code.and_then(char::from_u32)).collect::<Option<_>>()?;
    (label < MAX_CLASSES && !name.is_empty()).then_some((label, name))
}

fn unread(path: &Path, why: Unread) -> Error {
    match why {
        Unread::NotFound | Unread::NotAFile => bad(path, &format!("is not a regular file, {FIX}")),
        Unread::TooLong(length) => {
            bad(path, &format!("has {length} bytes, but it takes at most {MOST_BYTES}, {FIX}"))
        }
        Unread::OutOfMemory => bad(path, &format!("is larger than the memory that is left, {FIX}")),
        Unread::Failed(error) => {
            bad(path, &format!("can't be read ({}), so check the file and its permissions", reason(&error)))
        }
    }
}

fn bad(path: &Path, problem: &str) -> Error {
    Error::Data(format!("{} {problem}", shown(path)))
}
