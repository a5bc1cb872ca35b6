//! The learning-rate finder: a short training at growing learning rates, and the one that its losses suggest.
//!
//! L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017),
//! section 3.3.

use crate::error::{Error, Result};
use crate::report::page::{Page, Plot, Style};
use crate::train::trainer::{Trainer, Tried};

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
    /// The most steps: more tell no more.
    pub const MOST_STEPS: usize = 100_000;

    /// Checks that the range can be gone through.
    ///
    /// # Errors
    /// [`Error::Usage`] naming what is wrong.
    pub fn check(&self) -> Result<()> {
        let positive = |x: f32| x.is_finite() && x > 0.0;
        if !(positive(self.from) && positive(self.to) && self.from < self.to) {
            return Err(Error::Usage(format!(
                "⟨from {}⟩ and ⟨to {}⟩ are no range: both are above 0, and the first is the smaller",
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

    /// The fewest steps: fewer losses have no slope to speak of.
    const LEAST_STEPS: usize = 20;

    /// The learning rates, each a constant factor above the one before.
    fn rates(&self) -> Vec<f32> {
        let (from, to) = (f64::from(self.from), f64::from(self.to));
        let last = (self.steps - 1) as f64;
        (0..self.steps).map(|at| (from * (to / from).powf(at as f64 / last)) as f32).collect()
    }
}

/// The losses, and the learning rates that stand out.
#[derive(Clone, Debug)]
pub struct Found {
    /// The losses as they came, up to where they blew up.
    pub tried: Vec<Tried>,
    /// The losses, smoothed.
    pub smooth: Vec<f64>,
    /// The learning rate at which the smoothed loss falls fastest.
    pub steepest: f32,
    /// The learning rate at which it is lowest.
    pub lowest: f32,
}

/// The fraction of the smoothed loss that is kept from step to step.
const SMOOTHING: f64 = 0.95;
/// A smoothed loss of so many times the lowest has blown up.
const BLOWN_UP: f64 = 4.0;

/// Trains at growing learning rates until the loss blows up.
///
/// # Errors
/// [`Error::Diverged`] when it does so before there is anything to tell, and when the engine fails.
pub fn find(trainer: &mut Trainer, range: Range) -> Result<Found> {
    range.check()?;
    let (mut tried, mut smooth) = (Vec::new(), Vec::new());
    let (mut average, mut lowest) = (0.0, f64::INFINITY);
    trainer.sweep(&range.rates(), &mut |one| {
        if !one.loss.is_finite() {
            return false;
        }
        average = SMOOTHING * average + (1.0 - SMOOTHING) * one.loss;
        tried.push(one);
        // The average starts at 0, which the division makes up for.
        let value = average / (1.0 - SMOOTHING.powi(tried.len() as i32));
        smooth.push(value);
        lowest = f64::min(lowest, value);
        value <= BLOWN_UP * lowest
    })?;
    if tried.len() < Range::LEAST_STEPS / 2 {
        return Err(Error::Diverged(format!(
            "the loss blew up after {} steps, before it could say anything: take a smaller ⟨from⟩ than {}",
            tried.len(),
            range.from
        )));
    }
    let at_lowest = (0..smooth.len()).min_by(|a, b| smooth[*a].total_cmp(&smooth[*b])).unwrap_or_default();
    // Rates grow by one factor, so that differences are slopes over their logarithm. The first
    // averages are of few losses and say little.
    let slopes = (smooth.len() / 10 + 1..=at_lowest).map(|at| (at, smooth[at] - smooth[at - 1]));
    let steepest = slopes.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(at_lowest, |(at, _)| at);
    let (steepest, lowest) = (tried[steepest].rate, tried[at_lowest].rate);
    Ok(Found { tried, smooth, steepest, lowest })
}

impl Found {
    /// The learning rate to try: where the loss falls fastest, in one digit.
    pub fn suggestion(&self) -> f32 {
        let size = 10f64.powf(f64::from(self.steepest).log10().floor());
        let digits = (f64::from(self.steepest) / size).round();
        // By its text, so that no binary fraction is left over.
        format!("{:e}", digits * size)
            .parse()
            .map_or(self.steepest, |value: f64| format!("{value:.0e}").parse().unwrap_or(self.steepest))
    }

    /// The curve, and what it says.
    pub fn page(&self) -> Page {
        let points = |loss: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
            let rate = |at: usize| f64::from(self.tried[at].rate).log10();
            (0..self.tried.len()).map(|at| (rate(at), loss(at))).collect()
        };
        let at = self.tried.iter().position(|one| one.rate == self.steepest).unwrap_or_default();
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
