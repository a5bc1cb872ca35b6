//! Models of other programs' weights.

use std::path::Path;

use super::model::Model;
use super::weights::{Adopted, ForeignFile};
use crate::error::Result;
use crate::program::shape::Shape;

impl Model {
    /// Completes a model that has no parameters with those of a safetensors file, such as a `state_dict` of PyTorch.
    ///
    /// Every parameter must be in the file, and every tensor of the file must be one, but for PyTorch's counters of
    /// batches. They are matched as by [`Weights::adopt`](super::Weights::adopt); values become f32.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::error::Error::Setting) for a network that doesn't go with the shape or the classes, [`Error::NotFound`](crate::error::Error::NotFound)
    /// and [`Error::Data`](crate::error::Error::Data) for a file that can't be used, naming what is missing, left over, of another shape or not finite.
    pub fn import(self, path: &Path) -> Result<(Model, Adopted)> {
        let file = ForeignFile::open(path)?;
        let arena = self.network.arena(&self.shape)?;
        let outputs = self.network.shapes(&self.shape)?.last().map_or(0, Shape::len);
        self.loss.check(outputs, self.classes.len())?;
        let (parameters, adopted) = file.adopt_all(&arena)?;
        Ok((Model { parameters, ..self }, adopted))
    }
}
