//! The effect of too small and too large an alpha.

use super::learning::{LEARNED, NUMBERS, OddEvenSettings, binary, split, train};
use crate::error::Result;
use crate::network::lower::HELD_OUT;
use crate::report::page::Table;
use crate::teach::lessons::course::{Course, PartMeasure};

/// Alphas from far too small to far too large.
const ALPHAS: [f32; 6] = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0];

/// The result of training with one alpha.
pub struct SweptAlpha {
    alpha: f32,
    held_out: PartMeasure,
    /// Mean of prediction · (1 − prediction).
    derivative: f64,
}

/// Trains once with each alpha.
pub fn sweep(course: &mut Course, settings: &OddEvenSettings) -> Result<Vec<SweptAlpha>> {
    let inputs: Vec<Vec<f32>> = split(settings.seed).held_out.into_iter().map(binary).collect();
    let trial = |alpha: f32| -> Result<SweptAlpha> {
        let trial = OddEvenSettings { alpha, ..*settings };
        train(course, &trial)?;
        let predictions = course.predict(&inputs)?;
        let derivatives = predictions.iter().map(|p| f64::from(*p) * (1.0 - f64::from(*p)));
        let derivative = derivatives.sum::<f64>() / inputs.len() as f64;
        Ok(SweptAlpha { alpha, held_out: course.measure(HELD_OUT)?, derivative })
    };
    ALPHAS.into_iter().map(trial).collect()
}

/// A row for each alpha.
pub fn table(settings: &OddEvenSettings, sweep: &[SweptAlpha]) -> Table {
    let of = format!("right of {}", NUMBERS - LEARNED);
    let title = format!("held-out numbers after {} iterations, by alpha", settings.iterations);
    let mut table =
        Table::new(title, &["alpha", of.as_str(), "mean squared error", "mean derivative of the output"]);
    for SweptAlpha { alpha, held_out, derivative } in sweep {
        let error = held_out.loss / held_out.samples as f64;
        table.row(vec![(*alpha).into(), held_out.correct.into(), error.into(), (*derivative).into()]);
    }
    table
}
