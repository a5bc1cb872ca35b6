//! The place and the format of a data set, found by its name or path.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::digits;
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
                let format = FolderFormat::of(&folder, find)?;
                Location::Folder(folder, format)
            }
        })
    }

    /// Refuses a setting of pictures, if one is `given`, with other data.
    pub fn check(&self, name: &str, given: Option<&'static str>) -> Result<()> {
        let Some(key) = given.filter(|_| !matches!(self, Location::Folder(_, FolderFormat::Pictures(_))))
        else {
            return Ok(());
        };
        let problem =
            format!("⟨{key}⟩ is for folders of pictures, which {} is not, so leave it out", shown(name));
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
