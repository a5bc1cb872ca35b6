//! The memory of a run: announced and checked before its data are read.

use wgrad::Result;
use wgrad::internals::data::DataSize;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::memory::{Room, mebibytes};
use wgrad::internals::train::plan::MemoryPlan;
use wgrad::internals::train::recipe::Recipe;

use super::console::note;

/// Announces the memory of a run whose data have not been read, if it is known already. If it is `verified`, steps are
/// checked against the twins.
///
/// # Errors
/// [`Error::Device`](wgrad::Error::Device) when there is too little.
pub fn forecast(recipe: &Recipe, size: &DataSize, device: &Device, verified: bool) -> Result<bool> {
    let plan = MemoryPlan::forecast(recipe, size, device, verified)?;
    if let Some(plan) = &plan {
        announce(plan);
    }
    Ok(plan.is_some())
}

/// Announces the memory of a run.
pub fn announce(plan: &MemoryPlan) {
    let left = Room::now().bytes().map(|left| format!("; {} are available", mebibytes(left)));
    note(format_args!("memory  {plan}{}", left.unwrap_or_default()));
}
