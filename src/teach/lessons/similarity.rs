//! Lesson 8: similarity, prediction, and why layers need something between them.

use super::lesson::Lesson;
use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use super::workbench::{DenseLayer, Scope, Workbench};
use super::{decision, limit};
use crate::error::Result;
use crate::kernel::Activation;
use crate::report::page::number::count;
use crate::report::page::number::{digits, factor, list};
use crate::report::page::{Cell, Page, Plot, Table};

pub const LESSON: Lesson = Lesson {
    id: "8",
    name: "similarity",
    summary: "dot products, a sigmoid on top, and why two linear layers are one",
    takes: &[Setting::Input, Setting::Weights, Setting::Goal],
    teach,
    limit: |options, _| Ok(limit::sums(&options.input_or(&INPUTS), &options.weights_or(&WEIGHTS))),
};

/// A vector, and two to compare it with.
const VECTOR: [f32; 2] = [1.72, 1.23];
const CANDIDATES: [f32; 4] = [1.26, 0.0, 2.17, 0.32];

/// Two inputs with their classes, and the weights that predict them.
const INPUTS: [f32; 4] = [1.66, 1.56, 2.0, 1.5];
const GOALS: [f32; 2] = [1.0, 0.0];
pub(super) const WEIGHTS: [f32; 2] = [1.45, -0.66];

/// Two linear layers, two to three to one; each row makes one output.
const FIRST: [f32; 6] = [0.5, -0.2, 0.3, 0.8, -0.6, 0.4];
const SECOND: [f32; 3] = [1.0, -0.5, 2.0];

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let given = given(options)?;
    let mut page = Page::new("8 · Similarity and prediction");
    page.text(
        "A weighted sum is also called a dot product, and it measures similarity: it is large \
         where two vectors are large in the same elements.",
    );
    page.formulas(dot_products(machine)?);
    page.text(
        "So a neuron measures how similar its input and its weights are. A sigmoid, 1 / (1 + e⁻ˣ), maps \
         the sum to a probability between 0 and 1. Above one half it means class 1, below it class 0.",
    );
    let mut bench = bench(machine, given.goals.len(), Activation::Sigmoid)?;
    predict(&mut page, machine, &mut bench, &given)?;
    page.plot(picture(&given));
    collapse(&mut page, machine)?;
    page.note(bench.note());
    page.try_this(
        "wgrad lesson similarity --weights -1.45,1.7",
        "both are right: which way do the weights point now, and why is neither sure?",
    );
    Ok(page)
}

/// The lesson's own numbers, or those of the options.
fn given(options: &LessonOptions) -> Result<Given> {
    let (inputs, weights) = (options.input_or(&INPUTS), options.weights_or(&WEIGHTS));
    let goals = match (&options.input, &options.goal) {
        (Some(input), None) => {
            let pairs = count(input.len() / 2, "pair");
            return Err(Setting::Goal.error(format!(
                "⟨input⟩ has {pairs} without classes: give them as ⟨goal⟩, a 0 or 1 per pair"
            )));
        }
        _ => options.goal_or(&GOALS),
    };
    if weights.len() != 2 {
        let given = count(weights.len(), "number");
        let problem = format!("⟨weights⟩ has {given}, and this neuron has two inputs: give two");
        return Err(Setting::Weights.error(problem));
    }
    if let Some(goal) = goals.iter().find(|goal| ![0.0, 1.0].contains(*goal)) {
        let problem = format!("⟨goal⟩ must be a class, 0 or 1, for each pair of inputs, not {goal}");
        return Err(Setting::Goal.error(problem));
    }
    if inputs.len() != 2 * goals.len() {
        return Err(Setting::Goal.error(format!(
            "⟨input⟩ has {} and ⟨goal⟩ {}: each goal needs a pair of inputs",
            count(inputs.len(), "number"),
            count(goals.len(), "number")
        )));
    }
    Ok(Given { inputs, goals, weights })
}

/// The neuron of this lesson and the next: two inputs, one output.
fn bench(machine: &Machine, samples: usize, activation: Activation) -> Result<Workbench> {
    let layer = DenseLayer { samples, bias: true, activation, ..DenseLayer::linear(2, 1, Scope::Measure) };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_bias(&[0.0])?;
    Ok(bench)
}

fn dot_products(machine: &Machine) -> Result<Vec<String>> {
    let mut bench = Workbench::new(machine, DenseLayer::linear(2, 2, Scope::Predict))?;
    bench.set_input(&VECTOR)?;
    bench.set_weights(&CANDIDATES)?;
    let products = bench.predict()?;
    let mut lines: Vec<String> = CANDIDATES
        .chunks(2)
        .zip(&products)
        .map(|(other, product)| {
            let terms: Vec<String> =
                VECTOR.iter().zip(other).map(|(a, b)| format!("{} · {}", factor(*a), factor(*b))).collect();
            format!("({}) · ({}) = {} = {}", list(&VECTOR), list(other), terms.join(" + "), digits(*product))
        })
        .collect();
    let nearer = if products[1] > products[0] { "second" } else { "first" };
    lines.push(format!("the {nearer} is the more similar"));
    Ok(lines)
}

/// The distance from one half from which on a prediction counts as sure.
const SURE: f32 = 0.25;

/// Inputs in pairs, a goal for each pair, two weights.
struct Given {
    inputs: Vec<f32>,
    goals: Vec<f32>,
    weights: Vec<f32>,
}

