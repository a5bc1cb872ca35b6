//! The coach: advice after an epoch, from the numbers of a run.
//!
//! At most two sentences an epoch: the first cause why it learns badly, such as steps that are too
//! large or dead units, as all else may follow from it; and over-fitting. Advice is repeated only once its number has
//! doubled. The held-out part is never used: no choice may depend on it. Settings in a sentence are marked, see
//! [`with_settings`](crate::error::with_settings).

mod finding;
mod findings;

pub use finding::Moment;

use std::collections::HashMap;

use crate::train::recipe::Recipe;
use crate::train::trainer::Vitals;
use finding::{Finding, FindingKind};
use findings::find;

/// The factor by which a number must have grown for its advice to be repeated.
const WORSE: f64 = 2.0;

/// Watches a run epoch by epoch.
#[derive(Clone, Debug)]
pub struct Coach {
    recipe: Recipe,
    /// The epochs so far, the oldest first.
    past: Vec<Moment>,
    /// Each number when its advice was last given.
    said: HashMap<FindingKind, f64>,
}

impl Coach {
    /// One that has seen nothing yet.
    pub fn new(recipe: &Recipe) -> Coach {
        Coach { recipe: recipe.clone(), past: Vec::new(), said: HashMap::new() }
    }

    /// Notes an epoch that was over before this coach came.
    pub fn remember(&mut self, moment: Moment) {
        self.past.push(moment);
    }

    /// The run goes on from within this epoch: what came later is forgotten.
    pub fn rewind(&mut self, epoch: usize) {
        self.past.retain(|moment| moment.epoch < epoch);
    }

    /// The advice at the end of an epoch: at most two sentences. `vitals` are of a step of it, if one was looked at;
    /// `rate` is its learning rate.
    pub fn advise(&mut self, moment: Moment, vitals: Option<&Vitals>, rate: f32) -> Vec<String> {
        self.past.push(moment);
        let mut findings = find(&self.recipe, &self.past, vitals, rate);
        findings.retain(|Finding { kind, severity, .. }| {
            self.said.get(kind).is_none_or(|said| *severity >= WORSE * said)
        });
        self.said.extend(findings.iter().map(|finding| (finding.kind, finding.severity)));
        findings.into_iter().map(|finding| finding.sentence).collect()
    }
}
