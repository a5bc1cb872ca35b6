//! The size of one sample between two layers: an image, or a row of values.

use std::fmt;

/// The size of one sample, channels first.
///
/// Displays as `1×28×28`, or as `64` for a row of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// In the data: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. A row of values has a channel for each.
    pub channels: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// Columns, in pixels.
    pub width: usize,
    /// Whether it is a row of values, like the output of a dense layer, and no image.
    pub flat: bool,
}

impl Shape {
    /// The size of an image.
    pub const fn image(channels: usize, height: usize, width: usize) -> Shape {
        Shape { channels, height, width, flat: false }
    }

    /// The size of a row of values.
    pub const fn flat(values: usize) -> Shape {
        Shape { channels: values, height: 1, width: 1, flat: true }
    }

    /// The number of values of one sample, C·H·W.
    pub const fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether a sample has no values.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its sizes as PyTorch has them: `[64]` for a row of values, `[1, 28, 28]` for an image.
    pub fn sizes(&self) -> Vec<usize> {
        if self.flat { vec![self.len()] } else { vec![self.channels, self.height, self.width] }
    }

    /// Checks that the sample is an image, for layers that need one.
    ///
    /// # Errors
    /// The problem, as a part of a sentence about the layer `name`.
    pub fn check_image(&self, name: &str) -> Result<(), String> {
        if self.flat {
            return Err(format!(
                "{name} needs channels × height × width: put it in front of flatten and dense layers"
            ));
        }
        Ok(())
    }
}

impl From<usize> for Shape {
    /// A row of values.
    fn from(values: usize) -> Shape {
        Shape::flat(values)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self.sizes().iter().map(usize::to_string).collect();
        f.write_str(&sizes.join("×"))
    }
}
