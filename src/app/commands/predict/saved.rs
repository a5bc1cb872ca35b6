//! `--save-input`: what the network sees, as PNG files.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use wgrad::internals::data::files::{check_output, make_folder, write_output};
use wgrad::internals::data::png;
use wgrad::internals::text::{shown, unescaped};
use wgrad::{Error, Result, Shape};

use super::super::console::{note, thousands};
use super::inputs::Input;

/// Writes images of a network as PNG files.
pub struct SavedInputs {
    target: Target,
    /// The pictures themselves, which must stay.
    originals: HashSet<PathBuf>,
    /// The folder that all pictures are in.
    common: PathBuf,
    /// The names of files that were written.
    names: HashSet<String>,
}

enum Target {
    Nowhere,
    File(PathBuf),
    Folder(PathBuf),
}

impl SavedInputs {
    /// Checks that images of these inputs can be written to `path`, if one is given.
    ///
    /// # Errors
    /// [`Error::Usage`] for a file for several pictures, [`Error::Failure`] for a path that can't be written.
    pub fn new(path: Option<&Path>, inputs: &[Input]) -> Result<SavedInputs> {
        let ending = path.and_then(Path::extension).and_then(|ending| ending.to_str()).unwrap_or_default();
        let is = |known: &str| ending.eq_ignore_ascii_case(known);
        let target = match path {
            None => Target::Nowhere,
            Some(path) if path.is_dir() => Target::Folder(path.to_owned()),
            Some(path) if is("png") && inputs.len() > 1 => {
                return Err(Error::Usage(format!(
                    "--save-input names the file {} for {} pictures, so name a folder",
                    shown(path),
                    thousands(inputs.len())
                )));
            }
            Some(path) if is("png") || path.exists() => Target::File(path.to_owned()),
            Some(path) if is("jpg") || is("jpeg") => {
                return Err(Error::Usage(format!(
                    "--save-input writes PNG files, so end the name of {} in .png, or name a folder",
                    shown(path)
                )));
            }
            Some(path) => Target::Folder(path.to_owned()),
        };
        match &target {
            Target::Nowhere => {}
            Target::File(path) => check_output(path)?,
            Target::Folder(path) => make_folder(path)?,
        }
        let originals = inputs.iter().filter_map(|input| fs::canonicalize(input.path()).ok()).collect();
        let mut folders = inputs.iter().map(|input| input.path().parent().unwrap_or(Path::new("")));
        let first = folders.next().unwrap_or(Path::new("")).to_owned();
        let common = folders.fold(first, |common, folder| {
            let both = common.components().zip(folder.components());
            both.take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
        });
        Ok(SavedInputs { target, originals, common, names: HashSet::new() })
    }

    /// Writes the image of a picture.
    ///
    /// # Errors
    /// [`Error::Usage`] when the file is one of the pictures, [`Error::Failure`] when it can't be written.
    pub fn write(&mut self, path: &Path, image: &[u8], shape: &Shape) -> Result<()> {
        let file = match &self.target {
            Target::Nowhere => return Ok(()),
            Target::File(file) => {
                self.names.insert(String::new());
                file.clone()
            }
            Target::Folder(folder) => {
                let stem = name(path.strip_prefix(&self.common).unwrap_or(path));
                let mut numbered = (2..).map(|number| format!("{stem}-{number}"));
                let mut name = stem.clone();
                while !self.names.insert(name.to_lowercase()) {
                    name = numbered.next().expect("numbers don't end");
                }
                folder.join(name + ".png")
            }
        };
        if fs::canonicalize(&file).is_ok_and(|file| self.originals.contains(&file)) {
            return Err(Error::Usage(format!(
                "--save-input would write over the picture {}, so name another folder or file",
                shown(&file)
            )));
        }
        write_output(&file, &png(image, shape)?)
    }

    /// Says where the images are.
    pub fn note(&self) {
        match &self.target {
            Target::Nowhere => {}
            Target::File(path) => note(format_args!("what the network saw is in {}", shown(path))),
            Target::Folder(path) => note(format_args!(
                "what the network saw is in {}: {} PNG {}",
                shown(path),
                thousands(self.names.len()),
                if self.names.len() == 1 { "file" } else { "files" }
            )),
        }
    }
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
