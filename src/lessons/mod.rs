//! The lessons: learning from one weight upwards, every number computed by the
//! same kernels that train real networks.
//!
//! A lesson is a function that runs a few dispatches on a [`machine::Machine`],
//! keeps every intermediate, and writes a [`page::Page`] about them. Pages are
//! data; [`page`] renders them for a terminal, as Markdown and as pictures.

pub mod course;
pub mod docs;
pub mod machine;
pub mod options;
pub mod page;
pub mod workbench;

mod fixed_step;
mod gradient_descent;
mod hot_and_cold;
mod images;
mod measuring;
pub mod neuron;
pub mod odd_even;
mod one_correction;
mod one_weight;
mod several_outputs;
mod similarity;
mod three_outputs;
mod weighted_sum;

use crate::error::{Error, Result, suggestion};

use machine::Machine;
use options::{Flag, Options};
use page::Page;

/// One lesson.
pub struct Lesson {
    /// Its place in the order, such as `7` or `7b`.
    pub id: &'static str,
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, in one line.
    pub summary: &'static str,
    /// The settings that it takes; all others are refused.
    pub takes: &'static [Flag],
    /// Runs it. The options have been checked against `takes`.
    pub teach: fn(&Options, &Machine) -> Result<Page>,
}

/// All lessons, in order.
pub static ALL: &[Lesson] = &[
    one_weight::LESSON,
    measuring::LESSON,
    weighted_sum::LESSON,
    several_outputs::LESSON,
    hot_and_cold::LESSON,
    fixed_step::LESSON,
    gradient_descent::LESSON,
    three_outputs::LESSON,
    similarity::LESSON,
    one_correction::LESSON,
    neuron::LESSON,
    odd_even::LESSON,
    images::LESSON,
];

/// The lesson with this number or name.
///
/// # Errors
/// [`Error::Usage`] with the nearest name and all of them.
pub fn find(wanted: &str) -> Result<&'static Lesson> {
    let found = ALL
        .iter()
        .find(|lesson| lesson.id.eq_ignore_ascii_case(wanted) || lesson.name.eq_ignore_ascii_case(wanted));
    found.ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|lesson| lesson.name).collect();
        let all: Vec<String> = ALL.iter().map(|lesson| format!("{} {}", lesson.id, lesson.name)).collect();
        Error::Usage(format!(
            "there is no lesson “{wanted}”{}; there are {}",
            suggestion(wanted, &names),
            all.join(", ")
        ))
    })
}

/// Checks the options and runs a lesson.
///
/// # Errors
/// [`Error::Usage`] for options that the lesson does not take or cannot use,
/// [`Error::Device`] when the machine fails.
pub fn run(lesson: &Lesson, options: &Options, machine: &Machine) -> Result<Page> {
    options.check(lesson)?;
    (lesson.teach)(options, machine)
}
