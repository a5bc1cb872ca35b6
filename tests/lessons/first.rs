//! Lessons 1 to 4: predicting and measuring.

use wgrad::lessons::options::Options;

use super::{close, everywhere, table};

#[test]
fn one_weight_predicts() {
    everywhere("one-weight", &Options::default(), |page| {
        let games = table(page, "each game by itself");
        close(&games.column("input"), &[8.5, 9.5, 10.0, 9.0]);
        close(&games.column("prediction"), &[0.85, 0.95, 1.0, 0.9]);
    });
}
