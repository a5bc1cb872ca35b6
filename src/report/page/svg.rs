//! Plots as one SVG without scripts or outside files, readable on light and dark.

use std::fmt::Write as _;

use super::number::number;
use super::plot::{Axis, Plot, Series, Style};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
/// Margins of the drawing: left, right, above, below.
const ROOM: (f64, f64, f64, f64) = (76.0, 20.0, 64.0, 52.0);

/// Colours of series, which differ in lightness too.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}
.paper{fill:#fff}.axis{stroke:#666;fill:none}.grid{stroke:#ddd}
.line{fill:none;stroke-width:2}.mark{stroke-width:2}.bar{fill-opacity:.3}
.s0{stroke:#0b62b8}.s1{stroke:#c2410c}.s2{stroke:#15803d}.s3{stroke:#7e22ce}.s4{stroke:#a16207}.s5{stroke:#be185d}
.m0{fill:#0b62b8}.m1,.m2,.m3,.m5{fill:none}.m4{fill:#a16207}
.f0{fill:#0b62b8}.f1{fill:#c2410c}.f2{fill:#15803d}.f3{fill:#7e22ce}.f4{fill:#a16207}.f5{fill:#be185d}
.s1.line{stroke-dasharray:7 4}.s2.line{stroke-dasharray:2 4}.s3.line{stroke-dasharray:9 3 2 3}
@media(prefers-color-scheme:dark){text{fill:#e5e5e5}.paper{fill:#16181d}.axis{stroke:#aaa}.grid{stroke:#333}
.s0{stroke:#6cb6ff}.s1{stroke:#ffa657}.s2{stroke:#7ee787}.s3{stroke:#d2a8ff}.s4{stroke:#e3b341}.s5{stroke:#ff9bce}
.m0{fill:#6cb6ff}.m4{fill:#e3b341}
.f0{fill:#6cb6ff}.f1{fill:#ffa657}.f2{fill:#7ee787}.f3{fill:#d2a8ff}.f4{fill:#e3b341}.f5{fill:#ff9bce}}";

/// All plots in one picture, one below the other.
pub fn render(plots: &[&Plot]) -> String {
    let height = HEIGHT * plots.len() as f64;
    let titles: Vec<&str> = plots.iter().map(|plot| plot.title.as_str()).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{label}\">\n<style>\n{STYLE}\n</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        label = escape(&titles.join("; "))
    );
    for (at, plot) in plots.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", at as f64 * HEIGHT);
        draw(&mut svg, plot);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// The scales of a drawing: data to picture coordinates.
struct Frame {
    x: Axis,
    y: Axis,
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        ROOM.0 + self.x.position(value) * (WIDTH - ROOM.0 - ROOM.1)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - ROOM.3 - self.y.position(value) * (HEIGHT - ROOM.2 - ROOM.3)
    }
}

fn draw(svg: &mut String, plot: &Plot) {
    let (x, y) = plot.axes((6, 5));
    let frame = Frame { x, y };
    axes(svg, plot, &frame);
    for (at, series) in plot.series.iter().enumerate() {
        if series.style == Style::Bars {
            bars(svg, plot, series, at % 6, &frame);
        }
        draw_series(svg, series, at % 6, &frame);
    }
    legend(svg, plot);
}

fn axes(svg: &mut String, plot: &Plot, frame: &Frame) {
    let (left, right, top, bottom) = (ROOM.0, WIDTH - ROOM.1, ROOM.2, HEIGHT - ROOM.3);
    text(svg, left, 24.0, "title", "start", &plot.title);
    for tick in &frame.x.ticks {
        let x = frame.x(*tick);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>");
        text(svg, x, bottom + 18.0, "tick", "middle", &number(*tick));
    }
    for tick in &frame.y.ticks {
        let y = frame.y(*tick);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>");
        text(svg, left - 8.0, y + 4.0, "tick", "end", &number(*tick));
    }
    let _ = writeln!(svg, "<path class=\"axis\" d=\"M{left} {top}V{bottom}H{right}\"/>");
    text(svg, f64::midpoint(left, right), HEIGHT - 12.0, "label", "middle", &plot.x);
    let middle = f64::midpoint(top, bottom);
    let _ = writeln!(
        svg,
        "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(16 {middle}) rotate(-90)\">{}</text>",
        escape(&plot.y)
    );
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, anchor: &str, content: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
        escape(content)
    );
}

fn draw_series(svg: &mut String, series: &Series, class: usize, frame: &Frame) {
    let points: Vec<(f64, f64)> =
        series.points.iter().map(|point| (frame.x(point.0), frame.y(point.1))).collect();
    if series.style.has_line() && points.len() > 1 {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let _ = writeln!(svg, "<path class=\"line s{class}\" d=\"M{}\"/>", path.join("L"));
    }
    if series.style.has_marks() {
        points.iter().for_each(|point| mark(svg, *point, class));
    }
}

fn bars(svg: &mut String, plot: &Plot, series: &Series, class: usize, frame: &Frame) {
    let zero = frame.y(0.0);
    for (x, y) in &series.points {
        let (left, right, end) = (frame.x(x - plot.bar), frame.x(x + plot.bar), frame.y(*y));
        let (top, height, width) = (end.min(zero), (end - zero).abs(), right - left);
        let _ = writeln!(
            svg,
            "<rect class=\"bar s{class} f{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\"/>"
        );
    }
}

/// The marks of the terminal, as shapes.
fn mark(svg: &mut String, (x, y): (f64, f64), class: usize) {
    let (left, right, up, down) = (x - 4.0, x + 4.0, y - 4.0, y + 4.0);
    let shape = match class {
        0 | 1 => format!("<circle class=\"mark s{class} m{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
        _ => {
            let path = match class {
                2 => {
                    format!("M{left:.1} {up:.1}L{right:.1} {down:.1}M{left:.1} {down:.1}L{right:.1} {up:.1}")
                }
                3 => format!("M{left:.1} {y:.1}H{right:.1}M{x:.1} {up:.1}V{down:.1}"),
                _ => format!("M{x:.1} {up:.1}L{right:.1} {y:.1}L{x:.1} {down:.1}L{left:.1} {y:.1}Z"),
            };
            format!("<path class=\"mark s{class} m{class}\" d=\"{path}\"/>")
        }
    };
    svg.push_str(&shape);
    svg.push('\n');
}

/// The legend, in a line below the title.
fn legend(svg: &mut String, plot: &Plot) {
    let mut x = ROOM.0;
    for (at, series) in plot.series.iter().enumerate() {
        let class = at % 6;
        if series.style.has_line() {
            let _ = writeln!(svg, "<path class=\"line s{class}\" d=\"M{x:.1} 45h24\"/>");
        }
        if series.style.has_marks() {
            mark(svg, (x + 12.0, 45.0), class);
        }
        text(svg, x + 30.0, 49.0, "legend", "start", &series.name);
        // Without a font to measure, letters count as 7 wide.
        x += 46.0 + 7.0 * series.name.chars().count() as f64;
    }
}

/// Text, escaped for XML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
