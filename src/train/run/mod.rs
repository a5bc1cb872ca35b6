//! A run directory, `OUT/NAME-NNN/`: the product of training, never overwritten.
//!
//! It holds the recipe as it ran (`recipe.toml`), the record of the run (`run.json`, a [`RunRecord`]), its metrics
//! (`metrics.jsonl`, an [`Event`] per line, and the same as a table in `metrics.csv` and, if wanted, for TensorBoard),
//! checkpoints ([`crate::train::run::checkpoint`]), and the trained network (`model.safetensors`, a [`Model`]). While a
//! process works in it, no other can.

pub mod checkpoint;
mod lock;
pub mod model;
mod tensors;

mod appended;
mod metrics;
mod record;
mod tensorboard;
mod weights;

pub use lock::Lock;
pub use metrics::{METRICS, TABLE, read_metrics};
pub use record::{Epoch, Event, RECORD, RunRecord, Status, Steps, Validation, WGPU_VERSION, timestamp};
pub use tensorboard::EVENTS;
pub use weights::{Adopted, Weights};

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::data::files::{self, write_atomically};
use crate::error::{Error, Result};
use crate::train::recipe::Recipe;
use crate::train::trainer::Position;
use checkpoint::Checkpoint;
use metrics::MetricsFiles;
use model::Model;

/// The file that holds the recipe as it ran.
pub const RECIPE: &str = "recipe.toml";

