//! Lesson 10: one neuron trained by stochastic gradient descent.

use crate::program::rewrite::Rewrites;
use rand::RngExt;

use super::course::{Course, Outline, rows};
use super::lesson::Lesson;
use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use super::{decision, limit};
use crate::error::Result;
use crate::kernel::rng::{Purpose, generator};
use crate::network::Network;
use crate::network::loss::Loss;
use crate::network::lower::HELD_OUT;
use crate::report::page::number::{count, digits, equation, factor, list, number};
use crate::report::page::{Cell, Page, Plot, Style, Table};

pub const LESSON: Lesson = Lesson {
    id: "10",
    name: "neuron",
    summary: "a neuron with a bias, trained on one random sample after the other",
    takes: &[Setting::Alpha, Setting::Iterations, Setting::Seed, Setting::Weights, Setting::Input],
    teach,
    limit: |options, _| Ok(limit(&settings(options)?, options)),
};

/// The eight points.
pub const INPUTS: [[f32; 2]; 8] =
    [[3.0, 1.5], [2.0, 1.0], [4.0, 1.5], [3.0, 4.0], [3.5, 0.5], [2.0, 0.5], [5.5, 1.0], [1.0, 1.0]];
/// The target of each.
pub const TARGETS: [u32; 8] = [0, 1, 0, 1, 0, 1, 1, 0];
/// Iterations between two points of the curve.
pub const EVERY: usize = 100;

/// All coordinates are multiples of one half, so bytes hold them exactly.
const SCALE: f32 = 0.5;

/// The settings of the lesson.
#[derive(Clone, Debug)]
pub struct NeuronSettings {
    pub alpha: f32,
    pub iterations: usize,
    pub seed: u64,
    /// Both weights and the bias; without them they are drawn from the seed.
    pub weights: Option<[f32; 3]>,
}

impl Default for NeuronSettings {
    fn default() -> NeuronSettings {
        NeuronSettings { alpha: 0.1, iterations: 10_000, seed: 0, weights: None }
    }
}

/// The first step in full.
#[derive(Clone, Debug)]
pub struct FirstStep {
    pub sample: usize,
    pub prediction: f32,
    pub error: f64,
    /// derror/dprediction = 2·(prediction − target)
    pub by_prediction: f32,
    /// times dprediction/dsum = prediction·(1 − prediction)
    pub by_sum: f32,
    /// times dsum/dweights = the inputs, and dsum/dbias = 1
    pub gradient: [f32; 3],
    pub after: [f32; 3],
}

/// The result of the training.
#[derive(Clone, Debug)]
pub struct Learned {
    pub start: [f32; 3],
    pub first: FirstStep,
    /// The squared error summed over all eight points, every [`EVERY`] iterations.
    pub curve: Vec<f64>,
    pub end: [f32; 3],
    pub outputs: Vec<f32>,
}

/// An alpha up to which no sum can overflow. A step changes a weight by at most
/// alpha · 8/27 · 5.5: 2 · |p − t| · p·(1 − p) is nowhere larger than 8/27, and no
/// input larger than 5.5.
fn limit(settings: &NeuronSettings, options: &LessonOptions) -> String {
    let pairs = INPUTS.iter().map(|[x, y]| (*x, *y));
    let asked = options.input.iter().flat_map(|asked| asked.chunks_exact(2).map(|pair| (pair[0], pair[1])));
    // The numbers that a sum multiplies the weights and the bias with.
    let factors = pairs.chain(asked).map(|(x, y)| f64::from(x.abs()) + f64::from(y.abs()) + 1.0);
    let factors = factors.fold(0.0, f64::max);
    let start =
        settings.weights.unwrap_or([1.0; 3]).into_iter().fold(0.0, |most: f64, w| most.max(w.abs().into()));
    let sure = (limit::MOST / factors - start) / (settings.iterations as f64 * 8.0 / 27.0 * 5.5);
    limit::alpha(settings.alpha, sure)
}

/// The point that each iteration sees.
pub fn order(seed: u64, iterations: usize) -> Vec<usize> {
    let mut rng = generator(seed, Purpose::Order, 0);
    (0..iterations).map(|_| rng.random_range(0..INPUTS.len())).collect()
}

