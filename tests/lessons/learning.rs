//! Lessons 5 to 7: hot and cold, and gradient descent.

use wgrad::internals::teach::lessons::options::LessonOptions;

use super::{close, everywhere, table};

#[test]
fn small_steps_converge() {
    everywhere("hot-and-cold", &LessonOptions::default(), |page| {
        let steps = table(page, "iterations");
        let (predictions, errors) = (steps.column("prediction"), steps.column("error"));
        close(&predictions[..3], &[0.25, 0.2505, 0.251]);
        close(&errors[..3], &[0.3025, 0.301_950_25, 0.301_401]);
        // Every step, so that no error accumulates.
        let expected: Vec<f64> = (0..1101).map(|at| 0.25 + 0.0005 * f64::from(at)).collect();
        close(&predictions, &expected);
        assert!((predictions[1100] - 0.8).abs() < 1e-6 && errors[1100] < 1e-12);
        close(&steps.column("error up")[..1], &[0.301_950_25]);
        close(&steps.column("error down")[..1], &[0.303_050_25]);
    });
}

#[test]
fn long_steps_oscillate() {
    everywhere("6", &LessonOptions::default(), |page| {
        let steps = table(page, "iterations");
        let again = |start: &[f64], loops: [f64; 2]| -> Vec<f64> {
            start.iter().copied().chain((0..9).map(|at| loops[at % 2])).collect()
        };
        close(&steps.column("prediction"), &again(&[0.25, 0.45, 0.65], [0.85, 0.65]));
        close(&steps.column("error"), &again(&[0.3025, 0.1225, 0.0225], [0.0025, 0.0225]));
    });
}

#[test]
fn many_weights_walk_at_once() {
    let options = LessonOptions {
        input: Some(vec![1.0, -2.0, 0.0]),
        weights: Some(vec![0.0, 0.0, 3.0, 1.0, 1.0, -3.0]),
        goal: Some(vec![1.0, 1.0]),
        step: Some(0.25),
        iterations: Some(3),
        ..LessonOptions::default()
    };
    everywhere("hot-and-cold", &options, |page| {
        let tries = table(page, "the first iteration, weight by weight");
        // Predictions 0 and -1; an input of 0 makes both ways equal.
        close(&tries.column("error up")[..2], &[0.5625, 2.25]);
        close(&tries.column("error down")[..2], &[1.5625, 0.25]);
        close(&tries.column("new weight"), &[0.25, -0.25, 3.0, 1.25, 0.75, -3.0]);
        let steps = table(page, "iterations");
        close(&steps.column("prediction 1")[..2], &[0.0, 0.75]);
        close(&steps.column("prediction 2")[..2], &[-1.0, -0.25]);
        close(&steps.column("error")[..2], &[5.0, 1.625]);
    });
}

#[test]
fn gradient_descent_converges_in_steps_that_shrink() {
    everywhere("gradient-descent", &LessonOptions::default(), |page| {
        let steps = table(page, "iterations");
        let (errors, predictions) = (steps.column("error"), steps.column("prediction"));
        close(&errors[..3], &[0.4489, 0.239_218_8, 0.127_479_7]);
        close(&predictions[..3], &[0.03, 0.2109, 0.342_957]);
        assert_eq!(errors.len(), 13);
        close(&errors[12..], &[0.000_235_449_76]);
        close(&predictions[12..], &[0.684_655_63]);
        assert!(page.diverged.is_none());
    });
}

#[test]
fn three_outputs_learn_side_by_side() {
    everywhere("three-outputs", &LessonOptions::default(), |page| {
        let steps = table(page, "iterations");
        let of = |column: &str, iteration: usize| {
            steps.column(column)[(iteration - 1) * 3..iteration * 3].to_vec()
        };
        close(&of("prediction", 1), &[0.195, 0.13, 0.585]);
        close(&of("delta", 1), &[0.095, -0.87, 0.485]);
        close(&of("error", 1), &[0.009_025, 0.7569, 0.235_225]);
        close(&of("weight_delta", 1), &[0.061_75, -0.5655, 0.315_25]);
        close(&of("new weight", 1), &[0.293_825, 0.256_55, 0.868_475]);
        close(&of("new weight", 2), &[0.287_910_89, 0.310_710_76, 0.838_281_93]);
        close(&of("prediction", 200), &[0.100_017_66, 0.999_838_30, 0.100_090_14]);
        close(&of("new weight", 200), &[0.153_872_17, 1.538_223_29, 0.153_978_97]);
        assert_eq!(steps.rows.len(), 600);
    });
}
