//! Exercises: the kernels of the first lessons with the heart left out.
//!
//! An exercise is cut from the real shader, not kept as a copy: it holds the
//! lines of the heart, and `tests/check` fails when our shader no longer has
//! them or the hole is not really a hole.

mod table;

pub use table::EXERCISES;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, suggestion};
use crate::kernel::{COMMON, Kernel};

/// A kernel with a hole in it.
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    pub kernel: &'static Kernel,
    /// What the lesson behind it is about.
    pub idea: &'static str,
    /// The lines that are left out, as they stand in our shader.
    pub heart: &'static str,
    /// What stands in their place: says what to write there.
    pub task: &'static str,
    /// What the rest of the shader needs of the heart.
    pub kept: &'static str,
    /// A nudge and an explanation; the third hint is the heart itself.
    pub hints: [&'static str; 2],
}

impl Exercise {
    /// The exercise of this name.
    ///
    /// # Errors
    /// [`Error::Usage`] with the names that there are.
    pub fn find(name: &str) -> Result<&'static Exercise> {
        EXERCISES.iter().find(|exercise| exercise.kernel.name == name).ok_or_else(|| {
            let names: Vec<&str> = EXERCISES.iter().map(|exercise| exercise.kernel.name).collect();
            let near = suggestion(name, &names);
            Error::Usage(format!("there is no exercise “{name}”{near}; there are {}", names.join(", ")))
        })
    }

    /// The shader with the task in the place of the heart.
    ///
    /// # Panics
    /// When our shader no longer has the heart, which `tests/check` rules out.
    pub fn text(&self) -> String {
        let Exercise { kernel, heart, .. } = self;
        assert_eq!(kernel.wgsl.matches(heart).count(), 1, "the heart of {} is not in it", kernel.name);
        kernel.wgsl.replacen(heart, &self.hole(), 1)
    }

    /// The task as a comment, as far to the right as the heart, and what is kept.
    pub fn hole(&self) -> String {
        let indent: String = self.heart.chars().take_while(|c| *c == ' ').collect();
        let lines: Vec<String> = self.task.lines().map(|line| format!("{indent}// {line}")).collect();
        format!("{indent}// ---- yours ----\n{}\n{indent}// ---------------\n{}", lines.join("\n"), self.kept)
    }

    /// The hint of this number, from 1 to 3.
    pub fn hint(&self, number: usize) -> String {
        match number {
            1 | 2 => self.hints[number - 1].to_owned(),
            _ => format!("The lines that were left out:\n\n{}", self.heart.trim_end()),
        }
    }

    fn file(&self) -> String {
        format!("{}.wgsl", self.kernel.name)
    }
}

/// Writes the exercises, a README and a copy of `common.wgsl` to read, and
/// returns their paths.
///
/// # Errors
/// [`Error::Usage`] naming the first file that is there already; nothing is
/// written then. [`Error::Failure`] when something can't be written.
pub fn write(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![("README.md".to_owned(), readme(folder)), ("common.wgsl".to_owned(), common())];
    files.extend(EXERCISES.iter().map(|exercise| (exercise.file(), exercise.text())));
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok()) {
        return Err(taken(&folder.join(name)));
    }
    fs::create_dir_all(folder).map_err(|error| {
        Error::Failure(format!("{} can't be made ({error}), so choose another folder", folder.display()))
    })?;
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        // Made new or not at all, also when somebody else makes it at this moment.
        File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            if error.kind() == ErrorKind::AlreadyExists {
                return taken(&path);
            }
            Error::Failure(format!("{} can't be written ({error})", path.display()))
        })?;
        paths.push(path);
    }
    Ok(paths)
}

fn taken(path: &Path) -> Error {
    Error::Usage(format!(
        "{} is there already and is not overwritten: move it away or choose another folder",
        path.display()
    ))
}

fn common() -> String {
    format!(
        "// A copy to read. Every kernel has this in front of it; changes here have no effect.\n\n{COMMON}"
    )
}

/// The order, what to do, how to check it, and the hints, folded.
fn readme(folder: &Path) -> String {
    let mut text = String::from(INTRODUCTION);
    let path = |file: &str| folder.join(file).display().to_string();
    for (at, exercise) in EXERCISES.iter().enumerate() {
        let (name, file) = (exercise.kernel.name, exercise.file());
        let equation = exercise.kernel.wgsl.lines().next().unwrap_or_default().trim_start_matches("// ");
        let task: Vec<&str> = exercise.task.lines().collect();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {}. {name}\n\n{}\n\n    {equation}\n\nIn `{file}`: {}\n\n    wgrad lesson check {} --kernel {name}\n",
            at + 1,
            exercise.idea,
            task.join(" "),
            path(&file),
        );
        for number in 1..=3 {
            let hint = exercise.hint(number);
            let hint =
                if number == 3 { hint.replace("out:\n\n", "out:\n\n```wgsl\n") + "\n```" } else { hint };
            let _ = write!(text, "\n<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>\n");
        }
    }
    let _ = write!(text, "{CLOSING}");
    text
}

const INTRODUCTION: &str = "\
# Write the kernels yourself

Each file here is one of wgrad's shaders with its heart left out, between two lines of dashes. They
are meant to be done in this order: together they are what one step of training needs.

A shader is right when it computes what its twin in Rust computes, in every case of a list of
awkward shapes. `wgrad lesson check FILE --kernel NAME` runs it on all of them and shows the first
element that is wrong, what it should be and the inputs that it follows from. Before it runs, all
that you have to write holds NaN, so what you forget is found; around every buffer stand guard
words, so what you write too much is found. A shader that loops for ever is stopped.

`step` in a shader is the struct at the top of `common.wgsl`, which stands in front of every kernel.

Every exercise has three hints: the first nudges, the second explains, the third shows the lines.
They are folded below, and `wgrad lesson hint NAME 1` prints them.
";

const CLOSING: &str = "
## Train with them

A shader that passes can take the place of ours in real training:

    wgrad train --device gpu --kernel matmul=matmul_naive.wgsl --kernel sgd=sgd.wgsl

The accuracy should be what it is with ours; `wgrad lesson check` says how the times compare.
";