/// The neuron, with the eight points on the device.
pub fn course(machine: &Machine) -> Result<Course> {
    let network: Network = "dense 1, sigmoid".parse()?;
    let points = rows(&INPUTS.map(Vec::from), &TARGETS, SCALE);
    Course::new(
        machine,
        // Mean squared error over one output: the plain square, with the factor 2 in its derivative.
        &Outline {
            network: &network,
            loss: Loss::Mse,
            train: &points,
            held_out: &points,
            scale: SCALE,
            rewrites: Rewrites::NONE,
        },
    )
}

/// Weights and bias in the arena, each on its own 64 words.
fn pick(course: &Course, arena: &[f32]) -> [f32; 3] {
    let [weight, bias] = [0, 1].map(|at| course.lowered.arena.params[at].start);
    [arena[weight], arena[weight + 1], arena[bias]]
}

/// The whole training.
pub fn learn(course: &mut Course, settings: &NeuronSettings) -> Result<Learned> {
    let mut arena = course.lowered.arena.initial_values(settings.seed);
    if let Some([first, second, bias]) = settings.weights {
        let [weight, at] = [0, 1].map(|at| course.lowered.arena.params[at].start);
        (arena[weight], arena[weight + 1], arena[at]) = (first, second, bias);
    }
    course.begin(&arena)?;
    let start = pick(course, &arena);
    let order = order(settings.seed, settings.iterations);
    let first = first_step(course, order[0], settings.alpha)?;
    // The first step again, with the others.
    course.begin(&arena)?;
    let mut curve = Vec::new();
    for samples in order.chunks(EVERY) {
        course.train(samples, settings.alpha)?;
        // A shorter last stretch would be a point in the wrong position.
        if samples.len() == EVERY {
            curve.push(course.measure(HELD_OUT)?.loss);
        }
    }
    let end = course.parameters()?;
    let end = pick(course, &end);
    let outputs = course.predict(&INPUTS.map(Vec::from))?;
    Ok(Learned { start, first, curve, end, outputs })
}

fn first_step(course: &mut Course, sample: usize, alpha: f32) -> Result<FirstStep> {
    let error = course.train(&[sample], alpha)?;
    let gradients = course.gradients()?;
    let after = course.parameters()?;
    // The activation behind the dense layer, and that behind the sigmoid.
    let [sum, output] = [course.activation(1)?, course.activation(2)?];
    Ok(FirstStep {
        sample,
        prediction: output.values[0],
        error,
        by_prediction: output.gradient[0],
        by_sum: sum.gradient[0],
        gradient: pick(course, &gradients),
        after: pick(course, &after),
    })
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let settings = settings(options)?;
    let asked = options.input.clone().unwrap_or_default();
    if !asked.len().is_multiple_of(2) {
        let given = count(asked.len(), "number");
        let problem = format!("⟨input⟩ has {given}, but a point has two: give pairs");
        return Err(Setting::Input.error(problem));
    }
    let mut course = course(machine)?;
    let learned = learn(&mut course, &settings)?;
    let mut page = Page::new("10 · A neuron that trains itself");
    page.text(
        "Lesson 9 used one input and spoiled another. So use all of them, one at a time, in random \
         order, and take a small step for each: stochastic gradient descent.",
    );
    page.formulas(first_lines(&learned, &settings));
    page.text(
        "Each line is one factor of the chain rule: how the error changes with the prediction, the prediction \
         with the sum, the sum with a weight. The derivative by a weight is their product. The bias is a \
         weight whose input is always 1, so its last factor is 1.",
    );
    if learned.curve.len() > 1 {
        page.plot(curve(&learned));
    }
    page.plot(line(&learned.end));
    page.table(points(&learned));
    let correct = correct(&learned);
    page.text(format!(
        "After {} the neuron gets {correct} of 8 right, and no line gets more than six: class 1 lies on both \
         sides of class 0. Predicting one half for everything has a squared error of 8 · 0.25 = 2, and \
         {}. One neuron draws one straight line, whatever alpha is. A curved one takes a hidden layer, which \
         comes next.",
        count(settings.iterations, "iteration"),
        total_error(&learned)
    ));
    if !asked.is_empty() {
        let asked: Vec<Vec<f32>> = asked.chunks(2).map(<[f32]>::to_vec).collect();
        let mut table = Table::new("your points", &["point", "prediction"]);
        for (point, prediction) in asked.iter().zip(course.predict(&asked)?) {
            table.row(vec![list(point).into(), prediction.into()]);
        }
        page.table(table);
    }
    page.note(course.note());
    page.try_this("wgrad lesson neuron --alpha 0.01", "the curve gets smoother; does it also get lower?");
    Ok(page)
}

