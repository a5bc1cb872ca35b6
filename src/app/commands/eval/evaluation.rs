//! The predictions of a network for held-out images.

use wgrad::internals::report::confusion::Confusion;

/// The results on all samples.
#[derive(Default)]
pub struct Evaluation {
    /// The name of the device.
    pub device: String,
    pub confusion: Confusion,
    pub samples: usize,
    /// Mean over the samples.
    pub loss: f64,
    /// Samples that are classified wrongly.
    pub wrong: Vec<Mistake>,
}

/// A sample that is classified wrongly.
#[derive(Clone)]
pub struct Mistake {
    /// Index in the held-out part.
    pub sample: usize,
    pub truth: usize,
    pub predicted: usize,
    pub loss: f64,
}
