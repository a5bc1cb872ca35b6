//! Profiles as a trace that Perfetto and chrome://tracing open.

use serde_json::{Value, json};

use super::Profile;

/// Lanes of the trace.
const STEPS: u32 = 1;
const DISPATCHES: u32 = 2;

/// Profiles in Chrome's Trace Event Format, each with its title.
///
/// The format: <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.
pub fn trace<'a>(profiles: impl IntoIterator<Item = (String, &'a Profile)>) -> Value {
    let numbered = profiles.into_iter().enumerate();
    let events = numbered.flat_map(|(at, (title, profile))| profile.events(&title, at + 1));
    json!({"displayTimeUnit": "ns", "traceEvents": events.collect::<Vec<_>>()})
}

impl Profile {
    /// The spans as events: a lane of steps, and below it one of dispatches.
    ///
    /// Times are in microseconds from the first span. Title and number tell the profiles of one trace apart.
    fn events(&self, title: &str, number: usize) -> Vec<Value> {
        let name = |kind: &str, lane: u32, name: &str| json!({"name": kind, "ph": "M", "pid": number, "tid": lane, "args": {"name": name}});
        let mut events = vec![
            name("process_name", STEPS, title),
            name("thread_name", STEPS, "steps"),
            name("thread_name", DISPATCHES, "dispatches"),
        ];
        let origin = self.spans.iter().map(|span| span.start).fold(f64::INFINITY, f64::min);
        let microseconds = |seconds: f64| (seconds * 1e9).round() / 1e3;
        let event = |name: &str, lane: u32, start: f64, seconds: f64, args: Value| {
            json!({
                "name": name, "ph": "X", "pid": number, "tid": lane,
                "ts": microseconds(start - origin), "dur": microseconds(seconds), "args": args,
            })
        };
        for step in self.spans.chunks(self.dispatches.len().max(1)) {
            let (Some(first), Some(last)) = (step.first(), step.last()) else { continue };
            let seconds = last.start + last.seconds - first.start;
            events.push(event(&format!("step {}", first.step + 1), STEPS, first.start, seconds, json!({})));
            events.extend(step.iter().map(|span| {
                let work = self.work(span);
                let args = json!({"what": work.label, "flops": work.flops, "bytes": work.bytes});
                event(work.kernel, DISPATCHES, span.start, span.seconds, args)
            }));
        }
        events
    }
}
