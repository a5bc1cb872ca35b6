//! Plots in a terminal: lines as braille dots, points as marks, labelled axes.

use super::number::number;
use super::plot::{Axis, Plot, Series, Style};
use super::table::width;

/// A mark for each series, distinct without colour.
pub(super) const MARKS: [char; 6] = ['●', '○', '×', '+', '◆', '◇'];

/// Dots of a braille character, by row and column.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Characters that can be drawn on.
struct TextCanvas {
    columns: usize,
    rows: usize,
    dots: Vec<u32>,
    marks: Vec<Option<char>>,
}

impl TextCanvas {
    fn new(columns: usize, rows: usize) -> TextCanvas {
        TextCanvas { columns, rows, dots: vec![0; columns * rows], marks: vec![None; columns * rows] }
    }

    /// The dot at a position from 0 to 1, from the left and from below.
    fn dot_at(&self, (x, y): (f64, f64)) -> (i64, i64) {
        let (wide, high) = (self.columns as f64 * 2.0 - 1.0, self.rows as f64 * 4.0 - 1.0);
        ((x * wide).round() as i64, ((1.0 - y) * high).round() as i64)
    }

    fn cell(&self, (x, y): (i64, i64)) -> Option<usize> {
        let (column, row) = (usize::try_from(x / 2).ok()?, usize::try_from(y / 4).ok()?);
        (column < self.columns && row < self.rows && x >= 0 && y >= 0).then_some(row * self.columns + column)
    }

    fn dot(&mut self, (x, y): (i64, i64)) {
        if let Some(cell) = self.cell((x, y)) {
            self.dots[cell] |= DOTS[(y % 4) as usize][(x % 2) as usize];
        }
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let (from, to) = (self.dot_at(from), self.dot_at(to));
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
        for step in 0..=steps {
            let between =
                |from: i64, to: i64| from + ((to - from) as f64 * step as f64 / steps as f64).round() as i64;
            self.dot((between(from.0, to.0), between(from.1, to.1)));
        }
    }

    fn fill(&mut self, from: (f64, f64), to: (f64, f64)) {
        let (from, to) = (self.dot_at(from), self.dot_at(to));
        for x in from.0.min(to.0)..=from.0.max(to.0) {
            (from.1.min(to.1)..=from.1.max(to.1)).for_each(|y| self.dot((x, y)));
        }
    }

    fn mark(&mut self, at: (f64, f64), mark: char) {
        if let Some(cell) = self.cell(self.dot_at(at)) {
            self.marks[cell] = Some(mark);
        }
    }

    fn row(&self, row: usize) -> String {
        let cells = row * self.columns..(row + 1) * self.columns;
        let character = |cell: usize| match (self.marks[cell], self.dots[cell]) {
            (Some(mark), _) => mark,
            (None, 0) => ' ',
            (None, dots) => char::from_u32(0x2800 + dots).unwrap_or(' '),
        };
        cells.map(character).collect()
    }
}

/// Draws a plot in `columns` columns, with `height` lines for the drawing itself.
///
/// If `short`, the legend goes into the line of the title.
pub(super) fn draw(plot: &Plot, columns: usize, height: usize, short: bool) -> Vec<String> {
    let ticks = match height {
        _ if short => 0,
        ..10 => 2,
        _ => 4,
    };
    let (x, y) = plot.axes((4, ticks));
    let labels: Vec<String> = y.ticks.iter().map(|tick| number(*tick)).collect();
    let left = labels.iter().map(|label| width(label)).max().unwrap_or_default();
    let mut canvas = TextCanvas::new(columns.saturating_sub(left + 4), height);
    for (at, series) in plot.series.iter().enumerate() {
        draw_series(&mut canvas, plot, series, (&x, &y));
        mark_series(&mut canvas, plot, (at, series), (&x, &y));
    }
    let mut drawn = vec![format!("{} ({} against {})", plot.title, plot.y, plot.x)];
    for row in 0..height {
        let label = label_of(&canvas, &y, &labels, row);
        let edge = if label.is_empty() { '│' } else { '┤' };
        drawn.push(format!("  {label:>left$} {edge}{}", canvas.row(row)).trim_end().to_owned());
    }
    drawn.extend(horizontal(&canvas, &x, left));
    let Some(legend) = legend(plot) else { return drawn };
    // The title names a single series.
    if short && plot.series.len() == 1 {
        return drawn;
    }
    if short && width(&drawn[0]) + width(&legend) <= columns {
        drawn[0].push_str(&legend);
    } else {
        drawn.push(legend);
    }
    drawn
}

fn draw_series(canvas: &mut TextCanvas, plot: &Plot, series: &Series, (x, y): (&Axis, &Axis)) {
    if series.style.has_line() {
        let points: Vec<(f64, f64)> =
            series.points.iter().map(|point| (x.position(point.0), y.position(point.1))).collect();
        points.windows(2).for_each(|pair| canvas.line(pair[0], pair[1]));
    }
    if series.style == Style::Bars {
        let zero = y.position(0.0);
        for point in &series.points {
            let (left, right) = (x.position(point.0 - plot.bar), x.position(point.0 + plot.bar));
            canvas.fill((left, zero), (right, y.position(point.1)));
        }
    }
}

