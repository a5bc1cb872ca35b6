//! A profile as a table.

use serde::Serialize;

use super::{DispatchNeeds, Profile, Span};

/// The total of one kernel, or of one dispatch of every step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProfileRow {
    /// The name of the kernel; on the CPU engine that of its twin.
    pub kernel: &'static str,
    /// The purpose of the dispatch; empty in a row for a kernel.
    pub what: String,
    /// The number of dispatches.
    pub calls: usize,
    /// The time of all calls, in seconds.
    pub seconds: f64,
    /// The fraction of the time of all dispatches, from 0 to 1.
    pub fraction: f64,
    /// Floating-point operations of all calls, by the kernel table.
    pub flops: f64,
    /// Bytes read and written by all calls, by the kernel table.
    pub bytes: f64,
}

impl ProfileRow {
    /// Seconds per call.
    pub fn mean(&self) -> f64 {
        self.seconds / self.calls.max(1) as f64
    }

    /// 10⁹ floating-point operations per second; 0 where the time is 0.
    pub fn gflops(&self) -> f64 {
        billions_per_second(self.flops, self.seconds)
    }

    /// 10⁹ bytes per second; 0 where the time is 0.
    pub fn gbytes(&self) -> f64 {
        billions_per_second(self.bytes, self.seconds)
    }

    fn add(&mut self, span: &Span, work: &DispatchNeeds) {
        self.calls += 1;
        self.seconds += span.seconds;
        self.flops += work.flops as f64;
        self.bytes += work.bytes as f64;
    }
}

/// 10⁹ units per second; 0 where the time is 0.
fn billions_per_second(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds * 1e-9 } else { 0.0 }
}

impl Profile {
    /// A row for each kernel, the slowest first.
    pub fn by_kernel(&self) -> Vec<ProfileRow> {
        self.rows(|work| (work.kernel, String::new()))
    }

    /// A row for each kernel and purpose, the slowest first.
    pub fn by_dispatch(&self) -> Vec<ProfileRow> {
        self.rows(|work| (work.kernel, work.label.clone()))
    }

    fn rows(&self, name: impl Fn(&DispatchNeeds) -> (&'static str, String)) -> Vec<ProfileRow> {
        let mut rows: Vec<ProfileRow> = Vec::new();
        let skipped = if self.leaves_out_the_first() { self.dispatches.len() } else { 0 };
        for span in self.spans.iter().skip(skipped) {
            let work = self.work(span);
            let (kernel, what) = name(work);
            let at = rows.iter().position(|row| row.kernel == kernel && row.what == what);
            let at = at.unwrap_or_else(|| {
                let empty = ProfileRow {
                    kernel,
                    what,
                    calls: 0,
                    seconds: 0.0,
                    fraction: 0.0,
                    flops: 0.0,
                    bytes: 0.0,
                };
                rows.push(empty);
                rows.len() - 1
            });
            rows[at].add(span, work);
        }
        let total: f64 = rows.iter().map(|row| row.seconds).sum();
        if total > 0.0 {
            rows.iter_mut().for_each(|row| row.fraction = row.seconds / total);
        }
        rows.sort_by(|one, two| two.seconds.total_cmp(&one.seconds));
        rows
    }

    /// The table by kernel, and below it the dispatches that take longest.
    pub fn table(&self) -> Vec<String> {
        let head = |name: &str| {
            format!(
                "{name:<26} {:>7} {:>10} {:>10} {:>6} {:>9} {:>8}",
                "calls", "total ms", "mean µs", "% time", "GFLOP/s", "GB/s"
            )
        };
        let rows = self.by_kernel();
        let mut lines = vec![head("kernel")];
        lines.extend(rows.iter().map(|row| line(row.kernel, row)));
        let (calls, seconds) = (rows.iter().map(|row| row.calls).sum::<usize>(), seconds_of(&rows));
        lines.push(format!("{:<26} {calls:>7} {:>10.3}", "total", seconds * 1e3));
        let dispatches = self.by_dispatch();
        // If every kernel is used once, the rows would be the same again.
        if dispatches.len() > rows.len() {
            lines.push(head("longest dispatches"));
            let longest = dispatches.iter().take(LONGEST);
            lines.extend(longest.map(|row| format!("{}  {}", line(row.kernel, row), row.what)));
        }
        lines
    }

    /// The steps of the table and its clock, in one sentence.
    pub fn caption(&self) -> String {
        let (steps, dispatches) = (self.steps(), self.dispatches.len());
        let first = if self.leaves_out_the_first() {
            "; the first one is left out of the table, because it warms up"
        } else {
            ""
        };
        let plural = if steps == 1 { "step" } else { "steps" };
        format!("{steps} {plural} of {dispatches} dispatches{first}; times are {}", self.clock.meaning())
    }
}

/// The number of dispatches in the lower part of the table.
const LONGEST: usize = 8;

fn seconds_of(rows: &[ProfileRow]) -> f64 {
    rows.iter().map(|row| row.seconds).sum()
}

fn line(name: &str, row: &ProfileRow) -> String {
    // The speed of a kernel that only does bookkeeping means nothing.
    let positive = |speed: f64| if speed >= 0.005 { format!("{speed:.2}") } else { "–".to_owned() };
    format!(
        "{name:<26} {:>7} {:>10.3} {:>10.1} {:>5.1}% {:>9} {:>8}",
        row.calls,
        row.seconds * 1e3,
        row.mean() * 1e6,
        row.fraction * 100.0,
        positive(row.gflops()),
        positive(row.gbytes())
    )
}
