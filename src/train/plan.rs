//! The memory of a run, known before anything large is allocated.

use crate::data::DataSize;
use crate::engine::adapter::Device;
use crate::error::{DeviceFault, Error, Result};
use crate::memory::{Need, Room, mebibytes, taken};
use crate::network::lower::{HELD_OUT, Lowered, Lowering, Part, TRAIN, VALIDATION, lower};
use crate::program::{Limits, Role};
use crate::train::recipe::Recipe;
use crate::verify::diff::observing_bytes;

/// The memory that a run takes at its peak, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Memory of the host, with the buffers of a device that has no memory of its own.
    pub host: Need,
    /// Memory of a device that has its own.
    pub device: Option<u64>,
}

impl MemoryPlan {
    /// The plan of a lowered run. If it is `verified`, steps are checked against the twins.
    pub fn of(
        recipe: &Recipe,
        size: &DataSize,
        lowered: &Lowered,
        device: &Device,
        verified: bool,
    ) -> MemoryPlan {
        let program = &lowered.program;
        let (state, parameters) = (program.state_bytes(), program.bytes(Role::Parameters));
        // The last checkpoint, the model, and what the allocator keeps of earlier ones.
        let kept = state + parameters + (state / 2).min(32 << 20);
        // The next checkpoint. The coach sees the weights before and after a step, and the outputs of activations.
        let seen = program.observed.activated.iter().map(|activated| activated.value.len as u64 * 4);
        let observing = if verified { observing_bytes(program, program.section(TRAIN)) } else { 0 };
        let passing = state.max(parameters + seen.max().unwrap_or_default()).max(observing);
        let buffers = program.total_bytes();
        let (shared, own) = if device.shares_memory() { (buffers, None) } else { (0, Some(buffers)) };
        let run = besides(recipe, size, device, state, parameters).plus(kept + passing + shared);
        MemoryPlan { host: run.or(loading(recipe, size, device)), device: own }
    }

    /// The plan of a run whose data have not been read. None when the network can't be lowered for a reason other than
    /// memory, which will be found again.
    ///
    /// # Errors
    /// [`Error::Device`] when there is too little memory.
    pub fn forecast(
        recipe: &Recipe,
        size: &DataSize,
        device: &Device,
        verified: bool,
    ) -> Result<Option<MemoryPlan>> {
        if recipe.batch_size > size.train {
            return Ok(None);
        }
        let mut size = *size;
        let loading = loading(recipe, &size, device);
        // As a session does: the validation part is taken out first.
        let validation = (size.train as f64 * recipe.validation).round() as usize;
        if recipe.overfit_batches > 0 {
            let few = recipe.overfit_batches.saturating_mul(recipe.step_samples());
            size.train = validation + few.min(size.train - validation);
        }
        let train = size.train - validation;
        if recipe.accumulate > train.div_ceil(recipe.batch_size) {
            return Ok(None);
        }
        let parts = [(TRAIN, train), (HELD_OUT, size.held_out), (VALIDATION, validation)];
        let parts = parts.into_iter().filter(|(_, samples)| *samples > 0);
        // Without room for the device and the data no network fits.
        let least = MemoryPlan { host: besides(recipe, &size, device, 0, 0), device: None };
        least.check()?;
        let lowered = lower(&Lowering {
            loss: recipe.loss,
            parts: parts.map(|(name, samples)| Part { name, samples }).collect(),
            choice: device.choice().in_precision(recipe.precision),
            rewrites: recipe.rewrites(),
            limits: limits(recipe, &size, device),
            augment: recipe.augment,
            training: recipe.training(),
            ..Lowering::new(&recipe.network, &size.shape, size.classes, recipe.batch_size)
        });
        match lowered {
            Ok(lowered) => {
                let plan = MemoryPlan::of(recipe, &size, &lowered, device, verified);
                let plan = MemoryPlan { host: plan.host.or(loading), ..plan };
                plan.check().map(|()| Some(plan))
            }
            Err(error @ Error::Device(DeviceFault::TooSmall, _)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Checks that there is memory for all that has not been taken yet.
    ///
    /// # Errors
    /// [`Error::Device`] when there is too little.
    pub fn check(&self) -> Result<()> {
        Room::now().check(self.host.beyond(taken())).map_err(|shortage| {
            Error::Device(
                DeviceFault::TooSmall,
                format!("the run {shortage}: use a smaller ⟨network⟩ or ⟨batch_size⟩, or less data"),
            )
        })
    }
}

/// As in `about 125.0 MiB for the whole run`.
impl std::fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "about {}", mebibytes(self.host.resident))?;
        if let Some(device) = self.device {
            write!(f, ", and {} on the device,", mebibytes(device))?;
        }
        f.write_str(" for the whole run")
    }
}

/// The limits of a device for the Program of a run, whose other memory is left out of them.
pub(super) fn limits(recipe: &Recipe, size: &DataSize, device: &Device) -> Limits {
    let limits = device.limits();
    let others = besides(recipe, size, device, 0, 0).beyond(taken());
    let left = || Room::now().after(others).bytes();
    Limits { memory_bytes: if device.shares_memory() { left() } else { None }, ..limits }
}

/// Memory while the data are read, and the validation part is taken out of them.
fn loading(recipe: &Recipe, size: &DataSize, device: &Device) -> Need {
    let twice = recipe.validation.clamp(0.0, 1.0) * size.bytes() as f64;
    device.footprint().plus(size.bytes().saturating_add(size.reading.max(twice as u64)))
}

/// Memory besides the Program and the copies that every run has of its state.
fn besides(recipe: &Recipe, size: &DataSize, device: &Device, state: u64, parameters: u64) -> Need {
    // Until they are saved, the best weights of the validation part and of early stopping.
    let best = if recipe.validation > 0.0 { state } else { 0 };
    let stopping = if recipe.stop_early.is_some() { parameters } else { 0 };
    device.footprint().plus(size.bytes()).plus(best + stopping)
}
