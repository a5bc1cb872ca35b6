//! Lessons 8 to 12: from similarity to images.

use wgrad::Error;
use wgrad::internals::network::lower::HELD_OUT;
use wgrad::internals::report::page::{Block, Page};
use wgrad::internals::teach::lessons::machine::Machine;
use wgrad::internals::teach::lessons::neuron::{EVERY, INPUTS, TARGETS, order};
use wgrad::internals::teach::lessons::odd_even;
use wgrad::internals::teach::lessons::options::LessonOptions;
use wgrad::internals::teach::lessons::{find, run};

use super::{close, everywhere, machines, table};

fn formulas(page: &Page) -> Vec<String> {
    let lines = page.blocks.iter().filter_map(|block| match block {
        Block::Formulas(lines) => Some(lines.clone()),
        _ => None,
    });
    lines.flatten().collect()
}

/// The last number of the first line that begins like this.
fn value(page: &Page, start: &str) -> f64 {
    let lines = formulas(page);
    let line = lines.iter().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no line “{start} …” in {lines:#?}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn refused(lesson: &str, options: &LessonOptions) -> String {
    match run(find(lesson).unwrap(), options, &Machine::plain()) {
        Err(error @ (Error::Usage(_) | Error::Setting { .. })) => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("lesson {lesson} took {options:?}"),
    }
}

#[test]
fn similarity_is_measured_and_two_linear_layers_are_one() {
    everywhere("similarity", &LessonOptions::default(), |page| {
        close(
            &[value(page, "(1.72, 1.23) · (1.26, 0)"), value(page, "(1.72, 1.23) · (2.17, 0.32)")],
            &[2.1672, 4.126],
        );
        let predictions = table(page, "weights 1.45, -0.66, bias 0");
        close(&predictions.column("weighted sum"), &[1.3774, 1.91]);
        close(&predictions.column("prediction"), &[0.798_573_1, 0.871_019_15]);
        close(&predictions.column("class"), &[1.0, 1.0]);
        close(&predictions.column("squared error")[1..], &[0.758_674_36]);
        // W₂·W₁ by hand is (-0.85, 0.2).
        let layers = table(page, "two layers are one; the last row is the sum of the other two");
        let by_hand = [-0.85 * 1.66 + 0.2 * 1.56, -0.85 * 2.0 + 0.2 * 1.5, -0.85 * 3.66 + 0.2 * 3.06];
        close(&layers.column("two layers"), &by_hand);
        close(&layers.column("one layer, W₂·W₁"), &by_hand);
        let nonlinear = layers.column("sigmoid between");
        assert!((nonlinear[0] + nonlinear[1] - nonlinear[2]).abs() > 0.1, "{nonlinear:?}");
    });
}

#[test]
fn one_correction_repairs_one_input_and_spoils_the_other() {
    everywhere("one-correction", &LessonOptions::default(), |page| {
        close(&[value(page, "derivative")], &[1.742_038_3]);
        close(&[value(page, "weight 1"), value(page, "weight 2")], &[-0.292_038_3, -2.402_038_3]);
        let verdicts = page.tables().next().unwrap();
        close(&verdicts.column("after")[1..], &[0.014_962_48]);
        close(&verdicts.column("error after")[1..], &[0.000_223_88]);
        // 1.66 · -0.2920383 + 1.56 · -2.4020383 = -4.2319634
        close(&verdicts.column("after")[..1], &[0.014_315_926]);
        // 2·(p − t) · p·(1 − p) · input
        let slope = 1.742_038_295_7 * 0.871_019_147_9 * (1.0 - 0.871_019_147_9);
        let chain = table(page, "derivatives for the second input");
        close(&chain.column("chain rule"), &[slope * 2.0, slope * 1.5]);
    });
}

/// Lesson 10 without any of our code: two weights, a bias and a loop.
fn plain_loop(start: [f64; 3], order: &[usize]) -> (Vec<f64>, [f64; 3]) {
    let [mut first, mut second, mut bias] = start;
    let mut curve = Vec::new();
    for (iteration, sample) in order.iter().enumerate() {
        let predict = |point: [f32; 2], w: [f64; 3]| {
            let sum = f64::from(point[0]) * w[0] + f64::from(point[1]) * w[1] + w[2];
            1.0 / (1.0 + (-sum).exp())
        };
        let prediction = predict(INPUTS[*sample], [first, second, bias]);
        let by_prediction = 2.0 * (prediction - f64::from(TARGETS[*sample]));
        let by_sum = by_prediction * prediction * (1.0 - prediction);
        first -= 0.1 * by_sum * f64::from(INPUTS[*sample][0]);
        second -= 0.1 * by_sum * f64::from(INPUTS[*sample][1]);
        bias -= 0.1 * by_sum;
        if (iteration + 1) % EVERY == 0 {
            let now = [first, second, bias];
            let errors = INPUTS.iter().zip(TARGETS).map(|(x, t)| (predict(*x, now) - f64::from(t)).powi(2));
            curve.push(errors.sum());
        }
    }
    (curve, [first, second, bias])
}

#[test]
fn the_neurons_curve_is_that_of_a_plain_loop() {
    let options =
        LessonOptions { weights: Some(vec![1.45, -0.66, 0.25]), seed: Some(3), ..LessonOptions::default() };
    let (expected, end) = plain_loop([1.45f32.into(), (-0.66f32).into(), 0.25], &order(3, 10_000));
    assert_eq!(expected.len(), 100);
    everywhere("neuron", &options, |page| {
        let curve = &page.plots().next().unwrap().series[0].points;
        assert_eq!(curve.len(), 100);
        for ((iteration, error), expected) in curve.iter().zip(&expected) {
            assert!((error - expected).abs() <= 1e-3, "iteration {iteration}: {error}, expected {expected}");
        }
        let table = page.tables().next().unwrap();
        for (point, prediction) in INPUTS.iter().zip(table.column("prediction")) {
            let sum = f64::from(point[0]) * end[0] + f64::from(point[1]) * end[1] + end[2];
            assert!((prediction - 1.0 / (1.0 + (-sum).exp())).abs() <= 1e-3);
        }
    });
}

#[test]
fn odd_and_even_are_learned_from_every_seed() {
    for machine in machines() {
        for seed in 0..10 {
            let mut course = odd_even::course(&machine, seed).unwrap();
            odd_even::train(&mut course, &odd_even::OddEvenSettings { seed, ..Default::default() }).unwrap();
            let measured = course.measure(HELD_OUT).unwrap();
            println!("seed {seed} on {}: {measured:?}", machine.name);
            assert_eq!((measured.correct, measured.samples), (96, 96), "seed {seed} on {}", machine.name);
        }
    }
}

#[test]
fn an_alpha_may_be_too_small_and_too_large() {
    everywhere("odd-or-even", &LessonOptions::default(), |page| {
        let sweep = page.tables().next().unwrap();
        close(&sweep.column("alpha"), &[0.001, 0.01, 0.1, 1.0, 10.0, 100.0]);
        let (right, derivatives) =
            (sweep.column("right of 96"), sweep.column("mean derivative of the output"));
        assert_eq!(right[2..5], [96.0; 3]);
        assert!(right[0] < 70.0 && derivatives[0] > 0.2, "{right:?} {derivatives:?}");
        assert!(right[5] < 70.0 && derivatives[5] < 1e-3, "{right:?} {derivatives:?}");
        // The step by step: each line follows from the ones before it.
        let [error, prediction] = ["error", "prediction "].map(|name| value(page, name));
        let delta = error * prediction * (1.0 - prediction);
        close(&[value(page, "prediction_delta")], &[delta]);
    });
}

#[test]
fn images_are_memorised_or_generalised() {
    everywhere("images", &LessonOptions::default(), |page| {
        let results = table(page, "the networks, at the end");
        let percent = |row: usize, column: usize| -> f64 {
            let text = format!("{:?}", results.rows[row][column]);
            let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
            digits.parse().unwrap()
        };
        // Memorised: all of the shuffled labels, and next to nothing of the held-out images.
        assert!(percent(1, 4) > 90.0 && percent(1, 5) < 30.0, "{results:?}");
        assert!(percent(0, 4) > 99.0 && percent(0, 5) > 65.0, "{results:?}");
        assert!(percent(2, 5) > 93.0, "{results:?}");
        // The convolution has the same, and learns more from many.
        assert_eq!(results.rows.len(), 6);
        assert!(percent(4, 4) > 90.0 && percent(4, 5) < 30.0, "{results:?}");
        assert!(percent(3, 5) > 65.0 && percent(5, 5) > percent(2, 5), "{results:?}");
        let curve = page.plots().next().unwrap();
        let (learned, others) = (&curve.series[0].points, &curve.series[1].points);
        let (stop, lowest) = curve.series[2].points[0];
        assert!(learned.last().unwrap().1 < 0.05);
        assert!(others.iter().all(|(_, error)| *error >= lowest));
        assert!((stop as usize) < others.len() && others.last().unwrap().1 > 1.02 * lowest, "{others:?}");
    });
}

#[test]
fn no_lesson_keeps_more_steps_than_its_limit() {
    let many = LessonOptions {
        input: Some(vec![0.1]),
        weights: Some(vec![0.5; 1000]),
        goal: Some(vec![0.5; 1000]),
        iterations: Some(301),
        ..LessonOptions::default()
    };
    assert!(refused("7b", &many).contains("at most 300 are possible"));
    assert!(find("7b").unwrap().check(&LessonOptions { iterations: Some(300), ..many }).is_ok());
}

#[test]
fn wrong_settings_are_refused_with_a_sentence() {
    let weights =
        |weights: &[f32]| LessonOptions { weights: Some(weights.to_vec()), ..LessonOptions::default() };
    let input = |input: &[f32]| LessonOptions { input: Some(input.to_vec()), ..LessonOptions::default() };
    assert!(refused("similarity", &weights(&[1.0])).contains("has 1 number"));
    assert!(refused("similarity", &input(&[1.0, 2.0])).contains("goal"));
    let odd = LessonOptions { goal: Some(vec![1.0]), ..input(&[1.0, 2.0, 3.0]) };
    assert!(refused("similarity", &odd).contains("pair"));
    assert!(refused("one-correction", &weights(&[1.0; 3])).contains("give two"));
    assert!(refused("neuron", &weights(&[1.0])).contains("give three"));
    assert!(refused("neuron", &input(&[1.0])).contains("pairs"));
    for wrong in [&[256.0][..], &[-1.0], &[0.5], &[1.0, 2.0]] {
        assert!(refused("odd-or-even", &input(wrong)).contains("0 to 255"));
    }
    let data = LessonOptions { data: Some("digit".to_owned()), ..LessonOptions::default() };
    assert!(refused("images", &data).contains("did you mean “digits”?"));
}
