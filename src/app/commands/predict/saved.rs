//! `--save-input`: what the network sees, as PNG files.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use wgrad::internals::data::files::{check_output, is_stream, make_folder, write_output};
use wgrad::internals::data::{PictureSource, png};
use wgrad::internals::text::{shown, unescaped};
use wgrad::{Error, Result, Shape};

use super::super::console::{note, thousands};
use super::inputs::Input;

/// Writes images of a network as PNG files.
pub struct SavedInputs {
    target: Target,
    /// The file of each input; none at all when nothing is saved.
    files: Vec<PathBuf>,
    /// The number of files that were written.
    written: usize,
}

enum Target {
    Nowhere,
    File(PathBuf),
    Folder(PathBuf),
}

impl SavedInputs {
    /// Chooses the files for the images of these inputs, and checks that they can be written.
    ///
    /// # Errors
    /// [`Error::Usage`] for a file for several pictures, for one that is no PNG file, and where a picture or a file in the
    /// folder would be replaced; [`Error::Failure`] for a path that can't be written.
    pub fn new(path: Option<&Path>, inputs: &[Input]) -> Result<SavedInputs> {
        let target = path.map_or(Ok(Target::Nowhere), |path| Target::of(path, inputs.len()))?;
        let files = match &target {
            Target::Nowhere => Vec::new(),
            Target::File(file) => vec![file.clone()],
            Target::Folder(folder) => {
                names(inputs).into_iter().map(|name| folder.join(name + ".png")).collect()
            }
        };
        check_originals(&files, inputs)?;
        if let Target::Folder(folder) = &target {
            // A link that leads nowhere would be followed.
            if let Some(file) = files.iter().find(|file| fs::symlink_metadata(file).is_ok()) {
                return Err(Error::Usage(format!(
                    "--save-input would write over {}, so name another folder, or move that file away",
                    shown(file)
                )));
            }
            make_folder(folder)?;
        }
        files.first().map_or(Ok(()), |file| check_output(file))?;
        Ok(SavedInputs { target, files, written: 0 })
    }

    /// Writes the image of an input, by its number.
    ///
    /// # Errors
    /// [`Error::Failure`] when it can't be written.
    pub fn write(&mut self, input: usize, image: &[u8], shape: &Shape) -> Result<()> {
        let Some(file) = self.files.get(input) else { return Ok(()) };
        self.written += 1;
        write_output(file, &png(image, shape)?)
    }

    /// Says where the images are.
    pub fn note(&self) {
        match &self.target {
            Target::Nowhere => {}
            Target::File(path) => note(format_args!("what the network saw is in {}", shown(path))),
            Target::Folder(path) => note(format_args!(
                "what the network saw is in {}: {} PNG {}",
                shown(path),
                thousands(self.written),
                if self.written == 1 { "file" } else { "files" }
            )),
        }
    }
}

impl Target {
    /// The target of `count` images: a folder, a file that ends in `.png`, or a pipe or device.
    fn of(path: &Path, count: usize) -> Result<Target> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is = |known: &str| ending.eq_ignore_ascii_case(known);
        if path.is_dir() {
            return Ok(Target::Folder(path.to_owned()));
        }
        if !is("png") && !is_stream(path) {
            // A link that leads nowhere would be followed.
            if fs::symlink_metadata(path).is_ok() || is("jpg") || is("jpeg") {
                return Err(Error::Usage(format!(
                    "--save-input writes PNG files, so end the name of {} in .png, or name a folder",
                    shown(path)
                )));
            }
            return Ok(Target::Folder(path.to_owned()));
        }
        if count > 1 {
            return Err(Error::Usage(format!(
                "--save-input names the file {} for {} pictures, so name a folder",
                shown(path),
                thousands(count)
            )));
        }
        Ok(Target::File(path.to_owned()))
    }
}

/// Checks that none of the pictures themselves is written over.
fn check_originals(files: &[PathBuf], inputs: &[Input]) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let original = |input: &Input| match input.source().ok()? {
        PictureSource::File(path) => fs::canonicalize(path).ok(),
        PictureSource::Bytes(..) => None,
    };
    let originals: HashSet<PathBuf> = inputs.iter().filter_map(original).collect();
    let is_original = |file: &&PathBuf| fs::canonicalize(file).is_ok_and(|file| originals.contains(&file));
    match files.iter().find(is_original) {
        None => Ok(()),
        Some(file) => Err(Error::Usage(format!(
            "--save-input would write over the picture {}, so name another folder or file",
            shown(file)
        ))),
    }
}

/// The name of each input's image, without the ending: no two are the same, in upper or lower case.
fn names(inputs: &[Input]) -> Vec<String> {
    let mut folders = inputs.iter().map(|input| input.path().parent().unwrap_or(Path::new("")));
    let first = folders.next().unwrap_or(Path::new("")).to_owned();
    // The folder that all pictures are in.
    let common = folders.fold(first, |common, folder| {
        let both = common.components().zip(folder.components());
        both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    });
    let mut taken = HashSet::new();
    let free = |input: &Input| {
        let stem = name(input.path().strip_prefix(&common).unwrap_or(input.path()));
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut free = std::iter::once(stem.clone()).chain(numbered);
        free.find(|name| taken.insert(name.to_lowercase())).expect("numbers don't end")
    };
    inputs.iter().map(free).collect()
}

/// The name of a picture's image: its path with hyphens between folders, without the ending.
fn name(path: &Path) -> String {
    let without = path.with_extension("");
    let names = without.components().filter_map(|part| match part {
        Component::Normal(name) => Some(unescaped(name)),
        _ => None,
    });
    names.collect::<Vec<_>>().join("-")
}
