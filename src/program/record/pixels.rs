//! A first layer straight from the pixels: where the data are images in one binding and nothing changes
//! them, a dense layer unpacks its input itself, and no dispatch has to pick the samples before.

use super::{Gradient, Recorder, Tensor};
use crate::cpu::activation::Activation;
use crate::cpu::pixels::{dense_constants, gradient_constants, sizes};
use crate::cpu::weights::block;
use crate::kernel::{Consts, Kernel};
use crate::program::View;
use crate::table;

/// The samples of a step before they are picked.
#[derive(Clone, Copy, Debug)]
pub struct Pixels {
    /// Packed, of all samples of a part.
    pub images: View,
    /// Of all samples of a part.
    pub labels: View,
    /// The order in which samples are visited.
    pub order: View,
    /// Scale of every channel, then shift of every channel.
    pub normaliser: View,
    /// Where the labels of the step's samples go.
    pub targets: View,
    pub channels: usize,
}

impl Pixels {
    /// The sizes of a dense layer that takes them.
    pub fn sizes(&self, batch: usize, first: usize, values: usize, outputs: usize) -> Consts {
        sizes(batch, first, [self.channels, values / self.channels], self.labels.len, outputs)
    }
}

/// The kernels of a layer that takes pixels: its weighted sums, and the gradients of its weights.
#[derive(Clone, Copy, Debug)]
pub struct PixelKernels {
    pub dense: &'static Kernel,
    pub gradient: &'static Kernel,
}

impl PixelKernels {
    /// These weighted sums, and the gradients that go with them.
    pub fn with(dense: &'static Kernel) -> Option<PixelKernels> {
        let pairs = [
            (&table::PIXEL_DENSE_TILED, &table::PIXEL_GRADIENT_TILED),
            (&table::PIXEL_DENSE_SUBGROUP, &table::PIXEL_GRADIENT_SUBGROUP),
        ];
        let (_, gradient) = pairs.into_iter().find(|(known, _)| known.name == dense.name)?;
        Some(PixelKernels { dense, gradient })
    }

    /// The constants of the gradients.
    fn gradient_constants(&self, sizes: Consts, add: bool) -> Consts {
        gradient_constants(sizes, add, block(self.gradient.name))
    }

    /// Whether both can work on a layer of these sizes.
    pub fn fit(&self, sizes: &Consts) -> bool {
        let dense = dense_constants(sizes.clone(), Activation::Identity);
        let gradient = self.gradient_constants(sizes.clone(), false);
        (self.dense.requires)(&dense).is_ok() && (self.gradient.requires)(&gradient).is_ok()
    }
}

impl Recorder {
    /// The weighted sums of a dense layer that takes pixels.
    pub(crate) fn pixel_dense(&mut self, x: Tensor, pixels: Pixels, [weight, bias]: [View; 2], y: Tensor) {
        let kernels = self.pixel_kernels();
        let sizes = pixels.sizes(x.rows, self.first_row, x.columns(), y.columns());
        let Pixels { images, labels, order, normaliser, targets, .. } = pixels;
        let args = vec![images, labels, order, normaliser, weight, bias, y.value, targets];
        self.dispatch(kernels.dense, dense_constants(sizes, y.made_by), args, "weighted sums of pixels");
    }

    /// The gradients of its weights and bias, and the watch over them.
    pub(crate) fn pixel_gradient(
        &mut self,
        dz: View,
        x: Tensor,
        pixels: Pixels,
        [dweight, dbias]: [Gradient; 2],
    ) {
        let kernels = self.pixel_kernels();
        let sizes = pixels.sizes(x.rows, self.first_row, x.columns(), dz.len / x.rows);
        let consts = kernels.gradient_constants(sizes, dweight.add);
        let [sums, flaws] = self.watch(dweight.view, dbias.view.len, consts.uint("PARTS"));
        let Pixels { images, order, normaliser, .. } = pixels;
        let args = vec![dz, images, order, normaliser, dweight.view, dbias.view, sums, flaws];
        self.dispatch(kernels.gradient, consts, args, "weight and bias gradient");
    }

    fn pixel_kernels(&self) -> PixelKernels {
        self.versions.pixels().expect("lowering gives pixels only where there are kernels for them")
    }
}
