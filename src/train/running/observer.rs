//! The observer of a run.

use std::time::Duration;

use crate::train::trainer::{Measure, Progress};

/// Watches a run. Every method has a default that does nothing.
///
/// Texts name settings by marks, as those of [`Error`](crate::error::Error) do:
/// [`with_settings`](crate::error::with_settings) shows them.
pub trait Observer {
    /// After each submission, which is a step or many.
    fn progress(&mut self, _progress: &Progress) {}

    /// After each epoch, once it was measured.
    fn epoch(&mut self, _report: &EpochReport) {}

    /// Advice after an epoch, a sentence at a time.
    fn advice(&mut self, _sentence: &str) {}

    /// A sentence on what happened besides: the device was opened again, or the run ends early.
    fn note(&mut self, _sentence: &str) {}

    /// Whether the run is to end: asked after each submission and each epoch. It is saved, and ends as
    /// [`Ended::Asked`](super::Ended::Asked).
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
    /// From 1.
    pub epoch: usize,
    /// Over the train part, each batch measured before its update.
    pub train: Measure,
    /// Over the validation part, where there is one.
    pub validation: Option<Measure>,
    /// Over the held-out part, which no choice may depend on.
    pub held_out: Measure,
    /// The time that training and measuring took.
    pub took: Duration,
}
