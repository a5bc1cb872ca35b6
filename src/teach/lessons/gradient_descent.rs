//! Lesson 7: gradient descent, direction and distance in one number.

use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, only};
use super::workbench::{DenseLayer, Iteration, Scope, Workbench};
use crate::error::Result;
use crate::report::page::number::{digits, factor, number};
use crate::report::page::{Cell, Page, Plot, Style, Table};

pub const LESSON: Lesson = Lesson {
    id: "7",
    name: "gradient-descent",
    summary: "direction and distance at once: weight -= alpha · delta · input",
    takes: &[Setting::Alpha, Setting::Iterations, Setting::Input, Setting::Weights, Setting::Goal],
    teach,
    limit: |options, _| {
        let [input, weight, goal] =
            [(&options.input, INPUT), (&options.weights, WEIGHT), (&options.goal, GOAL)]
                .map(|(given, own)| given.clone().unwrap_or_else(|| vec![own]));
        let furthest = limit::furthest(&input, &weight, &goal);
        Ok(limit::bowl(options.alpha.unwrap_or(ALPHA), input[0], furthest))
    },
};

const WEIGHT: f32 = 0.1;
const INPUT: f32 = 0.3;
const GOAL: f32 = 0.7;
const ALPHA: f32 = 3.0;

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let weight = only(Setting::Weights, &options.weights_or(&[WEIGHT]))?;
    let input = only(Setting::Input, &options.input_or(&[INPUT]))?;
    let goal = only(Setting::Goal, &options.goal_or(&[GOAL]))?;
    let alpha = options.alpha.unwrap_or(ALPHA);
    let mut bench = Workbench::new(machine, DenseLayer::linear(1, 1, Scope::Descend))?;
    bench.set_input(&[input])?;
    bench.set_goal(&[goal])?;
    bench.set_weights(&[weight])?;
    let steps = descend(&mut bench, alpha, options.iterations.unwrap_or(13))?;

    let mut page = Page::new("7 · Gradient descent");
    page.text(
        "Hot and cold learning tries both directions; arithmetic knows without trying: delta · input says \
         in one number which way the weight must go, and how far. Delta is how far the prediction is off and \
         on which side; times the input it says how the error changes with the weight: large far from the \
         goal, small near it.",
    );
    page.formulas(formulas(&steps[0], input, goal, alpha));
    page.table(table(&steps));
    let mut bowl = bowl(&steps, input, goal, machine)?;
    tell_speed(&mut page, alpha, input);
    // Only after steps that converge, as an overflow can't be undone.
    let beyond = (1.05 * converging(input)) as f32;
    if remains(alpha, input).abs() < 1.0 && beyond.is_finite() && steps[0].delta[0] != 0.0 {
        bench.set_weights(&[weight])?;
        let astray = descend(&mut bench, beyond, 5)?;
        let name = format!("steps with alpha {}", digits(beyond));
        bowl = bowl.series(name, Style::Path, on_the_bowl(&astray));
        page.text(format!(
            "With alpha {}, beyond the limit, each step (× in the picture) lands on the other side and \
             higher up.",
            digits(beyond)
        ));
    }
    page.plot(bowl);
    page.note(bench.note());
    page.try_this(
        "wgrad lesson gradient-descent --alpha 23",
        "alpha a little above the limit: watch the steps climb out of the bowl.",
    );
    Ok(page)
}

/// Takes this number of steps of gradient descent, or fewer on overflow.
pub fn descend(bench: &mut Workbench, alpha: f32, iterations: usize) -> Result<Vec<Iteration>> {
    let mut steps: Vec<Iteration> = Vec::new();
    for _ in 0..iterations {
        steps.push(bench.descend(alpha)?);
        if steps.last().is_some_and(|step| !step.is_finite()) {
            break;
        }
    }
    Ok(steps)
}

/// The first iteration with its numbers.
pub fn formulas(step: &Iteration, input: f32, goal: f32, alpha: f32) -> Vec<String> {
    let (weight, prediction, delta) = (step.before[0], step.prediction[0], step.delta[0]);
    let weight_delta = step.weight_delta[0];
    vec![
        format!("prediction   = {} · {} = {}", digits(input), factor(weight), digits(prediction)),
        format!(
            "delta        = prediction - goal = {} - {} = {}",
            digits(prediction),
            factor(goal),
            digits(delta)
        ),
        format!("error        = delta² = {}", digits(step.error[0])),
        format!(
            "weight_delta = delta · input = {} · {} = {}",
            digits(delta),
            factor(input),
            digits(weight_delta)
        ),
        format!(
            "weight       = {} - alpha · weight_delta = {} - {} · {} = {}",
            digits(weight),
            digits(weight),
            factor(alpha),
            factor(weight_delta),
            digits(step.weights[0])
        ),
    ]
}

