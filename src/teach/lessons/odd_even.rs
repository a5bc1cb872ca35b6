//! Lesson 11: odd or even, by a network with a hidden layer.

mod learning;
mod sweep;

pub use learning::{
    DIGITS, HIDDEN, IterationErrors, LEARNED, NUMBERS, OddEvenSettings, binary, course, learn, split, target,
    train,
};

use super::course::{Course, PartMeasure};
use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, at_most};
use learning::lowered;

use crate::error::Result;
use crate::kernel::rng::shuffled;
use crate::program::rewrite::Rewrites;
use crate::report::page::number::{digits, equation, factor};
use crate::report::page::{Page, Plot, Style};

pub const LESSON: Lesson = Lesson {
    id: "11",
    name: "odd-or-even",
    summary: "hidden layers: the error goes back through transposed weights",
    takes: &[Setting::Alpha, Setting::Iterations, Setting::Seed, Setting::Input],
    teach,
    limit: |options, _| Ok(limit(&settings(options)?)),
};

/// One step in full.
struct FullStep {
    number: usize,
    hidden: Vec<f32>,
    prediction: f32,
    /// prediction − target
    error: f32,
    /// error · sigmoid'(prediction)
    prediction_delta: f32,
    /// prediction_delta · weight · sigmoid'(hidden), for each hidden neuron
    hidden_delta: Vec<f32>,
    /// The weight from each hidden neuron to the output, before and after.
    before: Vec<f32>,
    after: Vec<f32>,
}

/// One step from the seed's weights, by the plain Program, which keeps every number.
fn step(machine: &Machine, settings: &OddEvenSettings) -> Result<FullStep> {
    let mut course = lowered(machine, settings.seed, Rewrites::NONE)?;
    let arena = course.lowered.arena.initial_values(settings.seed);
    course.begin(&arena)?;
    let sample = shuffled(LEARNED, settings.seed, 1)[0] as usize;
    course.train(&[sample], settings.alpha)?;
    let after = course.parameters()?;
    let output = &course.lowered.arena.params[2];
    let range = output.start..output.start + output.len();
    // The activations behind each dense layer, and behind its sigmoid.
    let [hidden_sum, hidden] = [course.activation(1)?, course.activation(2)?];
    let [output_sum, output] = [course.activation(3)?, course.activation(4)?];
    Ok(FullStep {
        number: split(settings.seed).learned[sample],
        hidden: hidden.values,
        prediction: output.values[0],
        error: output.gradient[0],
        prediction_delta: output_sum.gradient[0],
        hidden_delta: hidden_sum.gradient,
        before: arena[range.clone()].to_vec(),
        after: after[range].to_vec(),
    })
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let settings = settings(options)?;
    let asked = asked(options)?;
    let step = step(machine, &settings)?;
    let mut course = course(machine, settings.seed)?;
    let trials = sweep::sweep(&mut course, &settings)?;
    let iterations = learn(&mut course, &settings)?;

    let mut page = Page::new("11 · Odd or even: hidden layers");
    page.text(
        "A number goes in as eight binary digits; out comes 1 for even, 0 for odd. The 16 hidden neurons \
         between them get their part of the error. No target says what they should compute.",
    );
    page.formulas(lines(&step, settings.alpha));
    page.text(
        "The error at the output times the derivative of the sigmoid is a delta. A hidden neuron's delta is \
         the output's delta times the weight between them (going back, the weights' matrix is read \
         transposed) times its own derivative. Every weight then moves by alpha · the delta behind it · the \
         value in front of it, as in lesson 7.",
    );
    page.plot(curve(&iterations));
    page.text(conclusion(&settings, &iterations));
    page.table(sweep::table(&settings, &trials));
    page.text(
        "Too small an alpha has hardly moved when the time is up. Too large a one makes the sums so large \
         that the sigmoid is flat: every prediction is 0 or 1, the derivative is 0, and a delta of 0 changes \
         no weight. The network is stuck with one answer for everything, right for half of the numbers.",
    );
    if let Some(number) = asked {
        page.formulas([answer(&mut course, number, settings.seed)?]);
    }
    page.note(course.note());
    page.try_this(
        "wgrad lesson odd-or-even --alpha 0.01 --iterations 100",
        "is a small alpha wrong, or only slow?",
    );
    Ok(page)
}

fn settings(options: &LessonOptions) -> Result<OddEvenSettings> {
    let own = OddEvenSettings::default();
    Ok(OddEvenSettings {
        alpha: options.alpha.unwrap_or(own.alpha),
        iterations: at_most(options.iterations.unwrap_or(own.iterations), MOST_ITERATIONS)?,
        seed: options.seed.unwrap_or(own.seed),
    })
}

