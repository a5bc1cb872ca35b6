//! The observer of a run.

use std::time::Duration;

use crate::error::{as_in_a_recipe, with_settings};
use crate::train::trainer::{Measure, Progress};

/// Observes a run. Every method has a default that does nothing.
///
/// Sentences name settings as [`Observer::setting`] shows them.
pub trait Observer {
    /// After each submission of one or more steps.
    fn progress(&mut self, _progress: &Progress) {}

    /// After each epoch, once it was measured.
    fn epoch(&mut self, _report: &EpochReport) {}

    /// Advice after an epoch, a sentence at a time.
    fn advice(&mut self, _sentence: &str) {}

    /// A sentence on another event, such as a reopened device.
    fn note(&mut self, _sentence: &str) {}

    /// After the last step, before anything is said about the end.
    fn ended(&mut self) {}

    /// A setting in a sentence, with a value or without: by default as a recipe file has it.
    fn setting(&self, key: &str, value: Option<&str>) -> String {
        as_in_a_recipe(key, value)
    }

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

/// Hands a sentence with marked settings to an observer.
pub(super) fn note(observer: &mut dyn Observer, sentence: &str) {
    observer.note(&shown(observer, sentence));
}

/// Hands advice with marked settings to an observer.
pub(super) fn advise(observer: &mut dyn Observer, sentence: &str) {
    observer.advice(&shown(observer, sentence));
}

fn shown(observer: &dyn Observer, sentence: &str) -> String {
    with_settings(sentence, |key, value| observer.setting(key, value))
}
