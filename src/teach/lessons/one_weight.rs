//! Lesson 1: one weight.

use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, only};
use super::workbench::{DenseLayer, Scope, Workbench};
use crate::error::Result;
use crate::report::page::number::{digits, factor};
use crate::report::page::{Page, Plot, Style, Table};

pub const LESSON: Lesson = Lesson {
    id: "1",
    name: "one-weight",
    summary: "a network of one weight: prediction = input · weight",
    takes: &[Setting::Input, Setting::Weights],
    teach,
    limit: |options, _| Ok(limit::sums(&options.input_or(&TOES), &options.weights_or(&[WEIGHT]))),
};

const WEIGHT: f32 = 0.1;
/// Average number of toes per player in four games.
const TOES: [f32; 4] = [8.5, 9.5, 10.0, 9.0];

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let weight = only(Setting::Weights, &options.weights_or(&[WEIGHT]))?;
    let inputs = options.input_or(&TOES);
    let layer = DenseLayer { samples: inputs.len(), ..DenseLayer::linear(1, 1, Scope::Predict) };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_input(&inputs)?;
    bench.set_weights(&[weight])?;
    let predictions = bench.predict()?;

    // The third game of the lesson's own data; of others the first.
    let shown = if options.input.is_none() { 2 } else { 0 };
    let mut page = Page::new("1 · One weight");
    page.text(
        "The smallest network there is has one weight. A number goes in, is multiplied by the weight, \
         and out comes a prediction. Here the input is the average number of toes per player of a team, \
         and the prediction is how likely that team is to win: 1 means certain.",
    );
    page.formulas([
        "prediction = input · weight".to_owned(),
        format!(
            "           = {} · {} = {}",
            digits(inputs[shown]),
            factor(weight),
            digits(predictions[shown])
        ),
    ]);
    page.text(
        "The weight is all the network knows. It says how much the input matters: with a large \
         weight a small input changes the prediction a lot, with a weight of zero it has no effect, and with a \
         negative weight a larger input gives a smaller prediction. Learning means finding a good weight.",
    );
    let mut table = Table::new("each game by itself", &["game", "input", "weight", "prediction"]);
    for (at, (input, prediction)) in inputs.iter().zip(&predictions).enumerate() {
        table.row(vec![(at + 1).into(), (*input).into(), weight.into(), (*prediction).into()]);
    }
    page.table(table);
    let points = || inputs.iter().zip(&predictions).map(|(x, y)| (f64::from(*x), f64::from(*y)));
    let furthest = inputs
        .iter()
        .copied()
        .fold(0.0f32, |most, input| if input.abs() > most.abs() { input } else { most });
    let line = [(0.0, 0.0), (furthest.into(), f64::from(furthest) * f64::from(weight))];
    page.plot(
        Plot::new("the weight is the slope of a line", "input", "prediction")
            .series("games", Style::Points, points())
            .series("input · weight", Style::Line, line),
    );
    page.note(bench.note());
    page.try_this(
        "wgrad lesson one-weight --weights 0.2",
        "with twice the weight, which prediction stops making sense as a chance of winning?",
    );
    Ok(page)
}
