//! A model on a device, to be measured and to predict.

use super::Model;
use crate::engine::adapter::Device;
use crate::error::Result;
use crate::kernel::Augmentation;
use crate::network::lower::{Lowering, Part, Training, lower};
use crate::program::rewrite::Rewrites;
use crate::train::trainer::{Settings, Trainer};

impl Model {
    /// A trainer with the model's parameters, to measure `parts` and to predict; it has no part to train on.
    /// It takes at most `batch` samples at once: fewer where the device has too little memory, see [`Trainer::batch`].
    ///
    /// # Errors
    /// As [`lower`] and [`Trainer::new`], and when the device doesn't open.
    pub fn frozen(&self, device: &Device, batch: usize, parts: Vec<Part>) -> Result<Trainer> {
        let lowered = lower(&Lowering {
            network: &self.network,
            loss: self.loss,
            shape: &self.shape,
            classes: self.classes.len(),
            batch,
            parts,
            choice: device.choice(),
            rewrites: Rewrites::ALL,
            as_in_prediction: false,
            keep: false,
            limits: device.limits(),
            augment: Augmentation::default(),
            training: Training::default(),
        })?;
        let engine = device.open(lowered.program.clone())?;
        Trainer::new(engine, lowered, Settings::FROZEN, &self.parameters, &self.normaliser)
    }
}
