//! Checkpoints: files from which a run goes on bit by bit.
//!
//! They are safetensors files in `RUN/checkpoints/`. The tensors are the parameters by their names
//! and every other buffer that training changes; the metadata hold, as strings, `format`,
//! `format_version`, `seed`, `digest` (of the data), `network`, `recipe` (TOML) and, as JSON,
//! `place` (a [`Position`](crate::train::trainer::Position): epoch, step and the sums of the epoch's losses), `standing`
//! (a [`RunState`]: time, rollbacks and early stopping), `record` (a [`RunRecord`](super::RunRecord)), `metrics` (a
//! [`MetricsSum`](super::MetricsSum)) and `best` (an [`Epoch`](super::Epoch), whose weights are the tensor of that name);
//! and the file's `checksum`. So a run goes on from this file and its data alone.
//!
//! `step-N.safetensors` was saved after N steps; the newest is where `--resume` goes on.
//! `best.safetensors` is the run at its smallest validation loss.

mod file;
mod folder;
mod read;
mod upkeep;

pub use file::{BEST, Best, Checkpoint, FOLDER, FORMAT, FORMAT_VERSION, RunState};
pub(super) use folder::name;
pub use folder::{list, newest, path};
pub(super) use upkeep::{check_places, forget_after, set_foreign_aside, tidy};
