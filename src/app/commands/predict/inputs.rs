//! The pictures that arguments name: files, folders, patterns and stdin.

use std::fs;
use std::io::{IsTerminal, Read, stdin};
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};
use wgrad::internals::data::{FoundPictures, MAX_FILE_BYTES, PictureSource, pictures_in};
use wgrad::internals::text::{joined, reason, shown};
use wgrad::{Error, Result};

use super::super::console::{note, thousands};

/// The most pictures that are taken out of folders.
const MOST_PICTURES: usize = 10_000;

/// A picture to read, or what names none.
pub struct Input {
    /// The picture, or the file or argument and why there is none.
    content: Result<PictureSource, (PathBuf, Error)>,
    /// Whether it is an argument itself, not found in a folder or by a pattern.
    pub is_named: bool,
}

impl Input {
    fn failed(path: &Path, error: Error) -> Input {
        Input { content: Err((path.to_owned(), error)), is_named: true }
    }

    fn named(source: PictureSource) -> Input {
        Input { content: Ok(source), is_named: true }
    }

    fn found(file: PathBuf) -> Input {
        Input { content: Ok(PictureSource::File(file)), is_named: false }
    }

    /// The picture.
    ///
    /// # Errors
    /// Why there is none.
    pub fn source(&self) -> Result<&PictureSource> {
        self.content.as_ref().map_err(|(_, error)| error.clone())
    }

    /// The file, or what the argument says.
    pub fn path(&self) -> &Path {
        match &self.content {
            Ok(source) => source.path(),
            Err((path, _)) => path,
        }
    }
}

/// The pictures of all arguments, in their order.
///
/// # Errors
/// [`Error::Usage`] when stdin is named twice or is a terminal, [`Error::Failure`] when it can't be read.
pub fn find(arguments: &[PathBuf]) -> Result<Vec<Input>> {
    let mut found = Found::default();
    for path in arguments {
        if path.as_os_str() == "-" {
            found.stdin(path)?;
        } else if path.is_dir() {
            found.folder(path, true);
        } else if !path.exists() && path.to_str().is_some_and(is_pattern) {
            found.matching(path);
        } else {
            found.inputs.push(Input::named(PictureSource::File(path.clone())));
        }
    }
    Ok(found.inputs)
}

/// True for a path, or a part of one, with `*`, `?` or `[`.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

#[derive(Default)]
struct Found {
    inputs: Vec<Input>,
    /// Those out of folders.
    of_folders: usize,
    has_stdin: bool,
}

impl Found {
    fn stdin(&mut self, path: &Path) -> Result<()> {
        if std::mem::replace(&mut self.has_stdin, true) {
            return Err(Error::Usage(
                "- is given twice, but there is one picture on stdin, so leave one out".to_owned(),
            ));
        }
        if stdin().is_terminal() {
            return Err(Error::Usage(
                "- reads a picture from stdin, which is a terminal: send one into it, as in “wgrad predict RUN - < photo.png”"
                    .to_owned(),
            ));
        }
        let mut bytes = Vec::new();
        stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| {
            Error::Failure(format!("stdin can't be read ({}), so name a file", reason(&error)))
        })?;
        let input = if bytes.is_empty() {
            Input::failed(path, Error::Data("stdin is empty, so send a picture into it".to_owned()))
        } else if bytes.len() as u64 > MAX_FILE_BYTES {
            let problem = "stdin has more than 256 MiB, so scale the picture down first";
            Input::failed(path, Error::Data(problem.to_owned()))
        } else {
            Input::named(PictureSource::Bytes(PathBuf::from("stdin"), bytes))
        };
        self.inputs.push(input);
        Ok(())
    }

    /// Adds the pictures below a folder, which is an argument itself or matches one, and notes what is left out.
    fn folder(&mut self, folder: &Path, is_named: bool) {
        let failed = |error| Input { is_named, ..Input::failed(folder, error) };
        let FoundPictures { files, others, cut } = match pictures_in(folder, MOST_PICTURES - self.of_folders)
        {
            Ok(found) => found,
            Err(error) => return self.inputs.push(failed(error)),
        };
        if cut {
            note(format_args!(
                "{} has more pictures than the {} that are read out of folders: the others are left out, so name some of \
                 its folders or files",
                shown(folder),
                thousands(MOST_PICTURES)
            ));
        }
        if let Some(example) = others.first() {
            let (count, files) = (others.len(), if others.len() == 1 { "file is" } else { "files are" });
            note(format_args!(
                "{}: {} {files} not named like PNG or JPEG pictures and left out (as {})",
                shown(folder),
                thousands(count),
                shown(example)
            ));
        }
        if files.is_empty() && !cut {
            let problem = format!("{} has no PNG or JPEG picture, so name another folder", shown(folder));
            return self.inputs.push(failed(Error::NotFound(problem)));
        }
        self.of_folders += files.len();
        self.inputs.extend(files.into_iter().map(Input::found));
    }

    /// Adds what a pattern matches that no shell has replaced.
    fn matching(&mut self, pattern: &Path) {
        let failed = |error| Input::failed(pattern, error);
        let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
        if let Err(error) = Pattern::new(pattern.to_str().unwrap_or_default()) {
            let problem = format!("{} is no pattern ({}), so name files", shown(pattern), joined(error));
            return self.inputs.push(failed(Error::Usage(problem)));
        }
        let before = self.inputs.len();
        for path in matches(pattern, options) {
            if path.is_dir() {
                self.folder(&path, false);
            } else {
                self.inputs.push(Input::found(path));
            }
        }
        if self.inputs.len() == before {
            let problem = format!("no file matches {}, so check the pattern", shown(pattern));
            self.inputs.push(failed(Error::NotFound(problem)));
        }
    }
}

/// What a pattern matches, by name. Names that are no text match none; a folder that can't be opened has no files.
fn matches(pattern: &Path, options: MatchOptions) -> Vec<PathBuf> {
    let (mut base, mut parts) = (PathBuf::new(), Vec::new());
    for component in pattern.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => base.push(component),
            Component::CurDir => {}
            part => parts.extend(part.as_os_str().to_str()),
        }
    }
    let mut found = Vec::new();
    expand(&base, &parts, options, &mut found);
    found
}

fn expand(folder: &Path, parts: &[&str], options: MatchOptions, found: &mut Vec<PathBuf>) {
    let Some((part, rest)) = parts.split_first() else { return found.push(folder.to_owned()) };
    let names = || {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = fs::read_dir(here).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    };
    if *part == "**" {
        expand(folder, rest, options, found);
        let inner = names().into_iter().filter(|name| !name.starts_with('.')).map(|name| folder.join(name));
        // Links are left alone: they may lead round in circles. A folder itself is read with what is in it.
        let inner = inner.filter(|path| !rest.is_empty() && path.is_dir() && !path.is_symlink());
        inner.for_each(|path| expand(&path, parts, options, found));
    } else if !is_pattern(part) {
        let path = folder.join(part);
        if path.symlink_metadata().is_ok() {
            expand(&path, rest, options, found);
        }
    } else if let Ok(pattern) = Pattern::new(part) {
        for name in names().into_iter().filter(|name| pattern.matches_with(name, options)) {
            let path = folder.join(name);
            if rest.is_empty() || path.is_dir() {
                expand(&path, rest, options, found);
            }
        }
    }
}
