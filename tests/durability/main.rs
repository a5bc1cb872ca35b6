//! A run that is stopped, killed, or meets bad luck goes on as if nothing had happened, or says
//! plainly why it can't; and no checkpoint is ever lost by it. `training` and `verified` need an
//! adapter.

mod checkpoints;
#[path = "../common/dispatches.rs"]
mod dispatches;
mod interrupts;
mod kills;
#[path = "../common/not_checked.rs"]
mod not_checked;
mod older;
#[path = "../cli/place.rs"]
mod place;
mod refusals;
mod stopping;
mod training;
