//! Lesson 5: hot and cold learning; and the walk that lesson 6 takes too.

use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use super::workbench::{Attempt, DenseLayer, Scope, Workbench};
use crate::error::Result;
use crate::report::page::number::{count, digits, factor};
use crate::report::page::{Cell, Note, Page, Plot, Style, Table};

pub const LESSON: Lesson = Lesson {
    id: "5",
    name: "hot-and-cold",
    summary: "learning by trial: try a step up and a step down, keep the better",
    takes: &[Setting::Step, Setting::Iterations, Setting::Input, Setting::Weights, Setting::Goal],
    teach,
    limit: |options, _| Ok(limit(options, STEP)),
};

const STEP: f32 = 0.001;
const INPUT: [f32; 1] = [0.5];
const GOAL: [f32; 1] = [0.8];
/// The start of every weight.
const WEIGHT: f32 = 0.5;

/// The limit from which the errors of a walk overflow.
///
/// The first try is a step away from the start.
pub fn limit(options: &LessonOptions, step: f32) -> String {
    let (input, goal) = (options.input_or(&INPUT), options.goal_or(&GOAL));
    let weights = options.weights_or(&vec![WEIGHT; input.len() * goal.len()]);
    let step = f64::from(options.step.unwrap_or(step));
    let reach = input.iter().map(|x| step * f64::from(x.abs())).fold(0.0, f64::max);
    limit::squares(limit::furthest(&input, &weights, &goal) + reach)
}

/// A walk of hot and cold learning, every step of it.
pub struct Walk {
    pub input: Vec<f32>,
    pub goal: Vec<f32>,
    pub step: f32,
    pub attempts: Vec<Attempt>,
    pub note: Note,
}

impl Walk {
    /// Walks from the given weights or the lesson's own; ends early on overflow.
    pub fn take(options: &LessonOptions, step: f32, iterations: usize, machine: &Machine) -> Result<Walk> {
        let (input, goal) = (options.input_or(&INPUT), options.goal_or(&GOAL));
        let own = vec![WEIGHT; input.len() * goal.len()];
        let weights = options.weights_or(&own);
        if weights.len() != own.len() {
            return Err(Setting::Weights.error(format!(
                "⟨weights⟩ has {}; {} for {} need {}",
                count(weights.len(), "number"),
                count(input.len(), "input"),
                count(goal.len(), "goal"),
                own.len()
            )));
        }
        let step = options.step.unwrap_or(step);
        let mut bench =
            Workbench::new(machine, DenseLayer::linear(input.len(), goal.len(), Scope::HotAndCold))?;
        bench.set_input(&input)?;
        bench.set_goal(&goal)?;
        bench.set_weights(&weights)?;
        let mut attempts: Vec<Attempt> = Vec::new();
        for _ in 0..options.iterations.unwrap_or(iterations) {
            attempts.push(bench.walk(step)?);
            if attempts.last().is_some_and(|attempt| !attempt.is_finite()) {
                break;
            }
        }
        Ok(Walk { input, goal, step, attempts, note: bench.note() })
    }

    /// Both tries of the weight with their numbers; with several weights, the formulas.
    pub fn formulas(&self) -> Vec<String> {
        let (Some(first), [input], [goal]) =
            (self.attempts.first(), self.input.as_slice(), self.goal.as_slice())
        else {
            return ["up  ", "down"]
                .map(|what| {
                    format!("error {what} = (Σ input · weight - goal)² with this weight a step {what}")
                })
                .to_vec();
        };
        let tried = |what: &str, sign: char, error: f32| {
            format!(
                "error a step {what} = ({} · ({} {sign} {}) - {})² = {}",
                digits(*input),
                digits(first.before[0]),
                digits(self.step),
                factor(*goal),
                digits(error)
            )
        };
        let moved = format!("new weight        = {}", digits(first.weights[0]));
        vec![tried("up  ", '+', first.up[0]), tried("down", '-', first.down[0]), moved]
    }

