//! A profile as a trace that Perfetto and chrome://tracing open.

use serde_json::{Value, json};

use super::{Profile, Span};

/// Lanes of the trace.
const STEPS: u32 = 1;
const DISPATCHES: u32 = 2;

impl Profile {
    /// The spans in Chrome's Trace Event Format, with times in microseconds from the first one: a lane
    /// of steps and below it one of dispatches. `device` is what it calls where they ran.
    ///
    /// The format: <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.
    pub fn trace(&self, device: &str) -> Value {
        let name = |kind: &str, lane: u32, name: &str| json!({"name": kind, "ph": "M", "pid": 1, "tid": lane, "args": {"name": name}});
        let mut events = vec![
            name("process_name", STEPS, &format!("wgrad on {device}")),
            name("thread_name", STEPS, "steps"),
            name("thread_name", DISPATCHES, "dispatches"),
        ];
        let origin = self.spans.iter().map(|span| span.start).fold(f64::INFINITY, f64::min);
        let microseconds = |seconds: f64| (seconds * 1e9).round() / 1e3;
        let event = |name: &str, lane: u32, start: f64, seconds: f64, args: Value| {
            json!({
                "name": name, "ph": "X", "pid": 1, "tid": lane,
                "ts": microseconds(start - origin), "dur": microseconds(seconds), "args": args,
            })
        };
        for step in self.spans.chunks(self.dispatches.len().max(1)) {
            let (Some(first), Some(last)) = (step.first(), step.last()) else { continue };
            let seconds = last.start + last.seconds - first.start;
            let title = format!("step {}", first.step + 1);
            events.push(event(&title, STEPS, first.start, seconds, json!({})));
            events.extend(step.iter().map(|span| self.event_of(span, &event)));
        }
        json!({"displayTimeUnit": "ns", "traceEvents": events})
    }

    fn event_of(&self, span: &Span, event: &dyn Fn(&str, u32, f64, f64, Value) -> Value) -> Value {
        let work = self.work(span);
        let args = json!({"what": work.label, "flops": work.flops, "bytes": work.bytes});
        event(work.kernel, DISPATCHES, span.start, span.seconds, args)
    }
}