fn mark_series(canvas: &mut TextCanvas, plot: &Plot, (at, series): (usize, &Series), (x, y): (&Axis, &Axis)) {
    if !series.style.has_marks() && lines(plot) < 2 {
        return;
    }
    // Lines look alike, so several lines carry their marks at intervals.
    let every = if series.style.has_marks() { 1 } else { series.points.len().div_ceil(6).max(1) };
    for point in series.points.iter().step_by(every) {
        canvas.mark((x.position(point.0), y.position(point.1)), MARKS[at % MARKS.len()]);
    }
}

/// Whether series are lines without marks.
fn lines(plot: &Plot) -> usize {
    plot.series.iter().filter(|series| !series.style.has_marks()).count()
}

/// The label of the tick in this row.
fn label_of<'a>(canvas: &TextCanvas, axis: &Axis, labels: &'a [String], row: usize) -> &'a str {
    let row_of = |tick: &f64| canvas.dot_at((0.0, axis.position(*tick))).1 / 4;
    let at = axis.ticks.iter().position(|tick| row_of(tick) == row as i64);
    at.map_or("", |at| &labels[at])
}

/// The horizontal axis and its labels, each centred below its tick.
fn horizontal(canvas: &TextCanvas, axis: &Axis, left: usize) -> [String; 2] {
    let indent = left + 4;
    let mut line: Vec<char> = vec!['─'; canvas.columns];
    let mut labels: Vec<char> = vec![' '; indent + canvas.columns];
    let mut free = 0;
    for tick in &axis.ticks {
        let column = (canvas.dot_at((axis.position(*tick), 0.0)).0 / 2) as usize;
        let label: Vec<char> = number(*tick).chars().collect();
        let most = labels.len().saturating_sub(label.len());
        let start = (indent + column).saturating_sub(label.len() / 2).min(most);
        if start < free || column >= line.len() {
            continue;
        }
        line[column] = '┬';
        labels[start..start + label.len()].copy_from_slice(&label);
        free = start + label.len() + 2;
    }
    let line: String = line.into_iter().collect();
    let labels: String = labels.into_iter().collect();
    [format!("  {:>left$} └{line}", ""), labels.trim_end().to_owned()]
}

/// The legend: each mark with the name of its series.
fn legend(plot: &Plot) -> Option<String> {
    let several = lines(plot) > 1;
    let entry = |(at, series): (usize, &Series)| {
        let mark = if series.style.has_marks() || several { MARKS[at % MARKS.len()] } else { '⠒' };
        format!("{mark} {}", series.name)
    };
    let entries: Vec<String> = plot.series.iter().enumerate().map(entry).collect();
    (!entries.is_empty()).then(|| format!("  {}", entries.join("   ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_keeps_its_width_and_height_and_shows_both_ends() {
        let plot = Plot::new("a line", "x", "y").series("y = x", Style::Path, [(0.0, 0.0), (1.0, 1.0)]);
        let drawn = draw(&plot, 40, 8, false);
        assert_eq!(drawn.len(), 1 + 8 + 2 + 1);
        assert!(drawn.iter().all(|line| width(line) <= 40), "{drawn:#?}");
        assert!(drawn[1].ends_with('●') && drawn[8].contains("┤●"), "{drawn:#?}");
    }

    #[test]
    fn nothing_and_one_point_can_be_drawn() {
        for points in [vec![], vec![(f64::NAN, 1.0)], vec![(2.0, 2.0)]] {
            let plot = Plot::new("few", "x", "y").series("points", Style::Points, points);
            assert_eq!(draw(&plot, 60, 6, false).len(), 10);
        }
    }

    #[test]
    fn bars_reach_from_zero_to_their_value_both_ways() {
        let series = [("up".to_owned(), vec![2.0, 1.0]), ("down".to_owned(), vec![-2.0, 0.0])];
        let plot = Plot::new("bars", "game", "y").bars(&series);
        let drawn = draw(&plot, 40, 8, false);
        let full = |row: &&String| row.contains('⣿');
        assert!(drawn[1].contains('●') && drawn[8].contains('○'), "{drawn:#?}");
        assert!(drawn[2..8].iter().all(|row| full(&row)), "{drawn:#?}");
        // A bar of half the height begins at half the height.
        assert!(!drawn[2].trim_end().ends_with('●') && drawn[3].matches('●').count() == 1, "{drawn:#?}");
    }

    #[test]
    fn a_short_plot_has_its_legend_in_the_title_line() {
        let one = Plot::new("a", "x", "y").series("one", Style::Line, [(0.0, 0.0), (1.0, 1.0)]);
        assert_eq!(draw(&one, 60, 4, true).len(), 1 + 4 + 2);
        let two = one.series("two", Style::Points, [(0.5, 0.5)]);
        let drawn = draw(&two, 60, 4, true);
        assert!(drawn.len() == 1 + 4 + 2 && drawn[0].contains("⠒ one   ○ two"), "{drawn:#?}");
        assert_eq!(draw(&two, 20, 4, true).len(), 1 + 4 + 2 + 1);
    }
}
