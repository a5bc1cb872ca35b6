//! The device to train on, as a sentence.

use super::report::{BenchRow, Group};
use super::training::{NETWORKS, ReferenceNetwork};

/// The batch size of the verdict, if it was measured.
const BATCH: usize = 64;

/// A sentence with the device for each kind of network, and one more where another batch differs.
pub fn verdict(groups: &[Group]) -> String {
    let found: Vec<NetworkVerdict> =
        NETWORKS.iter().filter_map(|network| NetworkVerdict::of(network, groups)).collect();
    let Some(first) = found.first() else {
        return "No verdict: it needs training steps on at least two devices.".to_owned();
    };
    let advice: Vec<String> = if found.iter().all(|one| one.comparison.device() == first.comparison.device())
    {
        let plurals: Vec<&str> = found.iter().map(|one| one.network.plural).collect();
        vec![format!("{} on {}", plurals.join(" and "), first.comparison.device())]
    } else {
        found.iter().map(|one| format!("{} on {}", one.network.plural, one.comparison.device())).collect()
    };
    let reasons: Vec<String> = found.iter().map(NetworkVerdict::reason).collect();
    let mut sentences =
        vec![format!("On this machine train {}: {}.", advice.join(" and "), reasons.join(", and "))];
    sentences.extend(found.into_iter().flat_map(|finding| finding.exceptions));
    sentences.join(" ")
}

/// The verdict about one network.
struct NetworkVerdict {
    network: &'static ReferenceNetwork,
    batch: usize,
    comparison: Comparison,
    exceptions: Vec<String>,
}

impl NetworkVerdict {
    /// At [`BATCH`], or else at the largest batch with two devices.
    fn of(network: &'static ReferenceNetwork, groups: &[Group]) -> Option<NetworkVerdict> {
        let of_network = groups.iter().filter(|group| group.network == Some(network.name));
        let mut comparisons: Vec<(usize, Comparison)> =
            of_network.filter_map(|group| Some((group.batch?, Comparison::of(group)?))).collect();
        let last = comparisons.len().checked_sub(1)?;
        let (batch, comparison) =
            comparisons.remove(comparisons.iter().position(|(batch, _)| *batch == BATCH).unwrap_or(last));
        let exceptions =
            comparisons.iter().filter(|(_, other)| other.is_decided() && other.best != comparison.best);
        let exceptions = exceptions
            .map(|(batch, other)| {
                format!("At batch {batch} of {} it differs: {}.", network.name, other.outcome())
            })
            .collect();
        Some(NetworkVerdict { network, batch, comparison, exceptions })
    }

    fn reason(&self) -> String {
        format!("{} at batch {} of {}", self.comparison.outcome(), self.batch, self.network.name)
    }
}

/// The two fastest devices at one workload.
struct Comparison {
    best: String,
    second: String,
    ratio: f64,
    /// Whether their times overlap.
    tie: bool,
}

impl Comparison {
    fn of(group: &Group) -> Option<Comparison> {
        let seconds = |row: &BenchRow| Some((row.measured.as_ref()?.seconds, row.contender.clone()));
        let mut all: Vec<_> = group.rows.iter().filter(|row| !row.plain).filter_map(seconds).collect();
        all.sort_by(|(one, _), (two, _)| one.median.total_cmp(&two.median));
        let [(first, best), (second, name), ..] = all.as_slice() else { return None };
        Some(Comparison {
            best: best.clone(),
            second: name.clone(),
            ratio: second.median / first.median,
            tie: first.overlaps(second),
        })
    }

    fn is_decided(&self) -> bool {
        !self.tie
    }

    fn device(&self) -> String {
        if self.tie { format!("{} or {}", self.best, self.second) } else { format!("the {}", self.best) }
    }

    fn outcome(&self) -> String {
        if self.tie {
            format!("{} and {} are equally fast", self.best, self.second)
        } else {
            format!("{} is {:.1} times as fast as {}", self.best, self.ratio, self.second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{Measurement, WorkKind};
    use super::*;
    use crate::engine::stopwatch::Seconds;

    fn row(contender: &str, plain: bool, times: [f64; 3]) -> BenchRow {
        let measured = Measurement {
            seconds: Seconds::of(times.to_vec()),
            samples_per_second: None,
            dispatches: 1,
            seconds_per_dispatch: 0.0,
            gflops: 0.0,
            fraction_of_ceiling: None,
            profile: Vec::new(),
            profiled_steps: 0,
            details: None,
        };
        BenchRow {
            contender: contender.to_owned(),
            device: 0,
            plain,
            measured: Some(measured),
            left_out: None,
        }
    }

    /// Times of the CPU engine and of a GPU.
    fn group(network: usize, batch: usize, [cpu, gpu]: [f64; 2]) -> Group {
        let around = |time: f64| [time * 0.99, time, time * 1.01];
        Group {
            name: String::new(),
            kind: WorkKind::Training,
            network: Some(NETWORKS[network].name),
            batch: Some(batch),
            rows: vec![
                // The fastest of all, but not a device to train on.
                row("plain twins", true, [0.0, 0.0, 0.0]),
                row("CPU engine", false, around(cpu)),
                row("GPU", false, around(gpu)),
            ],
        }
    }

    #[test]
    fn each_kind_of_network_gets_the_device_that_was_faster_with_it() {
        let groups = [group(0, 1, [1.0, 9.0]), group(0, 64, [1.0, 5.0]), group(1, 64, [3.0, 1.0])];
        assert_eq!(
            verdict(&groups),
            "On this machine train MLPs on the CPU engine and CNNs on the GPU: CPU engine is 5.0 times as fast as GPU \
             at batch 64 of 784-128-10, and GPU is 3.0 times as fast as CPU engine at batch 64 of cnn."
        );
    }

    #[test]
    fn one_device_for_all_is_named_once_and_another_batch_may_say_otherwise() {
        let groups = [group(0, 64, [1.0, 5.0]), group(0, 1_024, [2.0, 1.0]), group(1, 64, [1.0, 2.0])];
        let verdict = verdict(&groups);
        assert!(verdict.starts_with("On this machine train MLPs and CNNs on the CPU engine: "), "{verdict}");
        let end = "At batch 1024 of 784-128-10 it differs: GPU is 2.0 times as fast as CPU engine.";
        assert!(verdict.ends_with(end), "{verdict}");
    }

    #[test]
    fn times_that_overlap_decide_nothing() {
        let verdict = verdict(&[group(0, 128, [1.0, 1.005])]);
        assert_eq!(
            verdict,
            "On this machine train MLPs on CPU engine or GPU: CPU engine and GPU are equally fast at batch 128 of \
             784-128-10."
        );
    }

    #[test]
    fn one_device_alone_gets_no_verdict() {
        let mut alone = group(0, 64, [1.0, 2.0]);
        alone.rows.pop();
        assert!(verdict(&[alone]).starts_with("No verdict: "));
        assert!(verdict(&[]).starts_with("No verdict: "));
    }
}