    /// Every iteration: with one weight both tries, with several the weights.
    pub fn table(&self) -> Table {
        if self.input.len() == 1 && self.goal.len() == 1 {
            let columns =
                ["iteration", "weight", "prediction", "error", "error up", "error down", "new weight"];
            let mut table = Table::new("iterations", &columns);
            for (at, one) in self.attempts.iter().enumerate() {
                let numbers = [&one.before, &one.prediction, &one.error, &one.up, &one.down, &one.weights];
                let cells = [Cell::from(at + 1)].into_iter();
                table.row(cells.chain(numbers.map(|values| values[0].into())).collect());
            }
            return table;
        }
        let names = |what: &str, many: usize| (1..=many).map(move |at| format!("{what} {at}")).collect();
        let predictions: Vec<String> = names("prediction", self.goal.len());
        let weights: Vec<String> = names("weight", self.goal.len() * self.input.len());
        let columns: Vec<&str> = ["iteration", "error"]
            .into_iter()
            .chain(predictions.iter().chain(&weights).map(String::as_str))
            .collect();
        let mut table = Table::new("iterations", &columns);
        for (at, one) in self.attempts.iter().enumerate() {
            let error: f32 = one.error.iter().sum();
            let values = one.prediction.iter().chain(&one.before).map(|value| Cell::from(*value));
            table.row([Cell::from(at + 1), error.into()].into_iter().chain(values).collect());
        }
        table
    }

    /// The tries of each weight in the first iteration, if there are several weights.
    pub fn first_tries(&self) -> Option<Table> {
        let first = self.attempts.first().filter(|first| first.before.len() > 1)?;
        let columns = ["weight", "at", "error up", "error down", "new weight"];
        let mut table = Table::new("the first iteration, weight by weight", &columns);
        for at in 0..first.before.len() {
            let values = [first.before[at], first.up[at], first.down[at], first.weights[at]];
            table.row([Cell::from(at + 1)].into_iter().chain(values.map(Into::into)).collect());
        }
        Some(table)
    }

    /// Adds a remark where the input is 0, so that no weight has an effect.
    pub fn remark(&self, page: &mut Page) {
        if self.input.iter().all(|input| *input == 0.0) {
            page.remark(
                "With an input of 0 no weight has an effect: both directions are equally bad, so no weight changes.",
            );
        }
    }

    /// A value of every iteration, for plots.
    pub fn series(&self, value: impl Fn(&Attempt) -> f32) -> Vec<(f64, f64)> {
        let point = |(at, one): (usize, &Attempt)| ((at + 1) as f64, f64::from(value(one)));
        self.attempts.iter().enumerate().map(point).collect()
    }
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let walk = Walk::take(options, STEP, 1101, machine)?;
    let mut page = Page::new("5 · Hot and cold learning");
    page.text(
        "The first way to learn is a children's game: nudge the weight a little up and look at the error, a \
         little down and look again, then go where it was smaller. It takes no understanding of why it is smaller.",
    );
    walk.remark(&mut page);
    page.formulas(walk.formulas());
    if let Some(tries) = walk.first_tries() {
        page.text("Each weight tries both ways while all others stay as they are; then all move at once.");
        page.table(tries);
    }
    page.table(walk.table());
    page.plot(Plot::new("a step at a time", "iteration", "error").series(
        "error",
        Style::Line,
        walk.series(|one| one.error.iter().sum()),
    ));
    page.text(
        "It works, and it is simple, but it is slow: every weight costs two predictions per step, and \
         the step has the same length far away from the goal and close to it.",
    );
    page.note(walk.note.clone());
    page.try_this(
        "wgrad lesson hot-and-cold --step 0.01 --iterations 130",
        "ten times the step arrives in a tenth of the time; what does it do once it is there?",
    );
    Ok(page)
}