/// A run directory that this process has made.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    metrics: MetricsFiles,
    _lock: Lock,
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
                out.display()
            ))
        })?;
        match furnish(&path) {
            Ok((lock, metrics)) => Ok(RunDir { metrics, path, _lock: lock, made }),
            Err(error) => {
                // The directory is new, and nobody else knows it.
                let _ = fs::remove_dir_all(&path);
                remove_empty(&made);
                Err(error)
            }
        }
    }

    /// Opens the directory of an earlier run, to resume it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is no run directory, [`Error::Failure`] when another process works in it or it can't be
    /// written to.
    pub fn open(path: &Path) -> Result<RunDir> {
        if !path.join(RECIPE).is_file() {
            return Err(Error::NotFound(format!(
                "{} is no run directory (it has no {RECIPE}), so name one that training has made",
                path.display()
            )));
        }
        let lock = Lock::take(path)?;
        files::remove_temporary(path);
        files::remove_temporary(&path.join(checkpoint::FOLDER));
        Ok(RunDir {
            metrics: MetricsFiles::open(path)?,
            path: path.to_owned(),
            _lock: lock,
            made: Vec::new(),
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `recipe.toml`.
    ///
    /// # Errors
    /// As [`write_atomically`].
    pub fn write_recipe(&self, recipe: &Recipe) -> Result<()> {
        write_atomically(&self.path.join(RECIPE), recipe.to_toml().as_bytes())
    }

    /// Writes `run.json`, in place of an earlier one.
    ///
    /// # Errors
    /// As [`write_atomically`].
    pub fn write_record(&self, record: &RunRecord) -> Result<()> {
        write_atomically(&self.path.join(RECORD), record.to_json().as_bytes())
    }

    /// Writes an event file for TensorBoard too, from here on. In a resumed run [`RunDir::rewind`] adds the earlier
    /// events.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn write_events(&mut self) -> Result<()> {
        self.metrics.write_events(&self.path)
    }

    /// Appends to the metrics. Other processes can read the event as soon as this returns.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn append(&mut self, event: &Event) -> Result<()> {
        self.metrics.append(event)
    }

    /// Goes back to a position: cuts the metrics, removes later checkpoints.
    ///
    /// Returns the last epoch that is left.
    ///
    /// # Errors
    /// [`Error::Failure`] naming the file.
    pub fn rewind(&mut self, position: &Position) -> Result<Option<Epoch>> {
        checkpoint::forget_after(&self.path, position.steps)?;
        self.metrics.rewind(position)
    }

    /// Saves a checkpoint, then removes all but the newest `keep`.
    ///
    /// The metrics that belong to it are written first.
    ///
    /// # Errors
    /// As [`Checkpoint::save`]. Earlier checkpoints are still there then.
    pub fn save_checkpoint(&mut self, checkpoint: &Checkpoint, keep: usize) -> Result<()> {
        self.metrics.sync()?;
        checkpoint.save(&checkpoint::path(&self.path, checkpoint.snapshot.position.steps))?;
        checkpoint::tidy(&self.path, keep);
        Ok(())
    }

    /// Saves a checkpoint as the best one.
    ///
    /// # Errors
    /// As [`Checkpoint::save`].
    pub fn save_best(&self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.save(&self.path.join(checkpoint::FOLDER).join(checkpoint::BEST))
    }

    /// Writes `model.safetensors`, in place of an earlier one.
    ///
    /// # Errors
    /// As [`Model::save`].
    pub fn save_model(&self, model: &Model) -> Result<()> {
        model.save(self.path.join(model::FILE))
    }

    /// Removes the directory, unless there is a result in it.
    ///
    /// It is for a run that failed before it began. A result is a line of metrics, a model, or a foreign file. Directories
    /// that were made to hold it are removed too.
    pub fn abandon(self) {
        if !self.metrics.is_empty() || self.path.join(model::FILE).exists() || self.made.is_empty() {
            return;
        }
        let RunDir { path, metrics, _lock: lock, made } = self;
        drop((metrics, lock));
        for (_, file) in checkpoint::list(&path).unwrap_or_default() {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_dir(path.join(checkpoint::FOLDER));
        for file in [RECIPE, RECORD, METRICS, TABLE, EVENTS] {
            // A file that can't be removed stays: the error that led here is the one to report.
            let _ = fs::remove_file(path.join(file));
        }
        remove_empty(&made);
    }
}

/// Adds lock, metrics and checkpoint folder to a new run directory.
fn furnish(path: &Path) -> Result<(Lock, MetricsFiles)> {
    let lock = Lock::take(path)?;
    fs::create_dir(path.join(checkpoint::FOLDER)).map_err(|error| {
        Error::Failure(format!("{} can't be written to ({error}), so check the disk", path.display()))
    })?;
    Ok((lock, MetricsFiles::create(path)?))
}

/// Makes `OUT` and the next directory in it. `made` lists what was made, even when it fails.
fn claim(out: &Path, name: &str, made: &mut Vec<PathBuf>) -> io::Result<PathBuf> {
    make_folders(out, made)?;
    let mut number = last_number(out, name)? + 1;
    let mut missing = 0;
    loop {
        let path = out.join(format!("{name}-{number:03}"));
        match fs::create_dir(&path) {
            Ok(()) => {
                made.push(path.clone());
                return Ok(path);
            }
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            // Another process abandoned its run, and removed the folder for both. A working directory that was deleted
            // is a folder in which nothing can be made.
            Err(error) if error.kind() == ErrorKind::NotFound && missing < 100 => {
                missing += 1;
                make_folders(out, made)?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// `create_dir_all` that lists the folders it made.
fn make_folders(path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if path.exists() {
        return Err(io::Error::other(format!("{} is a file", path.display())));
    }
    if let Some(parent) = path.parent() {
        make_folders(parent, made)?;
    }
    match fs::create_dir(path) {
        Ok(()) => made.push(path.to_owned()),
        Err(_) if path.is_dir() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The highest number of a run of that name, or 0.
fn last_number(out: &Path, name: &str) -> io::Result<u64> {
    let out = if out.as_os_str().is_empty() { Path::new(".") } else { out };
    let mut last = 0;
    for entry in fs::read_dir(out)? {
        let found = entry?.file_name();
        let digits = found.to_str().and_then(|found| found.strip_prefix(name)?.strip_prefix('-'));
        let digits =
            digits.filter(|digits| digits.len() < 16 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        last = last.max(digits.and_then(|digits| digits.parse().ok()).unwrap_or(0));
    }
    Ok(last)
}

/// Removes empty directories, the last first.
fn remove_empty(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

/// The name of a run directory, without its number. It is made from the data set's.
fn run_name(data: &str) -> String {
    const MOST: usize = 40;
    let last =
        Path::new(data).file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let words = last.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(MOST);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}
