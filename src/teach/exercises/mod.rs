//! Exercises: the kernels of the first lessons with the core left for you to write.
//!
//! An exercise is cut from the real shader, not kept as a copy: it has the lines of the core, and `tests/check`
//! fails when the shader no longer has them or passes without them.

mod exercise;
mod table;

pub use exercise::Exercise;
pub use table::EXERCISES;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, suggestion};
use crate::kernel::COMMON;
use crate::text::{reason, shorten, shown};

impl Exercise {
    /// The exercise of this name.
    ///
    /// # Errors
    /// [`Error::Usage`] with all names.
    pub fn find(name: &str) -> Result<&'static Exercise> {
        EXERCISES.iter().find(|exercise| exercise.kernel.name == name).ok_or_else(|| {
            let names: Vec<&str> = EXERCISES.iter().map(|exercise| exercise.kernel.name).collect();
            let near = suggestion(name, &names);
            Error::Usage(format!(
                "there is no exercise “{name}”{near}; there are {}",
                names.join(", "),
                name = shorten(name)
            ))
        })
    }
}

/// Writes the exercises, a README and a copy of `common.wgsl`, and returns their paths.
///
/// # Errors
/// [`Error::Usage`] naming the first file that is there already, before anything is written;
/// [`Error::Failure`] when a file can't be written.
pub fn write(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![("README.md".to_owned(), readme(folder)), ("common.wgsl".to_owned(), common())];
    files.extend(EXERCISES.iter().map(|exercise| (exercise.file(), exercise.text())));
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok()) {
        return Err(taken(&folder.join(name)));
    }
    fs::create_dir_all(folder).map_err(|error| {
        Error::Failure(format!(
            "{} can't be made ({}), so choose another folder",
            shown(folder),
            reason(&error)
        ))
    })?;
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        // Another program may create the file at this moment.
        File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            if error.kind() == ErrorKind::AlreadyExists {
                return taken(&path);
            }
            Error::Failure(format!("{} can't be written ({})", shown(&path), reason(&error)))
        })?;
        paths.push(path);
    }
    Ok(paths)
}

fn taken(path: &Path) -> Error {
    Error::Usage(format!(
        "{} is there already and is not overwritten: move it away or choose another folder",
        shown(path)
    ))
}

fn common() -> String {
    format!(
        "// A copy to read. Every kernel has this in front of it; changes here have no effect.\n\n{COMMON}"
    )
}

/// The README: each exercise in order, its task, how to check it, and its hints.
fn readme(folder: &Path) -> String {
    let chapters = EXERCISES.iter().enumerate().map(|(at, exercise)| chapter(at + 1, exercise, folder));
    let chapters: String = chapters.collect();
    let path = |name: &str| shown(folder.join(format!("{name}.wgsl")));
    let train = format!(
        "    wgrad train --device gpu --momentum 0 --kernel matmul={} --kernel sgd={}",
        path("matmul_naive"),
        path("sgd")
    );
    format!("{INTRODUCTION}{chapters}\n{}", CLOSING.replace("TRAIN", &train))
}

fn chapter(number: usize, exercise: &Exercise, folder: &Path) -> String {
    let (name, file) = (exercise.kernel.name, exercise.file());
    let equation = exercise.kernel.wgsl.lines().next().unwrap_or_default().trim_start_matches("// ");
    let hints = (1..=3).map(|number| {
        let hint = match number {
            3 => format!("```wgsl\n{}```", exercise.core),
            _ => wrapped(&exercise.hint(number)),
        };
        format!("\n<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>\n")
    });
    let hints: String = hints.collect();
    let [idea, task] =
        [exercise.idea.to_owned(), format!("In `{file}`: {}", exercise.task)].map(|text| wrapped(&text));
    let path = folder.join(file);
    let path = shown(path);
    format!(
        "\n## {number}. {name}\n\n{idea}\n\n    {equation}\n\n{task}\n\n    wgrad lesson check {path} --kernel {name}\n{hints}"
    )
}

/// The words of a text in lines of at most 100 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 100 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

const INTRODUCTION: &str = "\
# Write the kernels yourself

Each file here is one of wgrad's shaders with its core left for you to write, between two lines of
dashes. Do them in this order: together they are what one step of training needs.

A shader is right when it computes what its twin in Rust computes, in every case of a list of
awkward shapes. `wgrad lesson check FILE --kernel NAME` runs it on all of them and shows the first
wrong element, its right value and the inputs that it depends on. Outputs are filled with NaN before
the shader runs, so an element that you forget is found; guard words are around every buffer, so a
write outside of it is found. A shader that loops for ever is stopped.

`step` in a shader is the struct at the top of `common.wgsl`, which is put in front of every kernel.

Every exercise has three hints: the first points the way, the second explains, the third shows the lines.
They are folded below, and `wgrad lesson hint NAME 1` prints them.
";

const CLOSING: &str = "\
## Train with them

A shader that passes can replace wgrad's own in real training:

TRAIN

The accuracy should be the same; `wgrad lesson check` compares the times.
";
