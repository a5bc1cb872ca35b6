//! The results of a bench.

use serde::Serialize;

use super::machine::{DeviceInfo, MachineInfo};
use crate::engine::profile::{Profile, ProfileRow};
use crate::engine::stopwatch::Seconds;

/// The kinds of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkKind {
    Sgemm,
    Conv,
    Training,
}

/// The results of a bench.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    pub machine: MachineInfo,
    pub quick: bool,
    /// The words that chose the workloads; without words, all.
    pub words: Vec<String>,
    pub devices: Vec<DeviceInfo>,
    pub groups: Vec<Group>,
    /// The device to train each kind of network on.
    pub verdict: String,
    /// The time of the whole bench.
    pub seconds: f64,
}

/// One workload with the results of all contenders.
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

/// One contender at one workload.
#[derive(Clone, Debug, Serialize)]
pub struct BenchRow {
    pub contender: String,
    /// Its index in [`BenchReport::devices`].
    pub device: usize,
    /// Whether these are the plain twins, which are too slow to train with.
    pub plain: bool,
    pub measured: Option<Measurement>,
    /// Why it was not measured.
    pub left_out: Option<String>,
}

/// The measurement of one contender at one workload.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// The time of one run: a dispatch, or a training step.
    pub seconds: Seconds,
    pub samples_per_second: Option<f64>,
    pub dispatches: usize,
    pub seconds_per_dispatch: f64,
    pub gflops: f64,
    /// The time at the device's ceilings divided by the time measured.
    ///
    /// Each dispatch has the ceiling that binds it.
    pub fraction_of_ceiling: Option<f64>,
    /// The time by kernel; only of training steps.
    pub profile: Vec<ProfileRow>,
    /// The number of steps in the profile.
    pub profiled_steps: usize,
    #[serde(skip)]
    pub details: Option<Profile>,
}
