//! The coach: what the numbers of a run warrant saying after an epoch, and what to try.
//!
//! At most two sentences an epoch: the first cause why it learns badly, such as steps that are too
//! large or dead units, as all else may follow from it; and over-fitting. What has been said is said again only when it
//! has got twice as bad. The held-out part is never asked: no choice may depend on it.

mod finding;
mod findings;

pub use finding::Moment;

use std::collections::HashMap;

use crate::train::recipe::Recipe;
use crate::train::trainer::Vitals;
use finding::{Finding, FindingKind};
use findings::find;

/// By how much worse a number must be than when it was said to be said again.
const WORSE: f64 = 2.0;

/// Watches a run epoch by epoch.
#[derive(Clone, Debug)]
pub struct Coach {
    recipe: Recipe,
    /// The epochs so far, the oldest first.
    past: Vec<Moment>,
    /// How bad each number was when it was last said.
    said: HashMap<FindingKind, f64>,
}

impl Coach {
    /// One that has seen nothing yet.
    pub fn new(recipe: &Recipe) -> Coach {
        Coach { recipe: recipe.clone(), past: Vec::new(), said: HashMap::new() }
    }

    /// Takes note of an epoch that was over before this coach came.
    pub fn remember(&mut self, moment: Moment) {
        self.past.push(moment);
    }

    /// The run goes on from within this epoch: what came later is forgotten.
    pub fn rewind(&mut self, epoch: usize) {
        self.past.retain(|moment| moment.epoch < epoch);
    }

    /// What there is to say at the end of an epoch: two sentences at the most. `vitals` are of a step of
    /// it, if one was looked at; `rate` is its learning rate.
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
