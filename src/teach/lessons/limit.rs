//! The limits from which the numbers of a lesson overflow f32, estimated in f64.
//!
//! [`super::run`] asks for these sentences when a page has a number that has overflowed.

use crate::report::page::number::number;

/// The largest f32.
pub const MOST: f64 = f32::MAX as f64;

/// The limit of products and their sum.
pub fn sums(inputs: &[f32], weights: &[f32]) -> String {
    let largest = |values: &[f32]| values.iter().fold(0.0, |most: f64, value| most.max(value.abs().into()));
    let (input, weight) = (largest(inputs), largest(weights));
    format!(
        "a weighted sum and each of its products must stay below {}, and the largest input times the \
         largest weight is {} · {} = {} here",
        number(MOST),
        number(input),
        number(weight),
        number(input * weight)
    )
}

/// The limit of a squared error.
///
/// `furthest` is the largest distance of a prediction from its goal.
pub fn squares(furthest: f64) -> String {
    format!(
        "an error fits only where the prediction is within {} of its goal, and here it is {} off: choose \
         smaller inputs, weights and goals",
        number(MOST.sqrt()),
        number(furthest.abs())
    )
}

/// The largest distance of a prediction from its goal.
///
/// Each is of all inputs and a row of weights.
pub fn furthest(input: &[f32], weights: &[f32], goals: &[f32]) -> f64 {
    let distance = |(row, goal): (&[f32], &f32)| {
        let sum: f64 = row.iter().zip(input).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
        (sum - f64::from(*goal)).abs()
    };
    weights.chunks(input.len()).zip(goals).map(distance).fold(0.0, f64::max)
}

/// Gradient descent with one input, where each step leaves 1 - alpha · input² of the distance to the goal.
///
/// `furthest` is the distance of a prediction from its goal at the start.
pub fn bowl(alpha: f32, input: f32, furthest: f64) -> String {
    let (alpha, input) = (f64::from(alpha), f64::from(input));
    let weight_delta = (furthest * input).abs();
    if furthest >= MOST.sqrt() {
        return squares(furthest);
    }
    if weight_delta >= MOST {
        return format!(
            "weight_delta = delta · input must stay below {}, and here it is {}: choose a smaller input",
            number(MOST),
            number(weight_delta)
        );
    }
    let limit = 2.0 / (input * input);
    if (1.0 - alpha * input * input).abs() > 1.0 {
        return format!(
            "alpha is {}, and with this input it converges only for alpha above 0 and below \
             2 / input² = {}",
            number(alpha),
            number(limit)
        );
    }
    format!(
        "alpha · weight_delta must stay below {}, so here alpha below {}",
        number(MOST),
        number(MOST / weight_delta)
    )
}

/// An alpha; up to `sure` no number can overflow.
pub fn alpha(alpha: f32, sure: f64) -> String {
    let alpha = f64::from(alpha);
    if alpha.abs() > sure && sure > 0.0 {
        return format!(
            "alpha is {}, and no number can overflow up to an alpha of {}",
            number(alpha),
            number(sure)
        );
    }
    format!(
        "weights and inputs, their products and the sums of those must stay below {}: choose smaller ones",
        number(MOST)
    )
}
