//! Who is measured: the plain twins, the fast CPU engine and every adapter.

use std::collections::HashMap;

use super::ceiling::Ceiling;
use super::machine::DeviceInfo;
use super::timing::{Effort, Turn};
use super::work::{Needs, Workload};
use super::{Measurement, WorkKind};
use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::cpu::CpuEngine;
use crate::engine::profile::Profiler;
use crate::error::Result;
use crate::program::Program;
use crate::program::record::Versions;

/// Something that runs Programs.
pub(super) struct Contender {
    pub name: String,
    /// Its place among the devices.
    pub device: usize,
    pub plain: bool,
    /// Where it runs.
    pub of: Device,
    /// The shaders that it uses there.
    pub versions: Versions,
    /// Operations a second at the last piece of work of each kind.
    flops_per_second: HashMap<WorkKind, f64>,
}

/// All contenders on some devices; the plain twins run on the CPU as well.
pub(super) fn contenders(devices: &[(Device, Versions)], infos: &[DeviceInfo]) -> Vec<Contender> {
    let mut all = Vec::new();
    for (at, ((device, versions), info)) in devices.iter().zip(infos).enumerate() {
        if matches!(device, Device::Cpu { .. }) {
            let name = "plain twins, 1 thread".to_owned();
            all.push(Contender { name, device: at, plain: true, ..Contender::fast(device, *versions) });
        }
        all.push(Contender { name: info.name.clone(), device: at, ..Contender::fast(device, *versions) });
    }
    all
}

/// Steps that are profiled at the most.
const PROFILED: usize = 21;

impl Contender {
    /// What a device trains with.
    pub fn fast(device: &Device, versions: Versions) -> Contender {
        let (name, of) = (device.name(), device.clone());
        Contender { name, device: 0, plain: false, of, versions, flops_per_second: HashMap::new() }
    }

    /// An engine for a Program.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open(&self, program: Program, profiler: &Profiler) -> Result<Box<dyn Engine>> {
        if self.plain {
            Ok(Box::new(CpuEngine::plain(program)?.with_profiler(profiler)))
        } else {
            self.of.open_profiled(program, profiler)
        }
    }

    /// Gets ready for its measurements, or says why there are none.
    pub fn prepare(&mut self, work: &Workload, effort: &Effort) -> Result<Turn, String> {
        let job = work.job(self).map_err(|error| error.to_string())?;
        let flops: usize = job.needs().iter().map(|need| need.flops).sum();
        let speed = self.flops_per_second.get(&work.kind);
        let expected = speed.map_or(0.0, |speed| flops as f64 / speed);
        if expected > effort.longest {
            return Err(format!("left out: once would take about {}", duration(expected)));
        }
        let compiles = matches!(self.of, Device::Gpu(_));
        let turn = job.start(self).and_then(|runner| Turn::new(runner, compiles, effort));
        turn.map_err(|error| error.to_string())
    }

    /// What its measurements come to.
    pub fn finish(
        &mut self,
        work: &Workload,
        mut turn: Turn,
        ceiling: Option<&Ceiling>,
        effort: &Effort,
    ) -> Result<Measurement, String> {
        let seconds = turn.seconds();
        let steps = PROFILED.min((effort.total / seconds.median) as usize);
        let details = turn.runner.profile(steps).map_err(|error| error.to_string())?;
        let needs = turn.runner.needs();
        let flops: usize = needs.iter().map(|need| need.flops).sum();
        let speed = flops as f64 / seconds.median;
        self.flops_per_second.insert(work.kind, speed);
        let least = |need: &Needs, ceiling: &Ceiling| ceiling.seconds(need.flops, need.bytes);
        let ideal = ceiling.map(|ceiling| needs.iter().map(|need| least(need, ceiling)).sum::<f64>());
        Ok(Measurement {
            samples_per_second: work.batch().map(|batch| batch as f64 / seconds.median),
            dispatches: needs.len(),
            seconds_per_dispatch: seconds.median / needs.len() as f64,
            gflops: speed * 1e-9,
            share_of_ceiling: ideal.map(|ideal| ideal / seconds.median),
            profile: details.as_ref().map_or_else(Vec::new, |profile| profile.by_kernel()),
            profiled_steps: details.as_ref().map_or(0, |profile| profile.steps()),
            details,
            seconds,
        })
    }
}

/// A time for people.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.1} µs", seconds * 1e6),
        ..1.0 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}
