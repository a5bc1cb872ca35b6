//! The predictions of a network for held-out images.

use wgrad::internals::report::confusion::Confusion;

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
    /// Index in the held-out part.
    pub sample: usize,
    pub truth: usize,
    pub predicted: usize,
    pub loss: f64,
}
