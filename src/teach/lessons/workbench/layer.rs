//! The layer that a workbench computes.

use crate::kernel::Activation;

/// The dispatches that a workbench has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Weighted sums.
    Predict,
    /// Weighted sums and their errors.
    Measure,
    /// Sums, errors, and hot and cold learning.
    HotAndCold,
    /// Sums, errors, and gradient descent.
    Descend,
}

/// The layer on the bench: prediction = activate(input · weightsᵀ + bias).
#[derive(Clone, Copy, Debug)]
pub struct DenseLayer {
    /// Rows of the input; several are only needed to predict many at once.
    pub samples: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub bias: bool,
    pub activation: Activation,
    /// delta = factor · (prediction - goal): 2 is the derivative, the first lessons leave it out with 1.
    pub factor: f32,
    pub scope: Scope,
}

impl DenseLayer {
    /// One sample, no bias, no activation, and no factor 2.
    pub fn linear(inputs: usize, outputs: usize, scope: Scope) -> DenseLayer {
        let (activation, factor) = (Activation::Identity, 1.0);
        DenseLayer { samples: 1, inputs, outputs, bias: false, activation, factor, scope }
    }
}
