//! The coach: advice after an epoch, from the numbers of a run.
//!
//! It gives at most two sentences an epoch: on the first cause of slow learning, such as too large steps or dead units,
//! from which the others may follow; and on over-fitting, once it is beyond the noise of the validation part, or that
//! nothing measures it. Advice is repeated only once its number has doubled. The held-out part is never used: no choice may depend on it. Settings in a sentence are marked, see
//! [`with_settings`](crate::error::with_settings).

mod finding;
mod findings;
mod small;

pub use finding::EpochMeasures;

use std::collections::HashMap;

use crate::train::recipe::Recipe;
use crate::train::trainer::Diagnostics;
use finding::{Finding, FindingKind};
use findings::find;

/// The factor by which a number grows before its advice is repeated.
const WORSE: f64 = 2.0;

/// Observes a run epoch by epoch, and gives advice.
#[derive(Clone, Debug)]
pub struct Coach {
    recipe: Recipe,
    /// The epochs so far, the oldest first.
    past: Vec<EpochMeasures>,
    /// The severity of each finding when its advice was last given.
    reported: HashMap<FindingKind, f64>,
}

impl Coach {
    /// A coach for a new run.
    pub fn new(recipe: &Recipe) -> Coach {
        Coach { recipe: recipe.clone(), past: Vec::new(), reported: HashMap::new() }
    }

    /// Adds an earlier epoch of a resumed run.
    pub fn remember(&mut self, epoch: EpochMeasures) {
        self.past.push(epoch);
    }

    /// Forgets the epochs from `epoch` on, when a run goes back.
    pub fn rewind(&mut self, epoch: usize) {
        self.past.retain(|past| past.epoch < epoch);
    }

    /// The advice at the end of an epoch: at most two sentences. `diagnostics` are those of its observed step, if there
    /// are any; `rate` is its learning rate.
    pub fn advise(
        &mut self,
        epoch: EpochMeasures,
        diagnostics: Option<&Diagnostics>,
        rate: f32,
    ) -> Vec<String> {
        self.past.push(epoch);
        let mut findings = find(&self.recipe, &self.past, diagnostics, rate);
        findings.retain(|Finding { kind, severity, .. }| {
            self.reported.get(kind).is_none_or(|reported| *severity >= WORSE * reported)
        });
        self.reported.extend(findings.iter().map(|finding| (finding.kind, finding.severity)));
        findings.into_iter().map(|finding| finding.sentence).collect()
    }
}
