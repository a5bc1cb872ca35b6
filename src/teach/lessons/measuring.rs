//! Lesson 2: measuring how wrong a prediction is.

use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, only, same_length};
use super::workbench::{DenseLayer, Scope, Workbench};
use crate::error::Result;
use crate::report::page::number::{digits, factor};
use crate::report::page::{Page, Plot, Style, Table};

pub const LESSON: Lesson = Lesson {
    id: "2",
    name: "measuring-error",
    summary: "how wrong a prediction is: error = (prediction - goal)²",
    takes: &[Setting::Input, Setting::Weights, Setting::Goal],
    teach,
    limit: |options, _| Ok(limit::squares(furthest(options))),
};

const WEIGHT: f32 = 0.5;
const INPUTS: [f32; 2] = [0.5, 10.5];
const GOALS: [f32; 2] = [0.8, 7.0];

/// The largest distance of a prediction from its goal.
fn furthest(options: &LessonOptions) -> f64 {
    let (weight, goals) = (options.weights_or(&[WEIGHT]), options.goal_or(&GOALS));
    let all = options.input_or(&INPUTS).into_iter().zip(goals);
    all.map(|(input, goal)| limit::furthest(&[input], &weight, &[goal])).fold(0.0, f64::max)
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let weight = only(Setting::Weights, &options.weights_or(&[WEIGHT]))?;
    let (inputs, goals) = (options.input_or(&INPUTS), options.goal_or(&GOALS));
    same_length(Setting::Input, &inputs, Setting::Goal, &goals)?;
    let layer = DenseLayer { samples: inputs.len(), ..DenseLayer::linear(1, 1, Scope::Measure) };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_input(&inputs)?;
    bench.set_weights(&[weight])?;
    bench.set_goal(&goals)?;
    let predictions = bench.predict()?;
    let errors = bench.error()?;
    let differences = bench.delta()?;

    let mut page = Page::new("2 · Measuring the error");
    page.text(
        "Before a network can get better, it must know how wrong it is. The goal is the right answer; the \
         error is the distance from prediction to goal, times itself.",
    );
    page.formulas([
        format!("prediction = {} · {} = {}", digits(inputs[0]), factor(weight), digits(predictions[0])),
        format!(
            "error = (prediction - goal)² = ({} - {})² = {}",
            digits(predictions[0]),
            factor(goals[0]),
            digits(errors[0])
        ),
    ]);
    page.text(
        "Squaring does two things. The error is never negative, so that a miss above and a miss below \
         cannot cancel out. And a big miss counts for much more than a small one: twice as far off is four \
         times the error, and a miss smaller than 1 becomes smaller still.",
    );
    let columns = ["input", "prediction", "goal", "prediction - goal", "error"];
    let mut table = Table::new(format!("weight {}", digits(weight)), &columns);
    for at in 0..inputs.len() {
        let row = [inputs[at], predictions[at], goals[at], differences[at], errors[at]];
        table.row(row.map(Into::into).to_vec());
    }
    page.table(table);
    page.plot(picture(&differences, &errors, machine)?);
    page.note(bench.note());
    page.try_this(
        "wgrad lesson measuring-error --weights 1.6",
        "one of the two errors vanishes; what happens to the other?",
    );
    Ok(page)
}

/// The parabola, computed by the same kernels, with the predictions on it.
fn picture(differences: &[f32], errors: &[f32], machine: &Machine) -> Result<Plot> {
    let furthest = differences.iter().fold(1.0f32, |most, miss| most.max(miss.abs()));
    let furthest = if furthest < 1e18 { furthest } else { 1.0 };
    let misses: Vec<f32> = (-30..=30i8).map(|at| f32::from(at) / 30.0 * furthest).collect();
    let layer = DenseLayer { samples: misses.len(), ..DenseLayer::linear(1, 1, Scope::Measure) };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_input(&misses)?;
    bench.set_weights(&[1.0])?;
    bench.predict()?;
    let curve = bench.error()?;
    let points = |x: &[f32], y: &[f32]| -> Vec<(f64, f64)> {
        x.iter().zip(y).map(|(x, y)| (f64::from(*x), f64::from(*y))).collect()
    };
    Ok(Plot::new("the further off, the steeper it gets", "prediction - goal", "error")
        .series("predictions", Style::Points, points(differences, errors))
        .series("the square", Style::Line, points(&misses, &curve)))
}
