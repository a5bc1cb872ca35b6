//! Lesson 9: one corrective step, and what it does to another input.

use super::lesson::Lesson;
use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use super::similarity::{WEIGHTS, class};
use super::workbench::{DenseLayer, Scope, Workbench};
use super::{decision, limit};
use crate::error::Result;
use crate::kernel::Activation;
use crate::report::page::number::count;
use crate::report::page::number::{digits, factor, list};
use crate::report::page::{Page, Plot, Table};

pub const LESSON: Lesson = Lesson {
    id: "9",
    name: "one-correction",
    summary: "one step that repairs one input, and spoils another: overfitting",
    takes: &[Setting::Alpha, Setting::Weights],
    teach,
    limit: |options, _| {
        let weights = options.weights_or(&WEIGHTS);
        let largest = weights.iter().fold(0.0, |most: f64, weight| most.max(weight.abs().into()));
        // A derivative 2 · (p − t) is at most 2, and no input's numbers add up to more than 3.5.
        Ok(limit::alpha(options.alpha.unwrap_or(ALPHA), (limit::MOST / 3.5 - largest) / 2.0))
    },
};

/// The two inputs of lesson 8; the second is predicted wrongly.
const INPUTS: [[f32; 2]; 2] = [[1.66, 1.56], [2.0, 1.5]];
const GOALS: [f32; 2] = [1.0, 0.0];
const ALPHA: f32 = 1.0;

/// Prediction and squared error of both inputs.
struct PairErrors {
    predictions: [f32; 2],
    errors: [f32; 2],
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let weights = options.weights_or(&WEIGHTS);
    if weights.len() != 2 {
        let given = count(weights.len(), "number");
        let problem = format!("⟨weights⟩ has {given}, and this neuron has two inputs: give two");
        return Err(Setting::Weights.error(problem));
    }
    let alpha = options.alpha.unwrap_or(ALPHA);
    let layer = DenseLayer {
        bias: true,
        activation: Activation::Sigmoid,
        factor: 2.0,
        ..DenseLayer::linear(2, 1, Scope::Descend)
    };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_bias(&[0.0])?;

    bench.set_weights(&weights)?;
    // The second input comes last, so that its derivative is the one left behind.
    let before = evaluate(&mut bench)?;
    let derivative = bench.dprediction()?[0];
    bench.delta()?;
    let chain = bench.weight_delta()?;
    let corrected = bench.update_by(&[derivative; 2], alpha)?;
    let after = evaluate(&mut bench)?;

    let mut page = Page::new("9 · One corrective step");
    page.text(
        "The second input of lesson 8 is predicted wrongly. The derivative of its squared error says \
         which way to go; this is the crudest way to use it.",
    );
    page.formulas(arithmetic(alpha, &weights, derivative, before.predictions[1], &corrected));
    page.table(verdicts(&weights, &corrected, &before, &after));
    page.plot(picture(&weights, &corrected));
    page.text(conclusion(&before, &after));
    page.text(
        "The step was crude in two ways. It moved every weight by the same amount, although they \
         contributed differently to the error; and it used only one input. The chain rule, \
         2·(p − t) · p·(1 − p) · input, gives each weight its own derivative:",
    );
    let mut table =
        Table::new("derivatives for the second input", &["weight", "input", "crude step", "chain rule"]);
    for at in 0..2 {
        table.row(vec![(at + 1).into(), INPUTS[1][at].into(), derivative.into(), chain[at].into()]);
    }
    page.table(table);
    page.note(bench.note());
    page.try_this(
        "wgrad lesson one-correction --alpha 0.3",
        "is there any alpha between 0 and 1 with which both inputs are right?",
    );
    Ok(page)
}

/// Predicts both inputs, one after the other.
fn evaluate(bench: &mut Workbench) -> Result<PairErrors> {
    let mut verdict = PairErrors { predictions: [0.0; 2], errors: [0.0; 2] };
    for (at, input) in INPUTS.iter().enumerate() {
        bench.set_input(input)?;
        bench.set_goal(&GOALS[at..=at])?;
        verdict.predictions[at] = bench.predict()?[0];
        verdict.errors[at] = bench.error()?[0];
    }
    Ok(verdict)
}

fn arithmetic(
    alpha: f32,
    weights: &[f32],
    derivative: f32,
    prediction: f32,
    corrected: &[f32],
) -> Vec<String> {
    let mut lines = vec![format!(
        "derivative = 2 · (prediction − target) = 2 · ({} − {}) = {}",
        digits(prediction),
        digits(GOALS[1]),
        digits(derivative)
    )];
    for (at, (weight, corrected)) in weights.iter().zip(corrected).enumerate() {
        let weight = factor(*weight);
        lines.push(format!(
            "weight {} = {weight} − {} · {} = {}",
            at + 1,
            factor(alpha),
            factor(derivative),
            digits(*corrected)
        ));
    }
    lines
}

fn verdicts(weights: &[f32], corrected: &[f32], before: &PairErrors, after: &PairErrors) -> Table {
    let mut table = Table::new(
        format!("from weights {} to {}; targets 1 and 0", list(weights), list(corrected)),
        &["input", "before", "squared error", "", "after", "error after", " "],
    );
    let verdict = |prediction: f32, goal: f32| if class(prediction) == goal { "right" } else { "wrong" };
    for at in 0..2 {
        table.row(vec![
            list(&INPUTS[at]).into(),
            before.predictions[at].into(),
            before.errors[at].into(),
            verdict(before.predictions[at], GOALS[at]).into(),
            after.predictions[at].into(),
            after.errors[at].into(),
            verdict(after.predictions[at], GOALS[at]).into(),
        ]);
    }
    table
}

/// Both inputs, and the line between the classes before and after.
fn picture(weights: &[f32], corrected: &[f32]) -> Plot {
    let points: Vec<decision::Point> = INPUTS.into_iter().zip(GOALS.map(|goal| goal == 1.0)).collect();
    let line = |weights: &[f32]| [weights[0], weights[1], 0.0];
    let lines = [("before", line(weights)), ("after", line(corrected))];
    decision::plot("where the prediction is one half", &points, &lines)
}

/// The sentence about which inputs are right after the step.
fn conclusion(before: &PairErrors, after: &PairErrors) -> String {
    let right = |verdict: &PairErrors| [0, 1].map(|at| class(verdict.predictions[at]) == GOALS[at]);
    match (right(before), right(after)) {
        ([true, _], [false, true]) => {
            "The second input is right now, and its error has almost gone. But the first input, which was \
             right, is wrong: the weights fit one example at the cost of the other. That is overfitting: \
             better on the examples learned from, worse on the rest."
        }
        (_, [true, false]) => {
            "The first input is still right and the second still wrong: this step was too short to \
             turn it. A longer one turns it, and see what becomes of the first."
        }
        (_, [false, false]) => {
            "Now both are wrong: the step was long enough to lose the first input and too short to win \
             the second."
        }
        (_, [true, true]) => {
            "Both are right. With other weights this single step may not do that, as it used only the \
             second input."
        }
        (_, [false, true]) => "The second input is right, the first is not: one step for one input.",
    }
    .to_owned()
}
