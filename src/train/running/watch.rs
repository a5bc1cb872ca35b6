//! The coach of a run, and what it looks at.

use crate::train::coach::Coach;
use crate::train::recipe::Recipe;
use crate::train::trainer::Vitals;

/// A coach, and what it has looked at.
pub(super) struct CoachWatch {
    pub coach: Coach,
    /// Of the epoch under way, once its telling step is over.
    pub vitals: Option<Vitals>,
}

impl CoachWatch {
    pub fn new(recipe: &Recipe) -> CoachWatch {
        CoachWatch { coach: Coach::new(recipe), vitals: None }
    }
}
