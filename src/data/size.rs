//! The size of a data set, known before it is read.

use super::dataset::{Dataset, Samples};
use crate::program::shape::Shape;

/// The size of a data set, known before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSize {
    /// The size of every image.
    pub shape: Shape,
    /// The number of classes.
    pub classes: usize,
    /// The number of samples to train on.
    pub train: usize,
    /// The number of samples held out.
    pub held_out: usize,
    /// The number of samples in a validation part of its own; one that is taken out of the train part counts there.
    pub validation: usize,
    /// Bytes that reading takes besides what stays.
    pub reading: u64,
    /// Whether it is a folder of pictures, which has defaults of its own.
    pub pictures: bool,
}

impl DataSize {
    /// Bytes of pixels and labels in memory.
    pub fn bytes(&self) -> u64 {
        let samples = self.train as u64 + self.held_out as u64 + self.validation as u64;
        samples * (self.shape.len() + size_of::<u32>()) as u64
    }
}

impl Dataset {
    /// The size of the data set.
    pub fn size(&self) -> DataSize {
        DataSize {
            shape: self.train.shape,
            classes: self.classes.len(),
            train: self.train.len(),
            held_out: self.held_out.len(),
            validation: self.validation.as_ref().map_or(0, Samples::len),
            reading: 0,
            // Only samples that are files have these.
            pictures: !self.about.train_files.is_empty(),
        }
    }
}
