//! A recipe file: TOML, read so that an error names its line.

use std::path::Path;

use toml::de::DeTable;

use super::table::Overrides;
use super::values::RawValue;
use crate::data::{Rendering, files};
use crate::error::{Error, Result, as_in_a_recipe, with_settings};
use crate::text::{printable, shorten, shown};

/// The longest recipe file. A longer file was named by mistake.
const MAX_BYTES: u64 = 4 << 20;

/// Reads a recipe file. One that an earlier version's run wrote keeps that version's grey, and transposes nothing.
///
/// # Errors
/// [`Error::Usage`] for a file that can't be read, and as [`parse_toml`].
pub fn read(path: &Path) -> Result<Overrides> {
    let problem = |why: String| {
        let shown = shown(path);
        Error::Usage(format!("the recipe {shown} can't be read ({why}), so check the path and the file"))
    };
    let text = files::read_text(path, MAX_BYTES).map_err(problem)?;
    let given = parse_toml(&text, path)?;
    if !given.is_of_a_run() {
        return Ok(given);
    }
    let (grey, transpose) = (given.grey.unwrap_or(Rendering::FORMER.grey), given.transpose.unwrap_or(false));
    Ok(Overrides { grey: Some(grey), transpose: Some(transpose), ..given })
}

/// Reads the text of a recipe file. `path` is the file's, for messages.
///
/// # Errors
/// [`Error::Usage`] naming the file and the line: text that isn't TOML, an unknown key (with the nearest known
/// one), a value of the wrong type, or one that isn't allowed.
pub fn parse_toml(text: &str, path: &Path) -> Result<Overrides> {
    let mut overrides = Overrides::default();
    parse(text, path, |key, value| overrides.set(key, value))?;
    Ok(overrides)
}

/// Reads the text of a file, key by key. `set` gets each key with its value, in the order of the file.
pub(super) fn parse(
    text: &str,
    path: &Path,
    mut set: impl FnMut(&str, &RawValue) -> Result<(), String>,
) -> Result<()> {
    // A sentence about a line of a file names its settings as the file does.
    let at = |start: usize, problem: &str| {
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        // Brackets of the file are brackets again, and so are escaped again.
        let problem = printable(&with_settings(problem, as_in_a_recipe));
        Error::Usage(format!("{}, line {line}: {problem}", shown(path)))
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    // The first mistake in the file is reported: the others may follow from it.
    let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    if let Some(error) = errors.iter().min_by_key(|error| start(error)) {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        return Err(at(start(error), &format!("this isn't TOML ({})", shorten(&message))));
    }
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // In the order of the file, so that the first problem is reported first.
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        set(key.get_ref(), &RawValue::File(value.get_ref()))
            .map_err(|problem| at(key.span().start, &problem))?;
    }
    Ok(())
}
