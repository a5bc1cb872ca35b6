//! Lessons 1 to 4: predicting and measuring.

use wgrad::internals::teach::lessons::options::LessonOptions;

use super::{close, everywhere, table};

#[test]
fn one_weight_predicts() {
    everywhere("one-weight", &LessonOptions::default(), |page| {
        let games = table(page, "each game by itself");
        close(&games.column("input"), &[8.5, 9.5, 10.0, 9.0]);
        close(&games.column("prediction"), &[0.85, 0.95, 1.0, 0.9]);
    });
}

#[test]
fn errors_are_measured() {
    everywhere("2", &LessonOptions::default(), |page| {
        let examples = table(page, "weight 0.5");
        close(&examples.column("input"), &[0.5, 10.5]);
        close(&examples.column("prediction"), &[0.25, 5.25]);
        close(&examples.column("error"), &[0.3025, 3.0625]);
    });
}

#[test]
fn several_inputs_make_a_weighted_sum() {
    everywhere("weighted-sum", &LessonOptions::default(), |page| {
        let games = table(page, "each game by itself");
        close(&games.column("toes"), &[8.5, 9.5, 9.9, 9.0]);
        close(&games.column("win rate"), &[0.65, 0.8, 0.8, 0.9]);
        close(&games.column("fans"), &[1.5, 1.2, 0.5, 1.0]);
        close(&games.column("prediction"), &[0.98, 1.11, 1.15, 1.08]);
    });
}

#[test]
fn a_row_of_weights_makes_an_output_and_columns_the_transposed_mistake() {
    everywhere("several-outputs", &LessonOptions::default(), |page| {
        let first = table(page, "third row 0, 1.3, 0.1, input 8.5, 0.65, 0.65");
        close(&first.column("prediction"), &[0.72, 0.98, 0.91]);
        let second = table(page, "third row 0.1, 1.3, 0.1, input 9.9, 0.8, 1.5");
        close(&second.column("prediction"), &[0.62, 1.15, 2.18]);
        close(&second.column("transposed"), &[1.22, 3.1, -2.82]);
    });
}

#[test]
fn other_numbers_can_be_tried() {
    let options =
        LessonOptions { weights: Some(vec![0.2]), input: Some(vec![-3.0]), ..LessonOptions::default() };
    everywhere("1", &options, |page| {
        close(&table(page, "each game by itself").column("prediction"), &[-0.6]);
    });
    let options = LessonOptions {
        input: Some(vec![1.0, 2.0]),
        weights: Some(vec![1.0, 0.5, -1.0, 0.25, 3.0, 0.0]),
        ..LessonOptions::default()
    };
    everywhere("4", &options, |page| {
        let outputs = table(page, "outputs, input 1, 2");
        close(&outputs.column("prediction"), &[2.0, -0.5, 3.0]);
        assert!(!outputs.columns.iter().any(|column| column == "transposed"));
    });
}
