//! Central differences of a loss against recorded gradients.

use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::Slice;
use wgrad::internals::program::View;
use wgrad::internals::program::params::Arena;

/// The distance that each parameter is moved, both ways. The difference is then off by
/// H²/6 times the third derivative, some 1e-11, and by the rounding of two
/// losses near 1 divided by H, another 1e-11: the best H is about their cube root.
pub const H: f64 = 1e-5;

/// The allowed difference relative to the derivative.
const RELATIVE: f64 = 1e-6;

/// The allowed absolute difference: ten times the errors that [`H`] explains.
const ABSOLUTE: f64 = 2e-10;

/// The least largest gradient of a parameter, below which it counts as untested.
const SOMETHING: f64 = 1e-4;

/// The views of the parameters and their recorded gradients.
pub struct Parameters<'a> {
    pub arena: &'a Arena,
    pub values: View,
    pub gradients: View,
}

/// The numbers in a view.
pub fn real(engine: &CpuEngine<f64>, view: View) -> &[f64] {
    match engine.look(view) {
        Slice::Real(values) => values,
        Slice::Uint(_) => panic!("{view:?} holds integers"),
    }
}

/// Compares the gradients that are in the engine now, times `factor`, with the
/// differences of `loss`. Returns what is wrong.
pub fn compare(
    engine: &mut CpuEngine<f64>,
    parameters: &Parameters,
    factor: f64,
    mut loss: impl FnMut(&mut CpuEngine<f64>) -> f64,
) -> Result<(), String> {
    let recorded = real(engine, parameters.gradients).to_vec();
    let mut is_parameter = vec![false; recorded.len()];
    for param in parameters.arena.params.iter().filter(|param| param.learned) {
        let mut largest = 0.0f64;
        for at in param.start..param.start + param.len() {
            is_parameter[at] = true;
            let before = engine.numbers(parameters.values)[at];
            let mut loss_at = |value| {
                engine.numbers(parameters.values)[at] = value;
                loss(engine)
            };
            let difference = (loss_at(before + H) - loss_at(before - H)) / (2.0 * H);
            engine.numbers(parameters.values)[at] = before;
            let gradient = factor * recorded[at];
            largest = largest.max(gradient.abs());
            // NaN is no agreement.
            let agrees = (gradient - difference).abs() <= RELATIVE * difference.abs() + ABSOLUTE;
            if !agrees {
                let index = at - param.start;
                return Err(format!(
                    "d{}[{index}] is {gradient:e}, differences say {difference:e}",
                    param.name
                ));
            }
        }
        if largest < SOMETHING {
            return Err(format!("d{} is zero, which tests nothing", param.name));
        }
    }
    match recorded.iter().zip(is_parameter).position(|(gradient, real)| !real && *gradient != 0.0) {
        Some(at) => Err(format!("padding at {at} has a gradient")),
        None => Ok(()),
    }
}
