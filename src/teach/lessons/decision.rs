//! The picture of a neuron with two inputs: points of two classes, and the
//! line on which its prediction is one half.

use crate::report::page::{Plot, Style};

/// The margin around the points, as a fraction of their range.
const ROOM: f64 = 0.2;

/// A point, and whether it belongs to class 1.
pub type Point = ([f32; 2], bool);

/// Points, and lines given by two weights and a bias. A line that misses the picture is left out.
pub fn plot(title: &str, points: &[Point], lines: &[(&str, [f32; 3])]) -> Plot {
    let class = |wanted: bool| {
        let of = points.iter().filter(move |(_, class)| *class == wanted);
        of.map(|(point, _)| (f64::from(point[0]), f64::from(point[1])))
    };
    let plot = Plot::new(title, "input 1", "input 2").series("class 0", Style::Points, class(false)).series(
        "class 1",
        Style::Points,
        class(true),
    );
    let window = [0, 1].map(|at| side(points.iter().map(|(point, _)| f64::from(point[at]))));
    lines.iter().fold(plot, |plot, (name, weights)| match line(weights, window).as_slice() {
        [] => plot,
        ends => plot.series(*name, Style::Line, ends.iter().copied()),
    })
}

/// The range of an axis that shows zero and these values.
fn side(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let (least, most) =
        values.fold((0.0, 0.0), |(least, most): (f64, f64), value| (least.min(value), most.max(value)));
    let room = if least == most { 1.0 } else { ROOM * (most - least) };
    [least - room, most + room]
}

/// The ends of weight 1 · x + weight 2 · y + bias = 0 in the picture; none if the line misses it.
fn line(weights: &[f32; 3], [x, y]: [[f64; 2]; 2]) -> Vec<(f64, f64)> {
    let [a, b, c] = weights.map(f64::from);
    let inside = |value: f64, [least, most]: [f64; 2]| {
        let slack = 1e-9 * (most - least);
        (least - slack..=most + slack).contains(&value)
    };
    let near = |one: f64, other: f64, [least, most]: [f64; 2]| (one - other).abs() < 1e-9 * (most - least);
    // A line that is parallel to a side makes these infinite or NaN, which is not inside.
    let on_sides = x.map(|x| (x, -(a * x + c) / b)).into_iter();
    let on_ends = y.map(|y| (-(b * y + c) / a, y)).into_iter();
    let mut ends: Vec<(f64, f64)> = Vec::new();
    for (u, v) in on_sides.chain(on_ends) {
        let seen = ends.iter().any(|(s, t)| near(*s, u, x) && near(*t, v, y));
        if inside(u, x) && inside(v, y) && !seen {
            ends.push((u, v));
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: [[f64; 2]; 2] = [[-1.0, 4.0], [-2.0, 3.0]];

    #[test]
    fn the_line_ends_at_the_sides_of_the_picture() {
        // x + y = 1
        assert_eq!(line(&[1.0, 1.0, -1.0], WINDOW), [(-1.0, 2.0), (3.0, -2.0)]);
        // y = 1 and x = 1, which are parallel to sides
        assert_eq!(line(&[0.0, 2.0, -2.0], WINDOW), [(-1.0, 1.0), (4.0, 1.0)]);
        assert_eq!(line(&[2.0, 0.0, -2.0], WINDOW), [(1.0, -2.0), (1.0, 3.0)]);
        // through a corner and its opposite: each end once
        assert_eq!(line(&[1.0, -1.0, -1.0], WINDOW), [(-1.0, -2.0), (4.0, 3.0)]);
    }

    #[test]
    fn a_line_that_misses_the_picture_or_is_none_is_left_out() {
        assert!(line(&[1.0, 1.0, -100.0], WINDOW).is_empty());
        assert!(line(&[0.0, 0.0, 1.0], WINDOW).is_empty());
        assert!(line(&[0.0, 0.0, 0.0], WINDOW).is_empty());
        let points = [([1.0, 2.0], true)];
        let drawn = plot("", &points, &[("", [1.0, 1.0, -1.0]), ("", [0.0; 3])]);
        assert_eq!(drawn.series.len(), 3);
        assert!(drawn.series[0].points.is_empty() && drawn.series[1].points == [(1.0, 2.0)]);
    }

    #[test]
    fn points_on_one_spot_have_a_picture_around_them() {
        let drawn = plot("", &[([0.0, 0.0], false)], &[("", [1.0, 1.0, 0.0])]);
        assert_eq!(drawn.series[2].points.len(), 2);
    }
}
