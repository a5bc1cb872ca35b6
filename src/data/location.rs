//! The place and the format of a data set, found by its name or path.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::digits;
use super::folder::IdxSet;
use super::images::Pictures;
use super::kind::FolderFormat;
use super::known::user_folder;
use super::listing::Listing;
use super::locate::{Places, Source, locate};
use super::reading::Reading;
use crate::error::{Error, Result};
use crate::kernel::threads;
use crate::text::shown;

/// The source of a data set, in the places that the environment names.
pub(super) fn source(name_or_path: &str) -> Result<Source> {
    let (variable, user) = (std::env::var_os("WGRAD_DATA"), user_folder());
    locate(name_or_path, &Places { cwd: Path::new(""), variable: variable.as_deref(), user: user.as_deref() })
}

/// The place and the format of a data set.
pub(super) enum Location {
    Digits,
    Folder(PathBuf, FolderFormat),
}

impl Location {
    /// Finds a data set; `find` finds the pictures in a folder.
    pub fn find(name_or_path: &str, find: fn(&Path, &Listing) -> Result<Pictures>) -> Result<Location> {
        Ok(match source(name_or_path)? {
            Source::Digits => Location::Digits,
            Source::Folder(folder) => {
                let format = FolderFormat::of(name_or_path, &folder, find)?;
                Location::Folder(folder, format)
            }
            Source::Split { folder, prefix, transposed } => {
                Location::Folder(folder, FolderFormat::Idx(IdxSet { prefix, transposed }))
            }
        })
    }

    /// Refuses the first of the settings that are `given` and not for data of this kind.
    pub fn check(&self, name: &str, given: Vec<&'static str>) -> Result<()> {
        let is_for = |key: &str| match self {
            Location::Folder(_, FolderFormat::Pictures(_)) => key != "transpose",
            Location::Folder(_, FolderFormat::Idx(_)) => key == "transpose",
            _ => false,
        };
        let Some(key) = given.into_iter().find(|key| !is_for(key)) else { return Ok(()) };
        let kind = if key == "transpose" { "IDX files" } else { "folders of pictures" };
        let problem = format!("⟨{key}⟩ is for {kind}, which {} is not, so leave it out", shown(name));
        Err(Error::Setting { key, problem })
    }

    pub fn read(&self, name: &str, reading: &Reading) -> Result<Dataset> {
        threads::start()?;
        let mut dataset = match self {
            Location::Digits => digits::dataset(),
            Location::Folder(folder, format) => format.read(name, folder, reading),
        }?;
        // Images that are no pictures have no colours to convert, but a model of theirs is given pictures.
        dataset.about.rendering.grey = reading.rendering().grey;
        Ok(dataset)
    }
}
