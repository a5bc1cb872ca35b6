//! A pass of a convolution, for both ways to compute it.

use super::{finish_plane, finish_row};
use crate::kernel::{Activation, Epilogue, Geometry};

/// One pass over a batch: the data of all its samples.
pub struct ConvPass<'a> {
    pub geometry: Geometry,
    pub weights: &'a [f32],
    pub epilogue: Epilogue,
    pub activation: Activation,
    pub extra: &'a [f32],
    pub add: bool,
}

impl ConvPass<'_> {
    /// Applies the epilogue to finished sums of whole channels.
    ///
    /// They are the channels from `channel` on, of `plane` values each; the first value is number `at` of the whole
    /// batch.
    pub fn finish(&self, at: usize, channel: usize, plane: usize, sums: &mut [f32]) {
        match self.epilogue {
            Epilogue::Plain => {}
            Epilogue::Bias => {
                for (sums, bias) in sums.chunks_exact_mut(plane).zip(&self.extra[channel..]) {
                    finish_plane(self.activation, *bias, sums);
                }
            }
            Epilogue::Derivative => {
                finish_row(self.epilogue, self.activation, &self.extra[at..][..sums.len()], sums);
            }
        }
    }
}
