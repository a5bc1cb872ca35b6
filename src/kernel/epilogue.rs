//! Epilogues: what a kernel does to a finished sum.

use super::{Activation, Call};

/// The epilogue of a finished sum; the numbers are those in the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epilogue {
    /// Nothing; `extra` is not read.
    Plain = 0,
    /// activate(sum + extra\[column\])
    Bias = 1,
    /// sum · activation'(extra\[row, column\])
    Derivative = 2,
}

impl Epilogue {
    /// The epilogue that a call's constants choose.
    pub fn of(call: Call) -> Epilogue {
        match call.consts.uint("EPILOGUE") {
            1 => Epilogue::Bias,
            2 => Epilogue::Derivative,
            _ => Epilogue::Plain,
        }
    }

    /// The value of a finished sum.
    pub fn apply(self, activation: Activation, sum: f64, extra: f64) -> f64 {
        match self {
            Epilogue::Plain => sum,
            Epilogue::Bias => activation.apply(sum + extra),
            Epilogue::Derivative => sum * activation.derivative(extra),
        }
    }
}
