//! Runs that are stopped, killed or diverge resume with the same bits.
//!
//! No checkpoint is lost, and a run that can't be resumed says why. The tests of `custom` and some of `training` need an adapter.

mod checkpoints;
mod custom;
mod damage;
#[path = "../common/dispatches.rs"]
mod dispatches;
mod foreign;
mod interrupts;
mod kills;
mod length;
#[path = "../common/not_checked.rs"]
mod not_checked;
mod older;
#[path = "../cli/place.rs"]
mod place;
mod refusals;
mod replaced;
mod signals;
mod stopping;
mod training;
