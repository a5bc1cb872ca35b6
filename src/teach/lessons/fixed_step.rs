//! Lesson 6: why a step of fixed length oscillates.

use super::hot_and_cold::{Walk, limit};
use super::lesson::Lesson;
use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use super::workbench::Attempt;
use crate::error::Result;
use crate::report::page::number::digits;
use crate::report::page::{Page, Plot, Style};

pub const LESSON: Lesson = Lesson {
    id: "6",
    name: "fixed-step",
    summary: "why a step of fixed length never arrives: it oscillates",
    takes: &[Setting::Step, Setting::Iterations, Setting::Input, Setting::Weights, Setting::Goal],
    teach,
    limit: |options, _| Ok(limit(options, STEP)),
};

const STEP: f32 = 0.4;

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let walk = Walk::take(options, STEP, 12, machine)?;
    let mut page = Page::new("6 · Why a fixed step oscillates");
    page.text(
        "The same game with longer steps: the direction is right every time, and still the weight jumps \
         over its goal, and back, and over it again. The goal lies between two weights that steps can reach.",
    );
    walk.remark(&mut page);
    page.formulas(walk.formulas());
    if let Some(tries) = walk.first_tries() {
        page.table(tries);
    }
    page.table(walk.table());
    let goals: Vec<(f64, f64)> =
        [1.0, walk.attempts.len() as f64].map(|at| (at, walk.goal[0].into())).to_vec();
    page.plot(
        Plot::new("over the goal and back", "iteration", "prediction")
            .series("prediction", Style::Path, walk.series(|one| one.prediction[0]))
            .series("goal", Style::Line, goals),
    );
    page.text(verdict(&walk));
    page.text(
        "The rule knows the direction but not the distance. What it lacks is a step that is long far away \
         and short nearby, and the error itself can tell how far away it is: that is the next lesson.",
    );
    page.note(walk.note.clone());
    page.try_this(
        "wgrad lesson fixed-step --step 0.3",
        "from 0.5 the goal's weight is 1.6: which steps would hit it exactly?",
    );
    Ok(page)
}

/// Whether the last weights have been seen before.
fn verdict(walk: &Walk) -> String {
    let Some((last, earlier)) = walk.attempts.split_last() else { return String::new() };
    let same = |one: &&Attempt| one.before == last.before;
    match earlier.iter().rposition(|one| same(&one)) {
        _ if last.weights == last.before => {
            "Here the weight no longer changes: both directions are equally bad.".to_owned()
        }
        Some(at) => format!(
            "Iteration {} is at the same weight as iteration {}: from here on it repeats itself, and the \
             error never gets below {}.",
            earlier.len() + 1,
            at + 1,
            digits(walk.attempts.iter().map(|one| one.error.iter().sum()).fold(f32::INFINITY, f32::min))
        ),
        None => "It has not come back to an earlier weight: give it more iterations.".to_owned(),
    }
}
