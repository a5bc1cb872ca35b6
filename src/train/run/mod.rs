//! A run directory, `OUT/NAME-NNN/`: the product of training, never overwritten.
//!
//! It holds the recipe as it ran (`recipe.toml`), the record of the run (`run.json`, a [`RunRecord`]), its metrics
//! (`metrics.jsonl`, an [`Event`] per line, and the same as a table in `metrics.csv` and, if wanted, for TensorBoard),
//! checkpoints ([`crate::train::run::checkpoint`]), custom kernels (`kernels/`), and the trained network
//! (`model.safetensors`, a [`Model`]). While a process works in it, no other can: it holds the directory open, and writes
//! nothing where another has taken its name.

pub mod checkpoint;
mod lock;
pub mod model;
mod tensors;

mod appended;
mod events;
mod import;
mod kernels;
mod metrics;
mod place;
mod record;
mod salvage;
mod saving;
mod seal;
mod tensorboard;
mod timestamp;
mod weights;

pub use events::{Epoch, Event, METRICS, Steps, TABLE, Validation};
pub use kernels::{KERNELS, kept_kernel, read_kernel};
pub use lock::Lock;
pub use metrics::{Metrics, MetricsSum, Rewound, read_metrics};
pub use record::{RECORD, RunRecord, Status, WGPU_VERSION, foreign_model};
pub use tensorboard::EVENTS;
pub use timestamp::timestamp;
pub use weights::{Adopted, Loaded, Weights};

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data::files::unwritten;
use crate::data::held::HeldFolder;
use crate::error::{Error, Result};
use crate::text::{reason, shown};
use crate::train::recipe::Recipe;
use metrics::MetricsFiles;
use model::Model;
use place::{claim, remove_empty, run_name};

/// The file that holds the recipe as it ran.
pub const RECIPE: &str = "recipe.toml";

/// A run directory that this process works in.
#[derive(Debug)]
pub struct RunDir {
    folder: Arc<HeldFolder>,
    checkpoints: HeldFolder,
    metrics: MetricsFiles,
    lock: Lock,
    /// Sentences about files that were changed by hand, until they are taken.
    notes: Vec<String>,
    /// Directories that were made, from the outermost to this one.
    made: Vec<PathBuf>,
}

impl RunDir {
    /// Makes the next directory of that name, such as `OUT/digits-001/`.
    ///
    /// `name` is the data set's. Only the last part of a path is used, in small letters, with hyphens for everything but
    /// a–z and 0–9. The number is one above the highest, and two processes never get the same directory.
    ///
    /// # Errors
    /// [`Error::Failure`] when it can't be made. Nothing is left behind then.
    pub fn create(out: &Path, name: &str) -> Result<RunDir> {
        let mut made = Vec::new();
        let path = claim(out, &run_name(name), &mut made).map_err(|error| {
            remove_empty(&made);
            Error::Failure(format!(
                "no run directory can be made in {} ({error}), so choose another folder for ⟨out⟩",
                shown(out),
                error = reason(&error)
            ))
        })?;
        let locked = hold(&path).and_then(|folder| Ok((Lock::take(&folder)?, folder)));
        let furnished = locked.and_then(|(lock, folder)| match furnish(&folder) {
            Ok((checkpoints, metrics)) => Ok((lock, folder, checkpoints, metrics)),
            Err(error) => {
                let _ = folder.remove_folder(checkpoint::FOLDER);
                for file in [METRICS, TABLE] {
                    let _ = folder.remove(file);
                }
                Err(error)
            }
        });
        match furnished {
            Ok((lock, folder, checkpoints, metrics)) => {
                Ok(RunDir { folder, checkpoints, metrics, lock, notes: Vec::new(), made })
            }
            Err(error) => {
                // What another process has put there stays.
                remove_empty(&made);
                Err(error)
            }
        }
    }

    /// Opens the directory of an earlier run, to resume it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is no run directory, [`Error::Failure`] when another process works in it, it can't be
    /// written to, or what is no file is in the place of one.
    pub fn open(path: &Path) -> Result<RunDir> {
        if !path.join(checkpoint::FOLDER).is_dir() && !path.join(RECIPE).is_file() {
            return Err(Error::NotFound(format!(
                "{} is no run directory (it has neither {RECIPE} nor {}), so name one that training has made",
                shown(path),
                checkpoint::FOLDER
            )));
        }
        let folder = hold(path)?;
        let lock = Lock::take(&folder)?;
        let checkpoints = open_checkpoints(&folder)?;
        for name in [RECIPE, RECORD, METRICS, TABLE, EVENTS, model::FILE] {
            folder.check(name).map_err(|error| unwritten(&folder.path().join(name), &error))?;
        }
        checkpoint::check_places(&checkpoints)?;
        folder.remove_temporary();
        checkpoints.remove_temporary();
        if let Ok(kernels) = folder.folder(KERNELS) {
            kernels.remove_temporary();
        }
        let metrics = MetricsFiles::open(&folder)?;
        Ok(RunDir { metrics, folder, checkpoints, lock, notes: Vec::new(), made: Vec::new() })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The directory itself, whatever its path leads to.
    pub fn folder(&self) -> Arc<HeldFolder> {
        Arc::clone(&self.folder)
    }

    /// Whether its path still leads to it.
    pub fn is_in_place(&self) -> bool {
        self.folder.is_in_place()
    }

    /// Checks that the directory still is this run's.
    ///
    /// # Errors
    /// [`Error::Failure`] when its path leads elsewhere or another process may write to it.
    fn check(&mut self) -> Result<()> {
        if !self.folder.is_in_place() {
            return Err(Error::Failure(format!(
                "{} is no longer the directory of this run: it was moved, deleted or replaced while the run worked in it, \
                 so the run stops",
                shown(self.path())
            )));
        }
        self.lock.check()
    }

    /// Checks that no other process can have the held directory, wherever it is now.
    fn check_lock(&mut self) -> Result<()> {
        // A moved directory has its lock with it; one that was deleted has none any more.
        if self.folder.is_in_place() { self.lock.check() } else { Ok(()) }
    }

    /// Writes `recipe.toml`.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn write_recipe(&self, recipe: &Recipe) -> Result<()> {
        self.write(RECIPE, &recipe.to_toml())
    }

