//! A run that is stopped, killed or meets a non-finite value resumes with the same bits, or says why it can't, and no
//! checkpoint is lost. Some tests of `training` need an adapter.

mod checkpoints;
#[path = "../common/dispatches.rs"]
mod dispatches;
mod interrupts;
mod kills;
mod length;
#[path = "../common/not_checked.rs"]
mod not_checked;
mod older;
#[path = "../cli/place.rs"]
mod place;
mod refusals;
mod stopping;
mod training;
