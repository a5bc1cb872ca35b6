//! Prepares a contender for one workload, and takes its result.

use super::contender::Contender;
use super::machine::Ceiling;
use super::needs::Needs;
use super::report::Measurement;
use super::timing::{Effort, Turn, duration};
use super::work::Workload;
use crate::engine::adapter::Device;

/// The most steps in a profile.
const PROFILED: usize = 21;

impl Contender {
    /// Prepares the measurements, or returns why there are none.
    pub fn prepare(&mut self, work: &Workload, effort: &Effort) -> Result<Turn, String> {
        let job = work.job(self).map_err(|error| error.to_string())?;
        let flops: usize = job.needs().iter().map(|need| need.flops).sum();
        let speed = self.flops_per_second.get(&work.kind);
        let expected = speed.map_or(0.0, |speed| flops as f64 / speed);
        if expected > effort.longest {
            return Err(format!("left out: one run would take about {}", duration(expected)));
        }
        let compiles = matches!(self.of, Device::Gpu(_));
        let turn = job.start(self).and_then(|runner| Turn::new(runner, compiles, effort));
        turn.map_err(|error| error.to_string())
    }

    /// The result of the measurements.
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
            fraction_of_ceiling: ideal.map(|ideal| ideal / seconds.median),
            profile: details.as_ref().map_or_else(Vec::new, |profile| profile.by_kernel()),
            profiled_steps: details.as_ref().map_or(0, |profile| profile.steps()),
            details,
            seconds,
        })
    }
}
