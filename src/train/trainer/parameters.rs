//! Parameters, written to the device.

use std::borrow::Cow;

use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::Slice;
use crate::network::lower::Lowered;

/// Writes parameters to the device, and to their EMA if any. They are laid out as the arena.
///
/// # Errors
/// [`Error::Device`](crate::error::Error::Device) when the device fails.
pub fn write_parameters(engine: &mut dyn Engine, lowered: &Lowered, parameters: &[f32]) -> Result<()> {
    // A network without parameters has an arena of padding only.
    let mut parameters = Cow::Borrowed(parameters);
    if parameters.len() != lowered.parameters.len {
        parameters.to_mut().resize(lowered.parameters.len, 0.0);
    }
    if let Some(ema) = lowered.ema {
        engine.write(ema, Slice::Real(&parameters))?;
    }
    engine.write(lowered.parameters, Slice::Real(&parameters))
}