fn settings(options: &LessonOptions) -> Result<NeuronSettings> {
    let own = NeuronSettings::default();
    let weights = match options.weights.as_deref() {
        None => None,
        Some(&[first, second, bias]) => Some([first, second, bias]),
        Some(other) => {
            let given = count(other.len(), "number");
            let problem =
                format!("⟨weights⟩ has {given}, but the neuron has two weights and a bias: give three");
            return Err(Setting::Weights.error(problem));
        }
    };
    Ok(NeuronSettings {
        alpha: options.alpha.unwrap_or(own.alpha),
        iterations: options.iterations.unwrap_or(own.iterations),
        seed: options.seed.unwrap_or(own.seed),
        weights,
    })
}

/// The first step, link by link.
fn first_lines(learned: &Learned, settings: &NeuronSettings) -> Vec<String> {
    let Learned { start, first: step, .. } = learned;
    let [x, y] = INPUTS[step.sample].map(factor);
    let [first, second, bias] = start.map(factor);
    let (p, target) = (digits(step.prediction), TARGETS[step.sample]);
    let mut lines = equation("prediction", &format!("sigmoid({x} · {first} + {y} · {second} + {bias})"), &p);
    lines.extend([
        format!("error = ({p} − {target})² = {}", number(step.error)),
        format!("d error / d prediction = 2 · ({p} − {target}) = {}", digits(step.by_prediction)),
        format!("d error / d sum        = that · {p} · (1 − {p}) = {}", digits(step.by_sum)),
        format!("d error / d weights    = that · ({x}, {y}) = {}", list(&step.gradient[..2])),
        format!("d error / d bias       = that · 1 = {}", digits(step.gradient[2])),
    ]);
    for (at, name) in ["weight 1", "weight 2", "bias    "].into_iter().enumerate() {
        let change =
            format!("{} − {} · {}", digits(start[at]), digits(settings.alpha), factor(step.gradient[at]));
        lines.extend(equation(name, &change, &digits(step.after[at])));
    }
    lines
}

fn curve(learned: &Learned) -> Plot {
    let points = learned.curve.iter().enumerate().map(|(at, error)| (((at + 1) * EVERY) as f64, *error));
    Plot::new("the squared error over all eight points", "iteration", "error").series(
        "error",
        Style::Line,
        points.collect::<Vec<_>>(),
    )
}

fn line(weights: &[f32; 3]) -> Plot {
    let points: Vec<decision::Point> = INPUTS.into_iter().zip(TARGETS.map(|target| target == 1)).collect();
    decision::plot("where the prediction is one half", &points, &[("the line", *weights)])
}

fn points(learned: &Learned) -> Table {
    let mut table = Table::new(
        format!(
            "the eight points ({} right), with weights and bias {}",
            correct(learned),
            list(&learned.end)
        ),
        &["input 1", "input 2", "target", "prediction", ""],
    );
    for ((point, target), output) in INPUTS.iter().zip(TARGETS).zip(&learned.outputs) {
        let verdict = if (*output > 0.5) == (target == 1) { "right" } else { "wrong" };
        let cells: [Cell; 5] =
            [point[0].into(), point[1].into(), (target as usize).into(), (*output).into(), verdict.into()];
        table.row(cells.into());
    }
    table
}

/// The squared error at the end beside that of predicting one half for everything.
fn total_error(learned: &Learned) -> String {
    let errors = learned.outputs.iter().zip(TARGETS);
    let error: f64 = errors.map(|(output, target)| (f64::from(*output) - f64::from(target)).powi(2)).sum();
    let verdict = match error {
        error if error > 2.5 => "worse than predicting one half",
        error if error < 1.5 => "better than that, but not nothing",
        _ => "about the same: the neuron is too simple to do much better",
    };
    format!("these predictions have {}, {verdict}", number(error))
}

fn correct(learned: &Learned) -> usize {
    let pairs = learned.outputs.iter().zip(TARGETS);
    pairs.filter(|(output, target)| (**output > 0.5) == (*target == 1)).count()
}
