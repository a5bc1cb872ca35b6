//! The size of a data set, known before it is read.

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
    /// Bytes that reading takes besides what stays.
    pub reading: u64,
    /// Whether it is a folder of pictures, which has defaults of its own.
    pub pictures: bool,
}

impl DataSize {
    /// Bytes of pixels and labels in memory.
    pub fn bytes(&self) -> u64 {
        let samples = self.train as u64 + self.held_out as u64;
        samples * (self.shape.len() + size_of::<u32>()) as u64
    }
}
