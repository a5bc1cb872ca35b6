//! The settings of the lessons.

use crate::data::Reading;
use crate::error::{Error, Result};
use crate::report::page::number::count;

/// The most iterations of a lesson.
pub const MOST_ITERATIONS: usize = 100_000;

/// The most numbers of a vector.
pub const MOST_NUMBERS: usize = 1_000;

/// The most iterations times numbers of the longest vector: each takes about 700 bytes.
const MOST_KEPT: usize = 300_000;

/// A setting of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Alpha,
    Step,
    Iterations,
    Input,
    Weights,
    Goal,
    Seed,
    Data,
}

impl Setting {
    /// Its name.
    pub fn key(self) -> &'static str {
        match self {
            Setting::Alpha => "alpha",
            Setting::Step => "step",
            Setting::Iterations => "iterations",
            Setting::Input => "input",
            Setting::Weights => "weights",
            Setting::Goal => "goal",
            Setting::Seed => "seed",
            Setting::Data => "data",
        }
    }

    /// Its name, marked for messages as [`crate::error`] says.
    pub fn mark(self) -> String {
        format!("⟨{}⟩", self.key())
    }

    /// An error about its value.
    pub fn error(self, problem: impl Into<String>) -> Error {
        Error::Setting { key: self.key(), problem: problem.into() }
    }
}

/// The settings as given; a lesson has defaults for the others.
#[derive(Clone, Debug, Default)]
pub struct LessonOptions {
    /// The factor of each weight_delta.
    pub alpha: Option<f32>,
    /// The length of a weight's step in hot and cold learning.
    pub step: Option<f32>,
    pub iterations: Option<usize>,
    pub input: Option<Vec<f32>>,
    /// The weights; for several outputs one row after the other.
    pub weights: Option<Vec<f32>>,
    pub goal: Option<Vec<f32>>,
    pub seed: Option<u64>,
    /// A data set, as `wgrad train` takes it.
    pub data: Option<String>,
    /// How its pictures are read.
    pub reading: Reading,
}

impl LessonOptions {
    /// Checks the range of each setting.
    ///
    /// # Errors
    /// [`Error::Setting`] with the range.
    pub fn check(&self) -> Result<()> {
        let single = |value: &Option<f32>| value.iter().copied().collect::<Vec<f32>>();
        finite(Setting::Alpha, &single(&self.alpha))?;
        finite(Setting::Step, &single(&self.step))?;
        if self.step.is_some_and(|step| step <= 0.0) {
            return Err(Setting::Step.error("⟨step⟩ must be above 0"));
        }
        if self.iterations.is_some_and(|count| !(1..=MOST_ITERATIONS).contains(&count)) {
            let problem = format!("⟨iterations⟩ must be a whole number from 1 to {MOST_ITERATIONS}");
            return Err(Setting::Iterations.error(problem));
        }
        for (setting, vector) in
            [(Setting::Input, &self.input), (Setting::Weights, &self.weights), (Setting::Goal, &self.goal)]
        {
            let Some(vector) = vector else { continue };
            if !(1..=MOST_NUMBERS).contains(&vector.len()) {
                return Err(
                    setting.error(format!("{} must have 1 to {MOST_NUMBERS} numbers", setting.mark()))
                );
            }
            finite(setting, vector)?;
        }
        self.bounded()
    }

    /// Checks the memory that the iterations take, as each is kept with all of its numbers.
    fn bounded(&self) -> Result<()> {
        let vectors = [&self.input, &self.weights, &self.goal];
        let numbers = vectors.into_iter().flatten().map(Vec::len).max().unwrap_or(1);
        let iterations = self.iterations.unwrap_or_default();
        match iterations.saturating_mul(numbers) {
            product if product <= MOST_KEPT => Ok(()),
            _ => Err(Setting::Iterations.error(format!(
                "⟨iterations {iterations}⟩ with {} are more steps than a lesson keeps: with vectors of that length at \
                 most {} are possible",
                count(numbers, "number"),
                MOST_KEPT / numbers
            ))),
        }
    }

