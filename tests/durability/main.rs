//! A run that is stopped, killed, or meets bad luck goes on as if nothing had happened, or says
//! plainly why it can't; and no checkpoint is ever lost by it. `training` and `verified` need an
//! adapter.

mod checkpoints;
mod interrupts;
mod kills;
mod older;
#[path = "../cli/place.rs"]
mod place;
mod refusals;
mod stopping;
mod training;
