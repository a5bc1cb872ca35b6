//! Rows and columns of images, swapped.

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSliceMut;

use super::dataset::Samples;
use crate::program::shape::Shape;

/// The size of an image whose rows and columns are swapped.
pub(super) fn transposed(shape: &Shape) -> Shape {
    Shape { height: shape.width, width: shape.height, ..*shape }
}

impl Samples {
    /// Swaps rows and columns of all images.
    pub(super) fn transpose(&mut self) {
        let (height, width) = (self.shape.height, self.shape.width);
        let plane = height * width;
        self.pixels.par_chunks_exact_mut(plane).for_each_init(
            || vec![0; plane],
            |former, pixels| {
                former.copy_from_slice(pixels);
                for (at, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = former[at % height * width + at / height];
                }
            },
        );
        self.shape = transposed(&self.shape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns_in_each_channel() {
        let pixels = (0..12).collect();
        let mut samples = Samples { shape: Shape::image(2, 2, 3), pixels, labels: vec![0] };
        samples.transpose();
        assert_eq!(samples.shape, Shape::image(2, 3, 2));
        assert_eq!(samples.pixels, [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
    }
}
