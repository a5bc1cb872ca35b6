//! The report as lines of a terminal.

use super::machine::{DeviceInfo, MachineInfo};
use super::report::{BenchRow, Group, Measurement};
use super::timing::duration;

/// Columns of a contender's name and of its bar.
const NAME: usize = 22;
const BAR: usize = 16;
/// The number of kernels that a profile names.
const KERNELS: usize = 4;

impl MachineInfo {
    /// The machine in one line.
    pub fn line(&self) -> String {
        let processor = self.processor.as_ref().map_or_else(String::new, |name| format!("{name}, "));
        let load = self.load_average.map_or_else(String::new, |load| format!(", load average {load:.2}"));
        let build = if self.optimised { "" } else { ", built without optimisations: its times mean nothing" };
        format!(
            "machine  {processor}{} cores, {}{load}; wgrad {}, wgpu {}{build}",
            self.cores, self.system, self.wgrad, self.wgpu
        )
    }
}

/// The line below a workload that passes a ceiling.
const ABOVE_CEILING: &str =
    "above 100 %: its data stay in a cache, where they move faster than in the copy that is the ceiling";

/// The devices and their ceilings.
pub fn ceilings(devices: &[DeviceInfo]) -> Vec<String> {
    let mut lines = Vec::new();
    for device in devices {
        let driver = match device.kind {
            "cpu" => "CPU".to_owned(),
            kind => format!("{kind} adapter, {}, {}", device.backend, device.driver),
        };
        lines.push(format!("device   {} ({driver})", device.name));
        lines.push(match &device.ceiling {
            Some(ceiling) => format!(
                "         ceilings, measured now: {:.1} GB/s in a copy, {:.1} GFLOP/s in a product",
                ceiling.copy_gbytes, ceiling.matmul_gflops
            ),
            None => "         it can't be opened, so its ceilings are not known".to_owned(),
        });
    }
    lines
}

/// A workload: a line for each contender, with a bar for its speed relative to the fastest.
pub fn lines(group: &Group) -> Vec<String> {
    let measured = || group.rows.iter().filter_map(|row| row.measured.as_ref());
    let best = measured().map(|measured| measured.seconds.median).fold(f64::INFINITY, f64::min);
    let samples = if group.batch.is_some() { "samples/s" } else { "" };
    let mut lines = vec![
        group.name.clone(),
        format!(
            "  {:<NAME$} {:BAR$} {samples:>10} {:>10} {:>7} {:>8} {:>8} {:>10}",
            "", "", "time", "spread", "GFLOP/s", "ceiling", "dispatch"
        ),
    ];
    for row in &group.rows {
        let name = shortened(&row.contender);
        lines.push(match (&row.measured, &row.left_out) {
            (Some(measured), _) => format!("  {name} {}", line(measured, best)),
            (None, why) => format!("  {name} {}", why.as_deref().unwrap_or("left out")),
        });
    }
    if measured().any(|measured| measured.fraction_of_ceiling.is_some_and(|fraction| fraction >= 1.005)) {
        lines.push(format!("  {ABOVE_CEILING}"));
    }
    let profiles: Vec<String> = group.rows.iter().filter_map(profile).collect();
    if !profiles.is_empty() {
        lines.push("  where the time goes:".to_owned());
        lines.extend(profiles);
    }
    lines
}

fn line(measured: &Measurement, best: f64) -> String {
    let seconds = &measured.seconds;
    let spread = match seconds.measurements {
        1 => "once".to_owned(),
        _ => format!("±{:.0} %", seconds.spread() * 100.0),
    };
    let samples = measured.samples_per_second.map_or_else(String::new, |speed| format!("{speed:.0}"));
    let percent = |fraction: f64| format!("{:.0} %", fraction * 100.0);
    let ceiling = measured.fraction_of_ceiling.map_or_else(String::new, percent);
    format!(
        "{} {samples:>10} {:>10} {spread:>7} {:>8.2} {ceiling:>8} {:>10}",
        bar(best / seconds.median),
        duration(seconds.median),
        measured.gflops,
        duration(measured.seconds_per_dispatch)
    )
}

/// A bar for a fraction from 0 to 1, to an eighth of a character.
fn bar(fraction: f64) -> String {
    const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    let eighths = ((fraction * BAR as f64 * 8.0).round() as usize).clamp(1, BAR * 8);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(PARTS[eighths % 8 - 1]);
    }
    format!("{bar:<BAR$}")
}

/// The kernels that take longest in a contender's training steps.
fn profile(row: &BenchRow) -> Option<String> {
    let measured = row.measured.as_ref().filter(|measured| !measured.profile.is_empty())?;
    let named = measured.profile.iter().take(KERNELS);
    let named: Vec<String> =
        named.map(|row| format!("{} {:.0} %", row.kernel, row.fraction * 100.0)).collect();
    Some(format!("  {} {}", shortened(&row.contender), named.join(", ")))
}

/// A name in exactly [`NAME`] columns.
fn shortened(name: &str) -> String {
    format!("{:<NAME$}", cut(name, NAME))
}

/// A name in `most` characters at the most.
///
/// A number at its end stays.
pub(super) fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let number = name.rsplit_once(" #").map_or("", |(front, _)| &name[front.len()..]);
    let left = most.saturating_sub(number.chars().count() + 1);
    name.chars().take(left).chain(['…']).chain(number.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::WorkKind;
    use super::*;
    use crate::engine::stopwatch::Seconds;

    #[test]
    fn a_ceiling_that_is_passed_is_explained() {
        let explained = |fraction_of_ceiling| {
            let measured = Measurement {
                seconds: Seconds::of(vec![1.0]),
                samples_per_second: None,
                dispatches: 1,
                seconds_per_dispatch: 1.0,
                gflops: 1.0,
                fraction_of_ceiling,
                profile: Vec::new(),
                profiled_steps: 0,
                details: None,
            };
            let row = BenchRow {
                contender: "CPU".to_owned(),
                device: 0,
                plain: false,
                measured: Some(measured),
                left_out: None,
            };
            let (name, kind) = ("sgemm".to_owned(), WorkKind::Sgemm);
            let group = Group { name, kind, network: None, batch: None, rows: vec![row] };
            lines(&group).iter().any(|line| line.trim_start() == ABOVE_CEILING)
        };
        assert_eq!([None, Some(0.4), Some(1.004), Some(1.37)].map(explained), [false, false, false, true]);
    }

    #[test]
    fn a_bar_is_as_long_as_its_fraction_and_never_empty() {
        assert_eq!(bar(1.0), "█".repeat(BAR));
        assert_eq!(bar(0.5).trim_end(), "█".repeat(BAR / 2));
        assert_eq!(bar(1.0 / 128.0).trim_end(), "▏");
        assert_eq!(bar(0.0).trim_end(), "▏");
        assert!([0.0, 0.3, 1.0].iter().all(|fraction| bar(*fraction).chars().count() == BAR));
    }

    #[test]
    fn long_names_are_cut_and_short_ones_are_filled_up() {
        assert_eq!(shortened("GPU"), format!("{:<NAME$}", "GPU"));
        let long = shortened("llvmpipe (LLVM 19.1.7, 256 bits)");
        assert!(long.ends_with('…') && long.chars().count() == NAME, "{long}");
        let numbered = shortened("NVIDIA H100 80GB HBM3 #12");
        assert!(numbered.ends_with("… #12") && numbered.chars().count() == NAME, "{numbered}");
    }
}
