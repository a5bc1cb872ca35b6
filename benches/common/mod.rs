//! What the benches share: arguments, devices, and the timing of dispatches.

use std::ops::Range;
use std::time::{Duration, Instant};

use wgrad::engine::adapter::{Device, adapters};
use wgrad::engine::{Engine, MAX_STEPS};
use wgrad::kernel::Step;
use wgrad::program::View;

/// The arguments after `cargo bench --bench NAME --`.
pub struct Options {
    /// Fewer and shorter measurements.
    pub quick: bool,
    words: Vec<String>,
}

impl Options {
    pub fn from_args() -> Options {
        // Cargo itself adds `--bench`.
        let (flags, words): (Vec<String>, _) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
        Options { quick: flags.iter().any(|flag| flag == "--quick"), words }
    }

    /// Whether a text has all the words asked for, in either case of letters.
    pub fn wants(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.to_lowercase().contains(&word.to_lowercase()))
    }

    /// How often a measurement is taken.
    pub fn samples(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }
}

/// The CPU engine, then every adapter.
pub fn devices() -> Vec<Device> {
    let gpus = adapters().into_iter().map(Device::Gpu);
    std::iter::once(Device::Cpu { reason: None }).chain(gpus).collect()
}

/// A device, its driver, and how busy the machine is: times mean little without them.
pub fn title(device: &Device) -> String {
    let driver = match device {
        Device::Gpu(adapter) => format!(", {}", adapter.get_info().driver_info),
        Device::Cpu { .. } => String::new(),
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty());
    let load = load.map_or_else(String::new, |load| format!(", load average {load}"));
    format!("{}{driver}{load}", device.name())
}

/// Seconds, measured several times.
#[derive(Clone, Copy)]
pub struct Seconds {
    pub median: f64,
    pub least: f64,
}

impl Seconds {
    pub fn of(mut values: Vec<f64>) -> Seconds {
        values.sort_by(f64::total_cmp);
        Seconds { median: values[values.len() / 2], least: values[0] }
    }
}

/// What one run of some dispatches takes. They are repeated within a submission
/// until the host's part does not count.
pub fn time(
    engine: &mut dyn Engine,
    dispatches: Range<usize>,
    result: View,
    step: &dyn Fn(usize) -> Step,
    options: &Options,
) -> Seconds {
    let goal = Duration::from_millis(if options.quick { 15 } else { 50 }).as_secs_f64();
    let mut each = |times: usize| {
        let steps: Vec<Step> = (0..times).map(step).collect();
        let start = Instant::now();
        let ticket = engine.submit(dispatches.clone(), &steps, result).unwrap();
        engine.wait(ticket).unwrap();
        start.elapsed().as_secs_f64() / times as f64
    };
    // Some drivers compile when a pipeline is first used.
    each(1);
    let mut times = 1;
    // Twice, because a single run is mostly the submission.
    for _ in 0..2 {
        times = ((goal / each(times)) as usize).clamp(1, MAX_STEPS);
    }
    Seconds::of((0..options.samples()).map(|_| each(times)).collect())
}
