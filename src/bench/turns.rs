//! A contender at one piece of work: made ready, and what its measurements come to.

use super::contender::Contender;
use super::machine::Ceiling;
use super::needs::Needs;
use super::report::Measured;
use super::timing::{Effort, Turn, duration};
use super::work::Work;
use crate::engine::adapter::Device;

/// Steps that are profiled at the most.
const PROFILED: usize = 21;

impl Contender {
    /// Gets ready for its measurements, or says why there are none.
    pub fn prepare(&mut self, work: &Work, effort: &Effort) -> Result<Turn, String> {
        let job = work.job(self).map_err(|error| error.to_string())?;
        let flops: usize = job.needs().iter().map(|need| need.flops).sum();
        let rate = self.rates.iter().find(|(kind, _)| *kind == work.kind);
        let expected = rate.map_or(0.0, |(_, rate)| flops as f64 / rate);
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
        work: &Work,
        mut turn: Turn,
        ceiling: Option<&Ceiling>,
        effort: &Effort,
    ) -> Result<Measured, String> {
        let seconds = turn.seconds();
        let steps = PROFILED.min((effort.total / seconds.median) as usize);
        let details = turn.runner.profile(steps).map_err(|error| error.to_string())?;
        let needs = turn.runner.needs();
        let flops: usize = needs.iter().map(|need| need.flops).sum();
        let rate = flops as f64 / seconds.median;
        self.rates.retain(|(kind, _)| *kind != work.kind);
        self.rates.push((work.kind, rate));
        let least = |need: &Needs, ceiling: &Ceiling| ceiling.seconds(need.flops, need.bytes);
        let ideal = ceiling.map(|ceiling| needs.iter().map(|need| least(need, ceiling)).sum::<f64>());
        Ok(Measured {
            samples_per_second: work.batch().map(|batch| batch as f64 / seconds.median),
            dispatches: needs.len(),
            seconds_per_dispatch: seconds.median / needs.len() as f64,
            gflops: rate * 1e-9,
            share_of_ceiling: ideal.map(|ideal| ideal / seconds.median),
            profile: details.as_ref().map_or_else(Vec::new, |profile| profile.by_kernel()),
            profiled_steps: details.as_ref().map_or(0, |profile| profile.steps()),
            details,
            seconds,
        })
    }
}
