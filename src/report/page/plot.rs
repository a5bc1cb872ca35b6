//! Plots as data, and their axes.

use serde_json::{Value, json};

/// The style of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A line without marks.
    Line,
    /// A mark per point.
    Points,
    /// A mark per point, joined in their order.
    Path,
    /// A bar from zero to each point, with a mark at its end.
    Bars,
}

impl Style {
    pub(super) fn has_line(self) -> bool {
        matches!(self, Style::Line | Style::Path)
    }

    pub(super) fn has_marks(self) -> bool {
        self != Style::Line
    }
}

/// A series of points.
#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

/// A picture with two axes.
#[derive(Clone, Debug)]
pub struct Plot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub series: Vec<Series>,
    /// Half of a bar's width, in the units of x.
    pub(super) bar: f64,
}

/// The fraction of a group's width that its bars take.
const FILLED: f64 = 0.8;

impl Plot {
    pub fn new(title: impl Into<String>, x: impl Into<String>, y: impl Into<String>) -> Plot {
        Plot { title: title.into(), x: x.into(), y: y.into(), series: Vec::new(), bar: 0.0 }
    }

    /// Adds groups of bars around 1, 2, 3 …, with a bar from each series, a name and its values.
    #[must_use]
    pub fn bars(mut self, series: &[(String, Vec<f32>)]) -> Plot {
        let room = FILLED / series.len().max(1) as f64;
        self.bar = 0.45 * room;
        series.iter().enumerate().fold(self, |plot, (at, (name, values))| {
            let left = 1.0 - FILLED / 2.0 + (at as f64 + 0.5) * room;
            let points = values.iter().enumerate().map(|(group, y)| (group as f64 + left, f64::from(*y)));
            plot.series(name.clone(), Style::Bars, points)
        })
    }

    /// Adds a series; points that are not finite are left out.
    #[must_use]
    pub fn series(
        mut self,
        name: impl Into<String>,
        style: Style,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Plot {
        let points = points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        self.series.push(Series { name: name.into(), style, points });
        self
    }

    pub(super) fn json(&self) -> Value {
        let series: Vec<Value> =
            self.series.iter().map(|series| json!({"name": series.name, "points": series.points})).collect();
        json!({"title": self.title, "x": self.x, "y": self.y, "series": series})
    }

    /// The horizontal and the vertical axis; without vertical ticks a tight vertical one.
    pub(super) fn axes(&self, ticks: (usize, usize)) -> (Axis, Axis) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for series in &self.series {
            for point in &series.points {
                x.push(point.0);
                y.push(point.1);
                if series.style == Style::Bars {
                    x.extend([point.0 - self.bar, point.0 + self.bar]);
                    y.push(0.0);
                }
            }
        }
        let y = y.into_iter();
        let mut horizontal = Axis::of(x.iter().copied(), ticks.0).tight(x.iter().copied());
        if self.bar > 0.0 {
            // Groups have whole numbers, so no tick is between two.
            horizontal.ticks.retain(|tick| (tick - tick.round()).abs() < 1e-6);
        }
        let vertical = if ticks.1 == 0 { Axis::around(y) } else { Axis::of(y, ticks.1) };
        (horizontal, vertical)
    }
}

/// A range with round ends and round ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub least: f64,
    pub most: f64,
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis around values with about `wanted` ticks.
    pub fn of(values: impl Iterator<Item = f64>, wanted: usize) -> Axis {
        let (least, most) = range(values);
        let tick = round_tick((most / 2.0 - least / 2.0) * 2.0 / wanted.max(1) as f64);
        let (first, last) = ((least / tick + 1e-9).floor(), (most / tick - 1e-9).ceil());
        let ticks = (0..=(last - first) as usize).map(|at| (first + at as f64) * tick).collect();
        Axis { least: first * tick, most: last * tick, ticks }
    }

    /// An axis just around values, with ticks at its ends and at zero.
    pub fn around(values: impl Iterator<Item = f64>) -> Axis {
        let (least, most) = range(values);
        let step = 10f64.powf((most / 2.0 - least / 2.0).log10().floor()) / 5.0;
        let (least, most) = ((least / step + 1e-9).floor() * step, (most / step - 1e-9).ceil() * step);
        let zero = (least < 0.0 && most > 0.0).then_some(0.0);
        Axis { least, most, ticks: [least, most].into_iter().chain(zero).collect() }
    }

    /// This axis without the room between the values and the round ends.
    fn tight(mut self, values: impl Iterator<Item = f64> + Clone) -> Axis {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(f64::NEG_INFINITY, f64::max);
        if most - least > (self.most - self.least) / 2.0 {
            (self.least, self.most) = (least, most);
            // A tick at the end may be off by a rounding error.
            let room = 1e-6 * (most - least);
            self.ticks.retain(|tick| (least - room..=most + room).contains(tick));
        }
        self
    }

    /// The position of a value: 0 at the least, 1 at the most.
    pub fn position(&self, value: f64) -> f64 {
        // Values are halved, so that a range as wide as f64 does not overflow.
        (value / 2.0 - self.least / 2.0) / (self.most / 2.0 - self.least / 2.0)
    }
}

/// The least and the most of values, far enough apart to divide by their difference.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        (least, most) = (least.min(value), most.max(value));
    }
    if least > most {
        return (0.0, 1.0);
    }
    // A single value has no range, and that of neighbours in f64 can't be divided.
    if most - least <= 1e-12 * most.abs().max(least.abs()) || most == least {
        let half = if most == 0.0 { 0.5 } else { most.abs() / 2.0 };
        return (least - half, most + half);
    }
    (least, most)
}

/// 1, 2 or 5 times a power of ten, not below `wanted`.
fn round_tick(wanted: f64) -> f64 {
    let power = 10f64.powf(wanted.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= wanted * 0.999);
    times.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_ends_around_the_values() {
        let axis = Axis::of([0.03, 0.68].into_iter(), 4);
        assert_eq!((axis.least, axis.most), (0.0, 0.8));
        assert_eq!(axis.ticks.len(), 5);
        assert!((axis.position(0.4) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_snug_axis_wastes_little_room() {
        let axis = Axis::around([0.000_235, 0.4489].into_iter());
        assert_eq!((axis.least, axis.ticks.len()), (0.0, 2));
        assert!((0.4489..0.47).contains(&axis.most), "{axis:?}");
        assert_eq!(Axis::around([-2.82, 3.1].into_iter()).ticks[2], 0.0);
    }

    #[test]
    fn no_value_one_value_and_huge_values_have_an_axis() {
        for values in [vec![], vec![0.0], vec![3.0; 4], vec![-1e38, 1e38], vec![1e-40, 2e-40]] {
            for axis in [Axis::of(values.iter().copied(), 4), Axis::around(values.iter().copied())] {
                assert!(axis.least < axis.most && axis.ticks.len() < 20, "{values:?} {axis:?}");
                for value in &values {
                    assert!((-1e-6..=1.000_001).contains(&axis.position(*value)), "{value} {axis:?}");
                }
            }
        }
    }
}
