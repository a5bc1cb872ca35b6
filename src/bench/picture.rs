//! The report as one SVG of bars: no scripts, no outside files, readable on light and dark.

use std::fmt::Write as _;

use super::report::{BenchReport, BenchRow, Group};
use super::text::cut;
use super::timing::duration;
use crate::report::page::svg::escape;

const WIDTH: f64 = 860.0;
/// The left end and the length of the longest bar.
///
/// Numbers are to the right of it.
const LEFT: f64 = 230.0;
const LONGEST: f64 = 340.0;
/// The heights of the head, of a title and of a bar with its margins.
const TOP: f64 = 84.0;
const TITLE: f64 = 34.0;
const BAR: f64 = 22.0;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600}.head{font-weight:600;font-size:16px}
.paper{fill:#fff}.quiet{fill:#666}.plain{fill:#9ca3af}.cpu{fill:#0b62b8}.gpu{fill:#c2410c}
@media(prefers-color-scheme:dark){text{fill:#e5e5e5}.paper{fill:#16181d}.quiet{fill:#aaa}
.plain{fill:#6b7280}.cpu{fill:#6cb6ff}.gpu{fill:#ffa657}}";

/// Draws a report.
pub fn svg(report: &BenchReport) -> String {
    let bars: usize = report.groups.iter().map(|group| group.rows.len()).sum();
    let verdict = wrapped(&report.verdict);
    let body = TOP + report.groups.len() as f64 * TITLE + bars as f64 * BAR;
    let height = body + 24.0 + verdict.len() as f64 * 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"wgrad bench\">\n<style>\n{STYLE}\n</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    text(&mut svg, 16.0, 28.0, "head", "wgrad bench: longer bars are faster");
    let machine = &report.machine;
    let processor = machine.processor.as_deref().unwrap_or("processor unknown");
    let line = format!("{processor}, {} cores, {}; wgrad {}", machine.cores, machine.system, machine.wgrad);
    text(&mut svg, 16.0, 50.0, "quiet", &line);
    let names: Vec<String> =
        report.devices.iter().map(|device| format!("{} {}", device.name, device.driver)).collect();
    text(&mut svg, 16.0, 70.0, "quiet", names.join("; ").trim());
    let mut y = TOP;
    for group in &report.groups {
        text(&mut svg, 16.0, y + 22.0, "title", &group.name);
        y += TITLE;
        for row in &group.rows {
            draw(&mut svg, group, row, y);
            y += BAR;
        }
    }
    for (at, line) in verdict.iter().enumerate() {
        text(&mut svg, 16.0, y + 28.0 + at as f64 * 20.0, "title", line);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, group: &Group, row: &BenchRow, y: f64) {
    text(svg, 32.0, y + 14.0, "", &cut(&row.contender, 28));
    let Some(measured) = &row.measured else {
        text(svg, LEFT, y + 14.0, "quiet", row.left_out.as_deref().unwrap_or("left out"));
        return;
    };
    let medians = group.rows.iter().filter_map(|row| row.measured.as_ref());
    let best = medians.map(|measured| measured.seconds.median).fold(f64::INFINITY, f64::min);
    let length = (LONGEST * best / measured.seconds.median).max(1.0);
    let class = match (row.plain, row.contender == "CPU engine") {
        (true, _) => "plain",
        (false, true) => "cpu",
        (false, false) => "gpu",
    };
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"15\" rx=\"2\"/>",
        y + 2.0
    );
    let speed = match measured.samples_per_second {
        Some(speed) => format!("{speed:.0} samples/s"),
        None => format!("{:.1} GFLOP/s", measured.gflops),
    };
    let fraction = measured.fraction_of_ceiling;
    let fraction =
        fraction.map_or_else(String::new, |fraction| format!(", {:.0} % of the ceiling", fraction * 100.0));
    let numbers = format!("{speed}, {}{fraction}", duration(measured.seconds.median));
    text(svg, LEFT + length + 8.0, y + 14.0, "", &numbers);
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, content: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(content));
}

/// Text in lines that fit the picture, counted in characters.
fn wrapped(text: &str) -> Vec<String> {
    const MOST: usize = 112;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + word.chars().count() >= MOST {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}
