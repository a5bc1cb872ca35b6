//! The observer of a run.

use std::time::Duration;

use crate::train::trainer::{Measure, Progress};

/// Observes a run. Every method has a default that does nothing.
///
/// Texts name settings by marks, as those of [`Error`](crate::error::Error) do:
/// [`with_settings`](crate::error::with_settings) shows them.
pub trait Observer {
    /// After each submission of one or more steps.
    fn progress(&mut self, _progress: &Progress) {}

    /// After each epoch, once it was measured.
    fn epoch(&mut self, _report: &EpochReport) {}

    /// Advice after an epoch, a sentence at a time.
    fn advice(&mut self, _sentence: &str) {}

    /// A sentence on another event, such as a reopened device.
    fn note(&mut self, _sentence: &str) {}

    /// Whether the run is to end. It is asked after each submission and each epoch. The run is saved, and ends as
    /// [`Ended::ByObserver`](super::Ended::ByObserver).
    fn stop(&mut self) -> bool {
        false
    }
}

/// An observer that says nothing and never stops a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}

/// The measures of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct EpochReport {
    /// The number of the epoch, from 1.
    pub epoch: usize,
    /// The measures over the train part, each batch measured before its update.
    pub train: Measure,
    /// The measures over the validation part, where there is one.
    pub validation: Option<Measure>,
    /// The measures over the held-out part, on which no choice may depend.
    pub held_out: Measure,
    /// The time that training and measuring took.
    pub took: Duration,
}
