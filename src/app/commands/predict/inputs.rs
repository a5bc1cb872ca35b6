//! The pictures that arguments name: files, folders, patterns and stdin.

use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};
use wgrad::internals::data::{FoundPictures, MAX_FILE_BYTES, PictureSource, pictures_in};
use wgrad::internals::text::{joined, reason, shown};
use wgrad::{Error, Result};

use super::super::console::{note, thousands};

/// The most pictures that are taken out of folders.
const MOST_PICTURES: usize = 10_000;

/// A picture to read, or an argument that names none.
pub enum Input {
    Picture(PictureSource),
    Failed(PathBuf, Error),
}

impl Input {
    /// The picture, if it is one.
    pub fn source(&self) -> Option<&PictureSource> {
        match self {
            Input::Picture(source) => Some(source),
            Input::Failed(..) => None,
        }
    }

    /// The file, or what the argument says.
    pub fn path(&self) -> &Path {
        match self {
            Input::Picture(source) => source.path(),
            Input::Failed(path, _) => path,
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
            found.folder(path);
        } else if !path.exists() && is_pattern(path) {
            found.matching(path);
        } else {
            found.inputs.push(Input::Picture(PictureSource::File(path.clone())));
        }
    }
    Ok(found.inputs)
}

/// Whether a path looks like a pattern: it has `*`, `?` or `[`.
fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?', '[']))
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
            Error::Failure(format!("stdin can't be read ({error}), so name a file", error = reason(&error)))
        })?;
        let input = if bytes.is_empty() {
            Input::Failed(
                path.to_owned(),
                Error::Data("stdin is empty, so send a picture into it".to_owned()),
            )
        } else if bytes.len() as u64 > MAX_FILE_BYTES {
            let problem = "stdin has more than 256 MiB, so scale the picture down first";
            Input::Failed(path.to_owned(), Error::Data(problem.to_owned()))
        } else {
            Input::Picture(PictureSource::Bytes(PathBuf::from("stdin"), bytes))
        };
        self.inputs.push(input);
        Ok(())
    }

    /// Adds the pictures below a folder, and notes what is left out.
    fn folder(&mut self, folder: &Path) {
        let FoundPictures { files, others, cut } = match pictures_in(folder, MOST_PICTURES - self.of_folders)
        {
            Ok(found) => found,
            Err(error) => return self.inputs.push(Input::Failed(folder.to_owned(), error)),
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
            return self.inputs.push(Input::Failed(folder.to_owned(), Error::NotFound(problem)));
        }
        self.of_folders += files.len();
        self.inputs.extend(files.into_iter().map(|file| Input::Picture(PictureSource::File(file))));
    }

    /// Adds what a pattern matches that no shell has replaced.
    fn matching(&mut self, pattern: &Path) {
        let failed = |error| Input::Failed(pattern.to_owned(), error);
        let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
        let paths = match glob_with(pattern.to_str().unwrap_or_default(), options) {
            Ok(paths) => paths,
            Err(error) => {
                let problem = format!("{} is no pattern ({}), so name files", shown(pattern), joined(error));
                return self.inputs.push(failed(Error::Usage(problem)));
            }
        };
        let before = self.inputs.len();
        // A folder that can't be opened has no files that match.
        for path in paths.filter_map(|path| path.ok()) {
            if path.is_dir() {
                self.folder(&path);
            } else {
                self.inputs.push(Input::Picture(PictureSource::File(path)));
            }
        }
        if self.inputs.len() == before {
            let problem = format!("no file matches {}, so check the pattern", shown(pattern));
            self.inputs.push(failed(Error::NotFound(problem)));
        }
    }
}
