//! `wgrad lesson`: the list of lessons, or one of them.

use ::console::Term;
use std::io::{IsTerminal, stdout};

use serde_json::json;
use wgrad::internals::data::files::{check_output, write_output};
use wgrad::internals::report::page::terminal::{LEAST_COLUMNS, Screen, render};
use wgrad::internals::report::page::{Plot, svg};
use wgrad::internals::teach::lessons::machine::Machine;
use wgrad::internals::teach::lessons::options::LessonOptions;
use wgrad::internals::teach::lessons::{self, Lesson};
use wgrad::internals::text::shown;
use wgrad::{Error, Result};

use super::console::{answer, answer_json, note};
use crate::app::cli;

/// Rows and columns of a screen where there is no terminal.
const SCREEN: (usize, usize) = (24, 80);

pub fn run(arguments: &cli::LessonArgs) -> Result<()> {
    if let Some(command) = &arguments.command {
        return super::custom::dispatch(command);
    }
    let options = options(arguments)?;
    let Some(wanted) = &arguments.lesson else {
        return list(arguments.json);
    };
    let lesson = lessons::find(wanted)?;
    // Settings are checked first, as opening a device takes time.
    lesson.check(&options).map_err(with_data_as_a_flag)?;
    arguments.svg.as_deref().map_or(Ok(()), check_output)?;
    let machine = Machine::of(&super::device(&arguments.device)?);
    let page = lessons::run(lesson, &options, &machine)?;
    if let Some(file) = &arguments.svg {
        let plots: Vec<&Plot> = page.plots().collect();
        write_output(file, svg::render(&plots).as_bytes())?;
        note(format_args!("the drawings are in {}", shown(file)));
    }
    if arguments.json {
        answer_json(&page.json())?;
    } else {
        answer(format_args!("{}", render(&page, screen(arguments.all)).join("\n")))?;
    }
    match page.diverged {
        Some(sentence) => Err(Error::Diverged(sentence)),
        None => Ok(()),
    }
}

/// Shows the data set as a flag. Other commands take it as an argument.
fn with_data_as_a_flag(error: Error) -> Error {
    match error {
        Error::Usage(problem) => Error::Usage(problem.replace("⟨data⟩", "--data")),
        other => other,
    }
}

fn options(arguments: &cli::LessonArgs) -> Result<LessonOptions> {
    Ok(LessonOptions {
        alpha: arguments.alpha,
        step: arguments.step,
        iterations: arguments.iterations,
        input: arguments.input.clone(),
        weights: arguments.weights.clone(),
        goal: arguments.goal.clone(),
        seed: arguments.seed,
        data: arguments.data.clone(),
        reading: arguments.reading.given()?.reading(),
    })
}

fn list(as_json: bool) -> Result<()> {
    if as_json {
        let row = |lesson: &Lesson| json!({"id": lesson.id, "name": lesson.name, "summary": lesson.summary});
        let rows: Vec<_> = lessons::ALL.iter().map(row).collect();
        return answer_json(&json!({ "lessons": rows }));
    }
    for lesson in lessons::ALL {
        answer(format_args!("{:>3}  {:<18}  {}", lesson.id, lesson.name, lesson.summary))?;
    }
    let Some(first) = lessons::ALL.first() else { return Ok(()) };
    answer(format_args!("\nwgrad lesson {} starts with the first; names work too.", first.id))
}

/// The size of the terminal, less four lines for prompt and device.
pub fn screen(all: bool) -> Screen {
    let size = Term::stdout().size_checked().filter(|_| stdout().is_terminal());
    let (lines, columns) = size.map_or(SCREEN, |(lines, columns)| (lines.into(), columns.into()));
    if columns < LEAST_COLUMNS {
        note(format_args!(
            "this terminal has {columns} columns, and lessons are written for {LEAST_COLUMNS} or more"
        ));
    }
    Screen { columns, lines: (!all).then(|| lines.saturating_sub(4)) }
}
