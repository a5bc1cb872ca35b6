//! The learning-rate finder: a short training at growing learning rates.
//!
//! L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017),
//! section 3.3.

use crate::error::{Error, Result};
use crate::report::page::{Page, Plot, Style};
use crate::train::trainer::{SweepPoint, Trainer};

/// The learning rates that are tried.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The smallest learning rate.
    pub from: f32,
    /// The largest learning rate.
    pub to: f32,
    /// How many learning rates there are, a step at each.
    pub steps: usize,
}

impl Range {
    /// The most steps. More would not change the suggestion.
    pub const MOST_STEPS: usize = 100_000;

    /// Checks the range.
    ///
    /// # Errors
    /// [`Error::Usage`] naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let positive = |x: f32| x.is_finite() && x > 0.0;
        if !(positive(self.from) && positive(self.to) && self.from < self.to) {
            return Err(Error::Usage(format!(
                "⟨from {}⟩ and ⟨to {}⟩ are no range: both must be above 0, and the first the smaller one",
                self.from, self.to
            )));
        }
        if !(Range::LEAST_STEPS..=Range::MOST_STEPS).contains(&self.steps) {
            return Err(Error::Usage(format!(
                "⟨steps⟩ is {}, but it takes a whole number from {} to {}",
                self.steps,
                Range::LEAST_STEPS,
                Range::MOST_STEPS
            )));
        }
        Ok(())
    }

    /// The fewest steps. Fewer losses have no clear minimum.
    const LEAST_STEPS: usize = 20;

    /// The learning rates, each a constant factor above the one before.
    fn rates(&self) -> Vec<f32> {
        let (from, to) = (f64::from(self.from), f64::from(self.to));
        let last = (self.steps - 1) as f64;
        (0..self.steps).map(|at| (from * (to / from).powf(at as f64 / last)) as f32).collect()
    }
}

/// The losses of a sweep, and two of its learning rates.
#[derive(Clone, Debug)]
pub struct Found {
    /// The losses of the steps, up to the one that blew up.
    pub points: Vec<SweepPoint>,
    /// The losses, smoothed.
    pub smooth: Vec<f64>,
    /// The learning rate at which the smoothed loss falls fastest.
    pub steepest: f32,
    /// The learning rate at which the smoothed loss is lowest.
    pub lowest: f32,
}

/// The decay of the smoothed loss from step to step.
const SMOOTHING: f64 = 0.95;
/// The multiple of the lowest smoothed loss that counts as blown up.
const BLOWN_UP: f64 = 4.0;

/// Trains at growing learning rates until the loss blows up.
///
/// # Errors
/// [`Error::Diverged`] when it blows up in the first steps, and [`Error::Device`] when the engine fails.
pub fn find(trainer: &mut Trainer, range: Range) -> Result<Found> {
    range.check()?;
    let (mut points, mut smooth) = (Vec::new(), Vec::new());
    let (mut average, mut lowest) = (0.0, f64::INFINITY);
    trainer.sweep(&range.rates(), &mut |one| {
        if !one.loss.is_finite() {
            return false;
        }
        average = SMOOTHING * average + (1.0 - SMOOTHING) * one.loss;
        points.push(one);
        // The average starts at 0. The division corrects its bias.
        let value = average / (1.0 - SMOOTHING.powi(points.len() as i32));
        smooth.push(value);
        lowest = f64::min(lowest, value);
        value <= BLOWN_UP * lowest
    })?;
    if points.len() < Range::LEAST_STEPS / 2 {
        return Err(Error::Diverged(format!(
            "the loss blew up after {} steps, too few for a suggestion: use a smaller ⟨from⟩ than {}",
            points.len(),
            range.from
        )));
    }
    let at_lowest = (0..smooth.len()).min_by(|a, b| smooth[*a].total_cmp(&smooth[*b])).unwrap_or_default();
    // Rates grow by one factor, so differences are derivatives by their logarithm. The first averages are of few
    // losses, and left out.
    let falls = (smooth.len() / 10 + 1..=at_lowest).map(|at| (at, smooth[at] - smooth[at - 1]));
    let steepest = falls.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(at_lowest, |(at, _)| at);
    let (steepest, lowest) = (points[steepest].rate, points[at_lowest].rate);
    Ok(Found { points, smooth, steepest, lowest })
}

impl Found {
    /// The learning rate to try, in one digit. The loss falls fastest there.
    pub fn suggestion(&self) -> f32 {
        let size = 10f64.powf(f64::from(self.steepest).log10().floor());
        let digits = (f64::from(self.steepest) / size).round();
        // Rounded through its text, so that no binary fraction is left.
        format!("{:e}", digits * size)
            .parse()
            .map_or(self.steepest, |value: f64| format!("{value:.0e}").parse().unwrap_or(self.steepest))
    }

    /// The curve, with the fastest fall marked.
    pub fn page(&self) -> Page {
        let points = |loss: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
            let rate = |at: usize| f64::from(self.points[at].rate).log10();
            (0..self.points.len()).map(|at| (rate(at), loss(at))).collect()
        };
        let at = self.points.iter().position(|one| one.rate == self.steepest).unwrap_or_default();
        let steepest = (f64::from(self.steepest).log10(), self.smooth[at]);
        let mut page = Page::new("Learning rates");
        page.plot(
            Plot::new("loss by learning rate", "log10 of the learning rate", "loss")
                .series("smoothed", Style::Line, points(&|at| self.smooth[at]))
                .series("falls fastest", Style::Points, [steepest]),
        );
        page
    }
}
