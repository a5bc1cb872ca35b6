//! The coach of a run, and the numbers for it.

use crate::train::coach::Coach;
use crate::train::recipe::Recipe;
use crate::train::trainer::Vitals;

/// A coach, and the numbers for it.
pub(super) struct CoachWatch {
    pub coach: Coach,
    /// The vitals of the epoch under way, once its telling step is over.
    pub vitals: Option<Vitals>,
}

impl CoachWatch {
    pub fn new(recipe: &Recipe) -> CoachWatch {
        CoachWatch { coach: Coach::new(recipe), vitals: None }
    }
}
