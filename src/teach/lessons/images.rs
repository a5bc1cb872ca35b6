//! Lesson 12: learning from images: memorising, generalising, and early stopping.

mod learning;
mod words;

use super::lesson::Lesson;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, at_most};
use crate::data::{self, Dataset};
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::report::page::number::digits;
use crate::report::page::{Page, Plot, Style, Table};
use crate::train::trainer::Settings;
use learning::{Images, LearningCurve, NetworkKind, Round};
use words::percent;

pub const LESSON: Lesson = Lesson {
    id: "12",
    name: "images",
    summary: "learning from images: memorising, generalising, and when to stop",
    takes: &[Setting::Alpha, Setting::Iterations, Setting::Seed, Setting::Data],
    teach,
    limit: |options, _| limit(options),
};

/// Rounds over the few images.
const ROUNDS: usize = 40;
const MOST_ROUNDS: usize = 200;

/// The lesson's own alpha.
///
/// A step changes a sum in proportion to the number of inputs, so larger images than the digits' 8×8 get smaller
/// steps.
fn own_alpha(shape: &Shape) -> f32 {
    const OF_DIGITS: (f32, f32) = (0.3, 64.0);
    let (alpha, values) = OF_DIGITS;
    alpha * (values / shape.len() as f32).min(1.0)
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let rounds = at_most(options.iterations.unwrap_or(ROUNDS), MOST_ROUNDS)?;
    let dataset = load(options)?;
    let settings = settings(options, &dataset);
    let images = Images::of(&dataset, settings.seed)?;
    let courses = images.learn_all(machine, settings, rounds)?;
    // Every kind of network has these three, and dense is first.
    let [few, shuffled, many, ..] = courses.as_slice() else {
        return Err(Error::Failure(
            "lesson 12 has no course to show, which is a mistake in the lesson".to_owned(),
        ));
    };

    let mut page = Page::new("12 · Learning from images");
    page.text(format!(
        "An image is a row of {} brightnesses, so the network of lesson 11 takes it. What is new: does it \
         generalise, or only memorise? It has 32 hidden neurons and an output per class; alpha is {}.",
        images.shape().len(),
        digits(settings.learning_rate)
    ));
    page.plot(curve(few));
    page.text(words::stopping(few));
    page.table(results(&courses));
    page.text(words::remembering(few, shuffled, images.classes));
    page.text(words::more_images(few, many));
    page.plot(accuracies(few, shuffled));
    page.text(words::convolution(&courses));
    if let Some(convolutional) = courses.iter().find(|course| course.kind == NetworkKind::Convolutional) {
        page.plot(both(few, convolutional));
    }
    page.note(images.note(machine)?);
    let other = if dataset.name == "mnist" { "digits" } else { "mnist" };
    page.try_this(
        format!("wgrad lesson images --data {other}"),
        "the same with other images; --seed draws other few images: how much does it change?",
    );
    Ok(page)
}

fn load(options: &LessonOptions) -> Result<Dataset> {
    data::load_with(options.data.as_deref().unwrap_or("digits"), &options.reading)
}

fn settings(options: &LessonOptions, dataset: &Dataset) -> Settings {
    let own = own_alpha(&dataset.train.shape);
    Settings::new(options.alpha.unwrap_or(own), options.seed.unwrap_or(0))
}

/// The largest alpha that does not overflow.
///
/// There is no formula for it: it lies between the lesson's own and the given one, and is searched on the twins.
fn limit(options: &LessonOptions) -> Result<String> {
    let dataset = load(options)?;
    let settings = settings(options, &dataset);
    let own = own_alpha(&dataset.train.shape);
    let (mut works, mut fails) = (own, settings.learning_rate);
    if fails <= works {
        let why = if fails < 0.0 {
            "a negative alpha increases the error"
        } else {
            "the images are too large for it"
        };
        return Ok(format!("{why}; the lesson's own alpha is {}", digits(own)));
    }
    let images = Images::of(&dataset, settings.seed)?;
    let rounds = options.iterations.unwrap_or(ROUNDS);
    while fails / works > 2.0 {
        let alpha = works.sqrt() * fails.sqrt();
        let settings = Settings { learning_rate: alpha, ..settings };
        match images.learn_all(&Machine::plain(), settings, rounds) {
            Ok(_) => works = alpha,
            Err(Error::Diverged(_)) => fails = alpha,
            Err(other) => return Err(other),
        }
    }
    Ok(format!(
        "alpha is {}; of smaller ones that were tried, {} does not overflow and {} does",
        digits(settings.learning_rate),
        digits(works),
        digits(fails)
    ))
}

fn series(course: &LearningCurve, value: impl Fn(&Round) -> f64) -> Vec<(f64, f64)> {
    course.rounds.iter().enumerate().map(|(at, round)| ((at + 1) as f64, value(round))).collect()
}

fn curve(few: &LearningCurve) -> Plot {
    let (stop, samples) = (few.stop(), few.end().learned.samples);
    Plot::new(format!("learning from {samples} images"), "round", "error")
        .series("learned from", Style::Line, series(few, |round| round.learned.loss))
        .series("others", Style::Line, series(few, |round| round.validation.loss))
        .series("early stopping", Style::Points, [((stop + 1) as f64, few.at_stop().validation.loss)])
}

fn accuracies(few: &LearningCurve, shuffled: &LearningCurve) -> Plot {
    Plot::new("accuracy on the images learned from, and held out", "round", "accuracy")
        .series("learned", Style::Line, series(few, |round| round.learned.accuracy))
        .series("held out", Style::Line, series(few, |round| round.held_out.accuracy))
        .series("shuffled: learned", Style::Line, series(shuffled, |round| round.learned.accuracy))
        .series("shuffled: held out", Style::Line, series(shuffled, |round| round.held_out.accuracy))
}

fn both(dense: &LearningCurve, convolutional: &LearningCurve) -> Plot {
    let held_out = |course| series(course, |round| round.held_out.accuracy);
    let few = dense.end().learned.samples;
    Plot::new(format!("accuracy on images held out, after {few}"), "round", "accuracy")
        .series("dense", Style::Line, held_out(dense))
        .series("convolutional", Style::Line, held_out(convolutional))
}

fn results(courses: &[LearningCurve]) -> Table {
    let columns = ["learned from", "network", "images", "rounds", "right", "held out", "at stop"];
    let mut table = Table::new("the networks, at the end", &columns).keyed(2);
    for course in courses {
        let end = course.end();
        table.row(vec![
            course.name.into(),
            course.kind.name().into(),
            end.learned.samples.into(),
            course.rounds.len().into(),
            percent(end.learned.accuracy).into(),
            percent(end.held_out.accuracy).into(),
            percent(course.at_stop().held_out.accuracy).into(),
        ]);
    }
    table
}
