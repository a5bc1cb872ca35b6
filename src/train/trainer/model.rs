//! The trained network as a model.

use super::Trainer;
use crate::data::{Rendering, Tones};
use crate::error::Result;
use crate::train::run::model::Model;

impl Trainer {
    /// Names the classes and the data set for the model. Without names, classes are called by their numbers.
    pub fn set_names(&mut self, classes: &[String], data: &str) {
        self.names = (classes.to_vec(), data.to_owned());
    }

    /// Gives the model the rendering of its pictures, by default [`Rendering::default`].
    pub fn set_rendering(&mut self, rendering: Rendering) {
        self.pictures.0 = rendering;
    }

    /// Gives the model brightness and contrast of the images that it is trained on.
    pub fn set_tones(&mut self, tones: Option<Tones>) {
        self.pictures.1 = tones;
    }

    /// The network with the measured weights, as a model.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the device fails.
    pub fn to_model(&mut self) -> Result<Model> {
        let parameters = self.measured_parameters()?;
        let (classes, data) = self.names.clone();
        let (rendering, tones) = self.pictures;
        Ok(Model {
            network: self.lowered.network.clone(),
            loss: self.lowered.loss,
            shape: self.lowered.shape,
            classes,
            normaliser: self.normaliser.clone(),
            rendering,
            tones,
            parameters,
            data,
        })
    }
}
