//! The lessons: learning from one weight upwards, on the kernels that train real networks.
//!
//! A lesson is a function that runs dispatches on a [`machine::Machine`] and writes a [`Page`] about their numbers.
//! Pages are data; [`crate::report::page`] renders them for a terminal, as Markdown and as pictures.

pub mod course;
pub mod docs;
pub mod machine;
pub mod options;
pub mod workbench;

mod decision;
mod fixed_step;
mod gradient_descent;
mod hot_and_cold;
mod images;
mod lesson;
mod limit;
mod measuring;
pub mod neuron;
pub mod odd_even;
mod one_correction;
mod one_weight;
mod several_outputs;
mod similarity;
mod three_outputs;
mod weighted_sum;

pub use lesson::Lesson;

use crate::error::{Error, Result};
use crate::report::page::Page;
use crate::text::shorten;
use machine::Machine;
use options::LessonOptions;

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
/// [`Error::Usage`] with the nearest name and all of them, or for a number with the range.
pub fn find(wanted: &str) -> Result<&'static Lesson> {
    let found = ALL
        .iter()
        .find(|lesson| lesson.id.eq_ignore_ascii_case(wanted) || lesson.name.eq_ignore_ascii_case(wanted));
    found.ok_or_else(|| Error::Usage(unknown(wanted)))
}

/// The error for a name or number of no lesson.
fn unknown(wanted: &str) -> String {
    let none = format!("there is no lesson “{}”", shorten(wanted));
    let [first, .., last] = ALL else { return none };
    // Numbers, `7a` and `-1` too.
    if wanted.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit()) {
        return format!("{none}: the lessons are numbered {} to {}, with a 7b after 7", first.id, last.id);
    }
    let all: Vec<String> = ALL.iter().map(|lesson| format!("{} {}", lesson.id, lesson.name)).collect();
    let nearest = nearest(&wanted.to_lowercase());
    let nearest = nearest.map(|lesson| format!(", did you mean “{}”?", lesson.name)).unwrap_or_default();
    format!("{none}{nearest}; there are {}", all.join(", "))
}

/// The least similarity of a suggestion: “gradent” and “gradient” have 0.98, unrelated words about 0.5.
const ALIKE: f64 = 0.75;

/// The lesson whose name, or a word of it, is the most similar.
fn nearest(wanted: &str) -> Option<&'static Lesson> {
    let similarity = |lesson: &Lesson| {
        let words = lesson.name.split('-').filter(|word| word.len() > 2).chain([lesson.name]);
        words.map(|word| strsim::jaro_winkler(wanted, word)).fold(0.0, f64::max)
    };
    // The first of equally similar ones.
    let all = ALL.iter().rev().map(|lesson| (similarity(lesson), lesson));
    all.filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, lesson)| lesson)
}

/// Checks the options and runs a lesson.
///
/// If a number of the page has overflowed, the page names it and the limit, and its `diverged` is set.
///
/// # Errors
/// [`Error::Usage`] and [`Error::Setting`] for options that the lesson does not take or cannot use,
/// [`Error::Diverged`] when it had to stop before there was a page, [`Error::Device`] when the machine fails.
pub fn run(lesson: &Lesson, options: &LessonOptions, machine: &Machine) -> Result<Page> {
    lesson.check(options)?;
    let limit = || (lesson.limit)(options, machine);
    let mut page = match (lesson.teach)(options, machine) {
        Err(Error::Diverged(what)) => {
            return Err(Error::Diverged(format!("it diverged: {what}; {}", limit()?)));
        }
        page => page?,
    };
    page.try_something_else(|command| {
        options.are_those_of(command).then(|| format!("wgrad lesson {}", lesson.name))
    });
    if options.alpha.is_some_and(|alpha| alpha < 0.0) {
        page.remark_first("A negative alpha climbs: every step goes where the error is larger.");
    }
    if let Some(what) = page.overflow() {
        let sentence = format!("it diverged: the numbers overflow f32 ({what}); {}", limit()?);
        page.diverge(sentence);
    }
    Ok(page)
}