    /// Writes `recipe.toml` again, as a checkpoint has it.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn restore_recipe(&self, text: &str) -> Result<()> {
        self.write(RECIPE, text)
    }

    /// Writes `run.json`, in place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file, or when another process may write to the directory.
    pub fn write_record(&mut self, record: &RunRecord) -> Result<()> {
        self.check_lock()?;
        self.write(RECORD, &record.to_json())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let written = self.folder.write(name, &mut |file| file.write_all(text.as_bytes()));
        written.map_err(|error| unwritten(&self.path().join(name), &error))
    }

    /// Keeps the text of the custom kernel in the place of the built-in one of this name.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn write_kernel(&self, name: &str, text: &str) -> Result<()> {
        kernels::keep_kernel(&self.folder, name, text)
    }

    /// Writes an event file for TensorBoard too, from here on. In a resumed run [`RunDir::rewind`] adds the earlier
    /// events.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn write_events(&mut self) -> Result<()> {
        self.metrics.write_events(&self.folder)
    }

    /// Writes `model.safetensors`, in place of an earlier one. Returns its checksum.
    ///
    /// # Errors
    /// As [`Model::save`], and when another process may write to the directory.
    pub fn save_model(&mut self, model: &Model) -> Result<String> {
        self.check_lock()?;
        model.save_in(&self.folder)
    }

    /// Gives a model that the run did not write another name, which is returned. [`RunRecord::has_model`] tells.
    ///
    /// # Errors
    /// [`Error::Failure`] when it can't be renamed.
    pub fn set_model_aside(&mut self) -> Result<Option<String>> {
        self.check_lock()?;
        let path = self.path().join(model::FILE);
        self.folder.set_aside(model::FILE).map_err(|error| unwritten(&path, &error))
    }

    /// Removes the directory, unless there is a result in it.
    ///
    /// It is for a run that failed before it began. A result is a line of metrics, a model, or a foreign file. Directories
    /// that were made to hold it are removed too.
    pub fn abandon(self) {
        let has_model = self.folder.check(model::FILE).unwrap_or(true);
        if !self.metrics.is_empty() || has_model || self.made.is_empty() || !self.folder.is_in_place() {
            return;
        }
        let RunDir { folder, checkpoints, metrics, lock, made, .. } = self;
        drop((metrics, lock));
        // A file that can't be removed stays: the error that led here is the one to report.
        let _ = checkpoints.remove(&checkpoint::name(0));
        drop(checkpoints);
        let _ = folder.remove_folder(checkpoint::FOLDER);
        kernels::forget_kernels(&folder);
        for file in [RECIPE, RECORD, METRICS, TABLE, EVENTS] {
            let _ = folder.remove(file);
        }
        drop(folder);
        remove_empty(&made);
    }
}

/// Adds the folder of checkpoints and the metrics to a new run directory.
fn furnish(folder: &HeldFolder) -> Result<(HeldFolder, MetricsFiles)> {
    let made = folder.make_folder(checkpoint::FOLDER);
    Ok((made.map_err(|error| unwritten(folder.path(), &error))?, MetricsFiles::create(folder)?))
}

/// Opens the folder of checkpoints, and makes it if there is none.
fn open_checkpoints(folder: &HeldFolder) -> Result<HeldFolder> {
    let opened = match folder.folder(checkpoint::FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder.make_folder(checkpoint::FOLDER),
        opened => opened,
    };
    opened.map_err(|error| unwritten(&folder.path().join(checkpoint::FOLDER), &error))
}

/// Opens a run directory to hold it.
fn hold(path: &Path) -> Result<Arc<HeldFolder>> {
    HeldFolder::open(path).map(Arc::new).map_err(|error| unwritten(path, &error))
}

/// Reads a text file of a run directory. It must not be a link.
///
/// # Errors
/// The reason, to stand in brackets behind “can't be read”.
pub fn read_text(run: &Path, name: &str) -> Result<String, String> {
    const MAX_BYTES: u64 = 4 << 20;
    let folder = HeldFolder::open(run).map_err(|error| reason(&error).to_string())?;
    let bytes = folder.read(name, MAX_BYTES).map_err(|why| why.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())
}
