//! The coach of a run, and its numbers.

use crate::train::coach::Coach;
use crate::train::recipe::Recipe;
use crate::train::trainer::Diagnostics;

/// A coach, and its numbers.
pub(super) struct CoachWatch {
    pub coach: Coach,
    /// The diagnostics of the epoch, once its observed step is over.
    pub diagnostics: Option<Diagnostics>,
}

impl CoachWatch {
    pub fn new(recipe: &Recipe) -> CoachWatch {
        CoachWatch { coach: Coach::new(recipe), diagnostics: None }
    }
}
