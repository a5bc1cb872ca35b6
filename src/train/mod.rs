//! Training a network on data: from a recipe to a run directory.
//!
//! A [`recipe`] has the settings, a [`session`] lowers it, a [`trainer`] takes the steps, [`running`] trains to the
//! end, a [`run`] directory has the results, and a [`classifier`] uses the model.
//!
//! May depend on everything up to `tune`. Read `session.rs` first.

pub mod classifier;
pub mod coach;
pub mod lr_find;
mod overflow;
pub mod plan;
pub mod recipe;
pub mod run;
pub mod running;
pub mod schedule;
pub mod session;
pub mod stopping;
pub mod trainer;
