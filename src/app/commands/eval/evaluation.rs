//! The predictions of a network for held-out images.

use wgrad::internals::data::Labelled;
use wgrad::internals::report::confusion::Confusion;

/// The samples that are measured, and the network's classes.
pub struct Measured {
    pub classes: Vec<String>,
    pub data: Labelled,
}

/// The predictions for all samples, summed up.
#[derive(Default)]
pub struct Evaluation {
    /// The name of the device.
    pub device: String,
    pub confusion: Confusion,
    pub samples: usize,
    /// The mean loss.
    pub loss: f64,
    /// The misclassified samples.
    pub wrong: Vec<Mistake>,
}

/// A misclassified sample.
#[derive(Clone)]
pub struct Mistake {
    /// Index among the samples.
    pub sample: usize,
    pub truth: usize,
    pub predicted: usize,
    pub loss: f64,
}