/// An alpha up to which no sum can overflow. |p − t| · p·(1 − p) is nowhere
/// larger than 4/27, so with reach = steps · alpha · 4/27 a weight of the output
/// stays below 1 + reach, a hidden one below 1 + reach · (1 + reach) / 4, and a
/// sum has at most 9 of the latter or 17 of the former.
fn limit(settings: &OddEvenSettings) -> String {
    let steps = (settings.iterations * LEARNED) as f64;
    // From 9 · (1 + reach)² / 4 < MOST, which is the tighter one.
    let reach = (limit::MOST * 4.0 / 9.0).sqrt() - 1.0;
    limit::alpha(settings.alpha, reach / (steps * 4.0 / 27.0))
}

/// The most iterations over the numbers, as the sweep takes as many for each alpha.
const MOST_ITERATIONS: usize = 200;

/// The number to classify at the end.
fn asked(options: &LessonOptions) -> Result<Option<usize>> {
    match options.input.as_deref() {
        None => Ok(None),
        Some(&[number]) if number.fract() == 0.0 && (0.0..NUMBERS as f32).contains(&number) => {
            Ok(Some(number as usize))
        }
        Some(_) => {
            Err(Setting::Input.error(format!("⟨input⟩ must be one whole number from 0 to {}", NUMBERS - 1)))
        }
    }
}

fn text(number: usize) -> String {
    format!("{number:0DIGITS$b}")
}

fn lines(step: &FullStep, alpha: f32) -> Vec<String> {
    let (number, prediction, delta) = (step.number, digits(step.prediction), factor(step.prediction_delta));
    let (hidden, weight) = (digits(step.hidden[0]), factor(step.before[0]));
    let links = [
        ("hidden 1        ", "sigmoid(digits · weights + bias)".to_owned(), step.hidden[0]),
        ("prediction      ", "sigmoid(hidden · weights + bias)".to_owned(), step.prediction),
        ("error           ", format!("{prediction} − {}", target(number)), step.error),
        (
            "prediction_delta",
            format!("{} · {prediction} · (1 − {prediction})", factor(step.error)),
            step.prediction_delta,
        ),
        ("hidden_delta 1  ", format!("{delta} · {weight} · {hidden} · (1 − {hidden})"), step.hidden_delta[0]),
        ("weight 1        ", format!("{weight} − {} · {delta} · {hidden}", digits(alpha)), step.after[0]),
    ];
    let lines = links.iter().flat_map(|(name, formula, value)| equation(name, formula, &digits(*value)));
    std::iter::once(format!("{number} is {}, target {}", text(number), target(number))).chain(lines).collect()
}

fn curve(iterations: &[IterationErrors]) -> Plot {
    let series = |part: fn(&IterationErrors) -> PartMeasure| {
        let mean = move |(at, iteration): (usize, &IterationErrors)| {
            let part = part(iteration);
            ((at + 1) as f64, part.loss / part.samples as f64)
        };
        iterations.iter().enumerate().map(mean).collect::<Vec<_>>()
    };
    let last = iterations.last();
    let name = |what: &str, part: Option<PartMeasure>| {
        let PartMeasure { samples, correct, .. } = part.unwrap_or_default();
        format!("{what} ({correct} of {samples} right)")
    };
    let learned = name("learned from", last.map(|last| last.learned));
    let held_out = name("held out", last.map(|last| last.held_out));
    Plot::new("mean squared error over the numbers", "iteration", "error")
        .series(learned, Style::Path, series(|iteration| iteration.learned))
        .series(held_out, Style::Path, series(|iteration| iteration.held_out))
}

fn conclusion(settings: &OddEvenSettings, iterations: &[IterationErrors]) -> String {
    let Some(IterationErrors { learned, held_out }) = iterations.last() else { return String::new() };
    let meaning = if held_out.correct == held_out.samples {
        "It has not memorised the numbers, it has found the digit that matters."
    } else {
        "It has not found the digit that matters; the table shows what other alphas do."
    };
    format!(
        "Learned from {} numbers, tested on the {} it has never seen. With alpha {} it gets {} of {} \
         right, and of those it learned from {} of {}. {meaning}",
        learned.samples,
        held_out.samples,
        digits(settings.alpha),
        held_out.correct,
        held_out.samples,
        learned.correct,
        learned.samples
    )
}

fn answer(course: &mut Course, number: usize, seed: u64) -> Result<String> {
    let prediction = course.predict(&[binary(number)])?[0];
    let seen = if split(seed).learned.contains(&number) { "learned from" } else { "held out" };
    let verdict = if prediction > 0.5 { "even" } else { "odd" };
    Ok(format!("{number} ({seen}) is {}: prediction {}, {verdict}", text(number), digits(prediction)))
}
