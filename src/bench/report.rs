//! What one run of the bench found out.

use serde::Serialize;

use super::machine::{DeviceInfo, MachineInfo};
use crate::engine::profile::{Profile, ProfileRow};
use crate::engine::stopwatch::Seconds;

/// What kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkKind {
    Sgemm,
    Conv,
    Training,
}

/// All that one run of the bench found out.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    pub machine: MachineInfo,
    pub quick: bool,
    /// What the words chose; everything when there are none.
    pub words: Vec<String>,
    pub devices: Vec<DeviceInfo>,
    pub groups: Vec<Group>,
    /// What to train on which device.
    pub verdict: String,
    /// How long all of it took.
    pub seconds: f64,
}

/// One piece of work, and what each contender makes of it.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    pub name: String,
    pub kind: WorkKind,
    /// The network of a training step.
    pub network: Option<&'static str>,
    /// Samples of a training step.
    pub batch: Option<usize>,
    pub rows: Vec<BenchRow>,
}

/// One contender at one piece of work.
#[derive(Clone, Debug, Serialize)]
pub struct BenchRow {
    pub contender: String,
    /// Its place in [`BenchReport::devices`].
    pub device: usize,
    /// Whether these are the plain twins, which nobody would train with.
    pub plain: bool,
    pub measured: Option<Measurement>,
    /// Why it was not measured.
    pub left_out: Option<String>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// Of one run: a dispatch, or a training step with all that belongs to it.
    pub seconds: Seconds,
    pub samples_per_second: Option<f64>,
    pub dispatches: usize,
    pub seconds_per_dispatch: f64,
    pub gflops: f64,
    /// The time it would take at the device's ceilings, each dispatch at the one that binds it, as a
    /// share of the time that it takes.
    pub share_of_ceiling: Option<f64>,
    /// Where the time goes, by kernel; of training steps only.
    pub profile: Vec<ProfileRow>,
    /// How many steps that is from.
    pub profiled_steps: usize,
    #[serde(skip)]
    pub details: Option<Profile>,
}
