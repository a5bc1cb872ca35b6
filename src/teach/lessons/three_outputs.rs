//! Lesson 7b: gradient descent with several outputs at once.

use super::gradient_descent::{descend, formulas, remains, tell_speed};
use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, only, same_length};
use super::workbench::{DenseLayer, Iteration, Scope, Workbench};
use crate::error::Result;
use crate::report::page::{Cell, Page, Plot, Style, Table};

pub const LESSON: Lesson = Lesson {
    id: "7b",
    name: "three-outputs",
    summary: "gradient descent with one input and a weight for each of three outputs",
    takes: &[Setting::Alpha, Setting::Iterations, Setting::Input, Setting::Weights, Setting::Goal],
    teach,
    limit: |options, _| {
        let (input, weights) = (options.input_or(&[INPUT]), options.weights_or(&WEIGHTS));
        let furthest = limit::furthest(&input, &weights, &options.goal_or(&GOALS));
        Ok(limit::bowl(options.alpha.unwrap_or(ALPHA), input[0], furthest))
    },
};

const WEIGHTS: [f32; 3] = [0.3, 0.2, 0.9];
const GOALS: [f32; 3] = [0.1, 1.0, 0.1];
const INPUT: f32 = 0.65;
const ALPHA: f32 = 0.1;

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let weights = options.weights_or(&WEIGHTS);
    let goals = options.goal_or(&GOALS);
    same_length(Setting::Weights, &weights, Setting::Goal, &goals)?;
    let input = only(Setting::Input, &options.input_or(&[INPUT]))?;
    let alpha = options.alpha.unwrap_or(ALPHA);
    let mut bench = Workbench::new(machine, DenseLayer::linear(1, weights.len(), Scope::Descend))?;
    bench.set_input(&[input])?;
    bench.set_goal(&goals)?;
    bench.set_weights(&weights)?;
    let steps = descend(&mut bench, alpha, options.iterations.unwrap_or(200))?;

    let mut page = Page::new("7b · Gradient descent with several outputs");
    page.text(
        "For several outputs nothing new is needed: each has its own weight, delta and weight_delta, and \
         they learn side by side without noticing each other. They share the input and alpha.",
    );
    page.text("For the first output:");
    page.formulas(formulas(&steps[0], input, goals[0], alpha));
    page.table(table(&steps));
    page.plot(errors(&steps));
    page.text(together(alpha, input));
    tell_speed(&mut page, alpha, input);
    page.note(bench.note());
    page.try_this(
        "wgrad lesson three-outputs --alpha 2 --iterations 20",
        "twenty times the alpha: how many iterations does it need for the same error?",
    );
    Ok(page)
}

/// Whether the outputs get nearer to their goals.
fn together(alpha: f32, input: f32) -> String {
    let end = match remains(alpha, input) {
        1.0 => "here no step moves any of them",
        left if left.abs() < 1.0 => "all get nearer by the same factor",
        left if left.abs() == 1.0 => "none gets nearer, and none further away",
        _ => "all run away by the same factor",
    };
    format!("The output that is furthest off has the largest delta and takes the largest steps: {end}.")
}

/// A row per iteration and output.
fn table(steps: &[Iteration]) -> Table {
    let columns = ["iteration", "output", "prediction", "delta", "error", "weight_delta", "new weight"];
    let mut table = Table::new("iterations", &columns).keyed(2);
    for (at, step) in steps.iter().enumerate() {
        for output in 0..step.prediction.len() {
            let numbers = [&step.prediction, &step.delta, &step.error, &step.weight_delta, &step.weights];
            let cells = [Cell::from(at + 1), Cell::from(output + 1)].into_iter();
            table.row(cells.chain(numbers.map(|values| values[output].into())).collect());
        }
    }
    table
}

/// The number of outputs drawn, so that the lines stay distinct.
const DRAWN: usize = 6;

fn errors(steps: &[Iteration]) -> Plot {
    let plot = Plot::new("each output's error", "iteration", "error");
    (0..steps[0].error.len().min(DRAWN)).fold(plot, |plot, output| {
        let points = steps.iter().enumerate().map(|(at, step)| ((at + 1) as f64, step.error[output].into()));
        plot.series(format!("output {}", output + 1), Style::Line, points)
    })
}
