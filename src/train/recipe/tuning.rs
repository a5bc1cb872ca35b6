//! The setting `tuning`, resolved for a device.

use super::Recipe;
use crate::engine::adapter::Device;
use crate::error::Result;
use crate::tune::{Tuned, Tuning, tuned};

impl Recipe {
    /// Resolves the tuning to a choice that repeats. `auto` becomes the fastest variants on the device. A run on the
    /// CPU engine, or with custom kernels, has the default.
    ///
    /// Returns the choice where the recipe said `auto`. `before` is called before anything is measured.
    ///
    /// # Errors
    /// As [`Tuning::choice`].
    pub fn resolve_tuning(&mut self, device: &Device, before: &mut dyn FnMut()) -> Result<Option<Tuned>> {
        let given = self.tuning.clone();
        let (tuning, tuned) = match (&given, device) {
            (_, Device::Cpu { .. }) | (Tuning::Default, _) => (Tuning::Default, None),
            (Tuning::Auto, _) if !self.kernel.is_empty() => (Tuning::Default, None),
            (Tuning::Auto, _) => {
                let tuned = tuned(device, before);
                (Tuning::Fixed(tuned.choice.clone()), Some(tuned))
            }
            (Tuning::Fixed(_), _) => (Tuning::Fixed(given.choice(device)?.picks()), None),
        };
        self.tuning = tuning;
        Ok(tuned)
    }
}