    /// Whether a command that a page suggests has exactly these settings.
    pub fn are_those_of(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split(' ').collect();
        let flags = words.iter().filter(|word| word.starts_with("--")).count();
        let same = |setting: &Setting| {
            let at = words.iter().position(|word| word.strip_prefix("--") == Some(setting.key()));
            let text = at.and_then(|at| words.get(at + 1)).copied().unwrap_or_default();
            let number = |value: Option<f32>| value.is_some() && text.parse().ok() == value;
            let vector = |values: &Option<Vec<f32>>| {
                let told: Option<Vec<f32>> = text.split(',').map(|number| number.parse().ok()).collect();
                values.is_some() && told == *values
            };
            match setting {
                Setting::Alpha => number(self.alpha),
                Setting::Step => number(self.step),
                Setting::Iterations => text.parse().ok() == self.iterations,
                Setting::Input => vector(&self.input),
                Setting::Weights => vector(&self.weights),
                Setting::Goal => vector(&self.goal),
                Setting::Seed => text.parse().ok() == self.seed,
                Setting::Data => Some(text) == self.data.as_deref(),
            }
        };
        let given = self.given();
        given.len() == flags && given.iter().all(same)
    }

    /// The settings that were given.
    pub(super) fn given(&self) -> Vec<Setting> {
        [
            (Setting::Alpha, self.alpha.is_some()),
            (Setting::Step, self.step.is_some()),
            (Setting::Iterations, self.iterations.is_some()),
            (Setting::Input, self.input.is_some()),
            (Setting::Weights, self.weights.is_some()),
            (Setting::Goal, self.goal.is_some()),
            (Setting::Seed, self.seed.is_some()),
            (Setting::Data, self.data.is_some() || self.reading != Reading::default()),
        ]
        .into_iter()
        .filter_map(|(setting, given)| given.then_some(setting))
        .collect()
    }

    /// The input, or the lesson's own.
    pub fn input_or(&self, own: &[f32]) -> Vec<f32> {
        self.input.clone().unwrap_or_else(|| own.to_vec())
    }

    /// The weights, or the lesson's own.
    pub fn weights_or(&self, own: &[f32]) -> Vec<f32> {
        self.weights.clone().unwrap_or_else(|| own.to_vec())
    }

    /// The goals, or the lesson's own.
    pub fn goal_or(&self, own: &[f32]) -> Vec<f32> {
        self.goal.clone().unwrap_or_else(|| own.to_vec())
    }
}

fn finite(setting: Setting, values: &[f32]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(_) => Err(setting.error(format!(
            "{} must have finite numbers of 32 bits: one is infinite, not a number or too large",
            setting.mark()
        ))),
        None => Ok(()),
    }
}

/// Checks that two vectors are equally long, as a weighted sum needs them.
///
/// # Errors
/// [`Error::Setting`] with both lengths.
pub fn same_length(one: Setting, numbers: &[f32], other: Setting, partners: &[f32]) -> Result<()> {
    if numbers.len() == partners.len() {
        return Ok(());
    }
    Err(one.error(format!(
        "{} has {} and {} has {}: give both equally many",
        one.mark(),
        count(numbers.len(), "number"),
        other.mark(),
        count(partners.len(), "number")
    )))
}

/// The one number of a setting.
///
/// # Errors
/// [`Error::Setting`] with how many there are.
pub fn only(setting: Setting, values: &[f32]) -> Result<f32> {
    match values {
        [value] => Ok(*value),
        _ => Err(setting.error(format!(
            "{} has {} numbers, and this lesson has one {}",
            setting.mark(),
            values.len(),
            setting.key().trim_end_matches('s')
        ))),
    }
}

/// Checks the iterations of a lesson whose iterations take long.
///
/// # Errors
/// [`Error::Setting`] with the most that there may be.
pub fn at_most(iterations: usize, most: usize) -> Result<usize> {
    match iterations {
        _ if iterations <= most => Ok(iterations),
        _ => Err(Setting::Iterations.error(format!(
            "⟨iterations⟩ must be at most {most} in this lesson, as each goes through all of its data"
        ))),
    }
}