fn table(steps: &[Iteration]) -> Table {
    let columns = ["iteration", "prediction", "error", "delta", "weight_delta", "new weight"];
    let mut table = Table::new("iterations", &columns);
    for (at, step) in steps.iter().enumerate() {
        let numbers = [&step.prediction, &step.error, &step.delta, &step.weight_delta, &step.weights];
        let cells = [Cell::from(at + 1)].into_iter();
        table.row(cells.chain(numbers.map(|values| values[0].into())).collect());
    }
    table
}

/// Weights at which the bowl is measured.
const CURVE: usize = 61;

/// Error against weight, measured by the same kernels with an output per
/// weight, and the steps on it.
fn bowl(steps: &[Iteration], input: f32, goal: f32, machine: &Machine) -> Result<Plot> {
    let start = steps[0].before[0];
    let best = if input == 0.0 { start } else { goal / input };
    // If the steps diverge, the first few show it.
    let reach = (30.0 * (start - best).abs()).max(0.1);
    let near = |step: &&Iteration| (step.before[0] - best).abs() <= reach && step.error[0].is_finite();
    let shown: Vec<(f64, f64)> =
        steps.iter().take_while(near).map(|step| (step.before[0].into(), step.error[0].into())).collect();
    let least = if start == best { 1.0 } else { 1.5 * (start - best).abs() };
    let furthest = shown.iter().map(|(w, _)| (w - f64::from(best)).abs() as f32).fold(least, f32::max);
    let weights: Vec<f32> =
        (0..CURVE).map(|at| best + (at as f32 / (CURVE - 1) as f32 * 2.0 - 1.0) * 1.05 * furthest).collect();
    let mut bench = Workbench::new(machine, DenseLayer::linear(1, CURVE, Scope::Measure))?;
    bench.set_input(&[input])?;
    bench.set_goal(&[goal; CURVE])?;
    bench.set_weights(&weights)?;
    bench.predict()?;
    let errors = bench.error()?;
    let curve = weights.iter().zip(&errors).map(|(w, error)| (f64::from(*w), f64::from(*error)));
    Ok(Plot::new("the bowl, and the steps in it", "weight", "error")
        .series("steps", Style::Path, shown)
        .series("error of each weight", Style::Line, curve))
}

/// Weight and error of each step.
fn on_the_bowl<'a>(steps: impl IntoIterator<Item = &'a Iteration>) -> Vec<(f64, f64)> {
    steps.into_iter().map(|step| (step.before[0].into(), step.error[0].into())).collect()
}

/// The alpha from which on it diverges, where a step leaves -1 of the distance.
fn converging(input: f32) -> f64 {
    2.0 / f64::from(input).powi(2)
}

/// The fraction of the distance to the goal that a step leaves: 1 - alpha · input².
pub fn remains(alpha: f32, input: f32) -> f64 {
    1.0 - f64::from(alpha) * f64::from(input).powi(2)
}

/// Tells whether alpha converges; if it does not, that is a remark.
pub fn tell_speed(page: &mut Page, alpha: f32, input: f32) {
    if input == 0.0 {
        return page.remark(
            "With an input of 0 every weight_delta is 0: there is no gradient, the weight has no effect, \
             and nothing is learned, whatever alpha is.",
        );
    }
    let (left, limit) = (remains(alpha, input), number(converging(input)));
    let rule = format!(
        "Each step leaves 1 - alpha · input² = 1 - {} · {}² = {} of the distance to the goal.",
        factor(alpha),
        factor(input),
        number(left)
    );
    let converges = format!("It converges for alpha below 2 / input² = {limit}.");
    match left {
        _ if left > 1.0 => page.remark(format!("{rule} More than 1: the distance grows.")),
        1.0 if alpha == 0.0 => page.remark("With alpha 0 nothing moves."),
        0.0..=1.0 => page.text(format!("{rule} Below 1 it shrinks, and stays on its side. {converges}")),
        -1.0 => page.remark(format!("{rule} At exactly -1 it jumps from side to side for ever.")),
        _ if left > -1.0 => page.text(format!(
            "{rule} Negative means that each step lands on the other side, but nearer. {converges}"
        )),
        _ => page.remark(format!(
            "{rule} Beyond -1 every step lands on the other side and further away: it diverges. The limit is \
             alpha < 2 / input² = {limit}."
        )),
    }
}
