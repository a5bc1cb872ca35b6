//! What a learner may change in a lesson.

use crate::error::{Error, Result};
use crate::report::page::number::count;

/// Iterations of one lesson at the most.
pub const MOST_ITERATIONS: usize = 100_000;

/// Numbers of one vector at the most.
pub const MOST_NUMBERS: usize = 1_000;

/// Iterations times the numbers of its longest vector at the most: some 700 bytes are kept for each.
const MOST_KEPT: usize = 300_000;

/// A setting, for lessons to say which of them they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Alpha,
    Step,
    Iterations,
    Input,
    Weights,
    Goal,
    Seed,
    Data,
}

impl Flag {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Flag::Alpha => "--alpha",
            Flag::Step => "--step",
            Flag::Iterations => "--iterations",
            Flag::Input => "--input",
            Flag::Weights => "--weights",
            Flag::Goal => "--goal",
            Flag::Seed => "--seed",
            Flag::Data => "--data",
        }
    }
}

/// The settings as given; what is not given has the lesson's own value.
#[derive(Clone, Debug, Default)]
pub struct LessonOptions {
    /// How much of each weight_delta is taken.
    pub alpha: Option<f32>,
    /// How far a weight moves in hot and cold learning.
    pub step: Option<f32>,
    pub iterations: Option<usize>,
    pub input: Option<Vec<f32>>,
    /// One row after the other where there are several outputs.
    pub weights: Option<Vec<f32>>,
    pub goal: Option<Vec<f32>>,
    pub seed: Option<u64>,
    /// A data set, as `wgrad train` takes it.
    pub data: Option<String>,
}

impl LessonOptions {
    /// Checks that numbers are numbers, and that a lesson can keep what they lead to.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the setting and what it may be.
    pub fn check(&self) -> Result<()> {
        let single = |value: &Option<f32>| value.iter().copied().collect::<Vec<f32>>();
        finite(Flag::Alpha, &single(&self.alpha))?;
        finite(Flag::Step, &single(&self.step))?;
        if self.step.is_some_and(|step| step <= 0.0) {
            return Err(Error::Usage("--step is a number above 0".to_owned()));
        }
        if self.iterations.is_some_and(|count| !(1..=MOST_ITERATIONS).contains(&count)) {
            return Err(Error::Usage(format!("--iterations is a whole number from 1 to {MOST_ITERATIONS}")));
        }
        for (flag, vector) in
            [(Flag::Input, &self.input), (Flag::Weights, &self.weights), (Flag::Goal, &self.goal)]
        {
            let Some(vector) = vector else { continue };
            if !(1..=MOST_NUMBERS).contains(&vector.len()) {
                return Err(Error::Usage(format!("{} has 1 to {MOST_NUMBERS} numbers", flag.name())));
            }
            finite(flag, vector)?;
        }
        self.bounded()
    }

    /// Every iteration is kept, to be shown, with all of its numbers.
    fn bounded(&self) -> Result<()> {
        let vectors = [&self.input, &self.weights, &self.goal];
        let numbers = vectors.into_iter().flatten().map(Vec::len).max().unwrap_or(1);
        let iterations = self.iterations.unwrap_or_default();
        match iterations.saturating_mul(numbers) {
            product if product <= MOST_KEPT => Ok(()),
            _ => Err(Error::Usage(format!(
                "--iterations {iterations} with {} is more than a lesson keeps of its steps: at most {} are possible",
                count(numbers, "number"),
                MOST_KEPT / numbers
            ))),
        }
    }

    /// Whether a command, as pages tell learners to try, has just these settings.
    pub fn are_those_of(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split(' ').collect();
        let flags = words.iter().filter(|word| word.starts_with("--")).count();
        let same = |flag: &Flag| {
            let at = words.iter().position(|word| *word == flag.name());
            let text = at.and_then(|at| words.get(at + 1)).copied().unwrap_or_default();
            let number = |value: Option<f32>| value.is_some() && text.parse().ok() == value;
            let vector = |values: &Option<Vec<f32>>| {
                let told: Option<Vec<f32>> = text.split(',').map(|number| number.parse().ok()).collect();
                values.is_some() && told == *values
            };
            match flag {
                Flag::Alpha => number(self.alpha),
                Flag::Step => number(self.step),
                Flag::Iterations => text.parse().ok() == self.iterations,
                Flag::Input => vector(&self.input),
                Flag::Weights => vector(&self.weights),
                Flag::Goal => vector(&self.goal),
                Flag::Seed => text.parse().ok() == self.seed,
                Flag::Data => Some(text) == self.data.as_deref(),
            }
        };
        let given = self.given();
        given.len() == flags && given.iter().all(same)
    }

    pub(super) fn given(&self) -> Vec<Flag> {
        [
            (Flag::Alpha, self.alpha.is_some()),
            (Flag::Step, self.step.is_some()),
            (Flag::Iterations, self.iterations.is_some()),
            (Flag::Input, self.input.is_some()),
            (Flag::Weights, self.weights.is_some()),
            (Flag::Goal, self.goal.is_some()),
            (Flag::Seed, self.seed.is_some()),
            (Flag::Data, self.data.is_some()),
        ]
        .into_iter()
        .filter_map(|(flag, given)| given.then_some(flag))
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

fn finite(flag: Flag, values: &[f32]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(_) => Err(Error::Usage(format!(
            "{} has a number that is infinite, not a number, or too large for 32 bits",
            flag.name()
        ))),
        None => Ok(()),
    }
}

/// Checks that two vectors are equally long, as in a weighted sum.
///
/// # Errors
/// [`Error::Usage`] with both lengths.
pub fn same_length(one: (Flag, &[f32]), other: (Flag, &[f32])) -> Result<()> {
    if one.1.len() == other.1.len() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{} has {} and {} has {}: each needs its partner, so give both with equally many numbers",
        one.0.name(),
        count(one.1.len(), "number"),
        other.0.name(),
        count(other.1.len(), "number")
    )))
}

/// Checks that a setting is one number, and returns it.
///
/// # Errors
/// [`Error::Usage`] with how many there are.
pub fn only(flag: Flag, values: &[f32]) -> Result<f32> {
    match values {
        [value] => Ok(*value),
        _ => Err(Error::Usage(format!(
            "{} has {} numbers, and this lesson has one {}",
            flag.name(),
            values.len(),
            flag.name().trim_start_matches("--").trim_end_matches('s')
        ))),
    }
}

/// Checks that a lesson whose iterations are long is not given too many.
///
/// # Errors
/// [`Error::Usage`] with how many there may be.
pub fn at_most(iterations: usize, most: usize) -> Result<usize> {
    match iterations {
        _ if iterations <= most => Ok(iterations),
        _ => Err(Error::Usage(format!(
            "--iterations is at most {most} in this lesson: each goes through all of its data"
        ))),
    }
}