fn predict(page: &mut Page, machine: &Machine, bench: &mut Workbench, given: &Given) -> Result<()> {
    let Given { inputs, goals, weights } = given;
    let mut linear = self::bench(machine, goals.len(), Activation::Identity)?;
    for bench in [&mut linear, bench] {
        bench.set_input(inputs)?;
        bench.set_weights(weights)?;
        bench.set_goal(goals)?;
    }
    let (sums, predictions, errors) = (linear.predict()?, bench.predict()?, bench.error()?);
    let columns = ["input", "weighted sum", "prediction", "class", "target", "squared error", ""];
    let mut table = Table::new(format!("weights {}, bias 0", list(weights)), &columns);
    let mut wrong = 0;
    for (at, input) in inputs.chunks(2).enumerate() {
        let class = class(predictions[at]);
        let right = class == goals[at];
        wrong += usize::from(!right);
        let cells: [Cell; 7] = [
            list(input).into(),
            sums[at].into(),
            predictions[at].into(),
            class.into(),
            goals[at].into(),
            errors[at].into(),
            if right { "right" } else { "wrong" }.into(),
        ];
        table.row(cells.into());
    }
    page.table(table);
    let sure =
        |(at, prediction): (usize, &f32)| class(*prediction) != goals[at] && (prediction - 0.5).abs() > SURE;
    page.text(match wrong {
        _ if predictions.iter().all(|prediction| *prediction == 0.5) => {
            "Every prediction is exactly one half: the weighted sums are 0, so the neuron prefers neither class, \
             and which one it is counted as is a convention."
        }
        _ if wrong > 0 && !predictions.iter().enumerate().any(sure) => {
            "What is wrong is only a little wrong: the neuron is not sure of it. The squared error, \
             (prediction − target)², says how far off it is, and the next lesson makes it smaller."
        }
        0 => "All are on the right side of one half; the squared error says how sure the neuron is of it.",
        _ => {
            "What is wrong is not a little wrong: the neuron is sure of it. The squared error, \
             (prediction − target)², tells the two apart, and the next lesson makes it smaller."
        }
    });
    Ok(())
}

/// The inputs, and the line between the two predicted classes.
fn picture(Given { inputs, goals, weights }: &Given) -> Plot {
    let point = |(input, goal): (&[f32], &f32)| ([input[0], input[1]], *goal == 1.0);
    let points: Vec<decision::Point> = inputs.chunks(2).zip(goals).map(point).collect();
    let line = [weights[0], weights[1], 0.0];
    decision::plot("where the prediction is one half", &points, &[("prediction ½", line)])
}

/// The class that a prediction means.
pub(super) fn class(prediction: f32) -> f32 {
    if prediction > 0.5 { 1.0 } else { 0.0 }
}

/// Two layers without an activation, the one layer that equals them, and the effect of a sigmoid.
fn collapse(page: &mut Page, machine: &Machine) -> Result<()> {
    // W₂·W₁: the second layer's weights as an input, the columns of the first as rows.
    let mut product = Workbench::new(machine, DenseLayer::linear(3, 2, Scope::Predict))?;
    let columns: Vec<f32> = (0..2).flat_map(|at| FIRST.iter().skip(at).step_by(2).copied()).collect();
    product.set_input(&SECOND)?;
    product.set_weights(&columns)?;
    let merged = product.predict()?;

    let points = [INPUTS[0], INPUTS[1], INPUTS[2], INPUTS[3], INPUTS[0] + INPUTS[2], INPUTS[1] + INPUTS[3]];
    let two = through(machine, &points, Activation::Identity)?;
    let nonlinear = through(machine, &points, Activation::Sigmoid)?;
    let mut one =
        Workbench::new(machine, DenseLayer { samples: 3, ..DenseLayer::linear(2, 1, Scope::Predict) })?;
    one.set_input(&points)?;
    one.set_weights(&merged)?;
    let one = one.predict()?;

    page.text(
        "Would a second layer help? Not by itself. A layer multiplies by a matrix; two layers multiply \
         by two, and their product is again one matrix. What two linear layers can compute, one can.",
    );
    page.formulas([format!("W₂ · W₁ = ({}) · (W₁, three rows of two) = ({})", list(&SECOND), list(&merged))]);
    let columns = ["input", "two layers", "one layer, W₂·W₁", "sigmoid between"];
    let mut table = Table::new("two layers are one; the last row is the sum of the other two", &columns);
    for (at, point) in points.chunks(2).enumerate() {
        table.row(vec![list(point).into(), two[at].into(), one[at].into(), nonlinear[at].into()]);
    }
    page.table(table);
    page.text(
        "Linear layers also add up: the output for a sum of inputs is the sum of their outputs, which \
         the last row shows. With a sigmoid between the layers it no longer is, so no single matrix can \
         replace them. Deep networks need this non-linearity.",
    );
    Ok(())
}

/// Three inputs through both layers.
fn through(machine: &Machine, points: &[f32], between: Activation) -> Result<Vec<f32>> {
    let layer = |inputs, outputs, activation| DenseLayer {
        samples: 3,
        bias: activation != Activation::Identity,
        activation,
        ..DenseLayer::linear(inputs, outputs, Scope::Predict)
    };
    let mut first = Workbench::new(machine, layer(2, 3, between))?;
    first.set_input(points)?;
    first.set_weights(&FIRST)?;
    let mut second = Workbench::new(machine, layer(3, 1, Activation::Identity))?;
    second.set_input(&first.predict()?)?;
    second.set_weights(&SECOND)?;
    second.predict()
}
