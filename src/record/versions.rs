//! Which of several shaders with one contract are used.

use super::PixelKernels;
use crate::cpu::conv::Geometry;
use crate::cpu::weights;
use crate::kernel::{Consts, Kernel};
use crate::kernels;

/// Which of several shaders with one contract are used.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    /// The matmul for every product.
    matmul: &'static Kernel,
    /// A faster one for wide products of whole vec4s, see [`Versions::matmul`].
    wide: Option<&'static Kernel>,
    /// The gradients of a dense layer in one dispatch, and the same in whole vec4s, with the blocks of
    /// each; without one it takes a matmul, column sums and a watch.
    weights: &'static [(&'static Kernel, [usize; 2])],
    /// A dense layer that takes its input straight from the pixels.
    pub(super) pixels: Option<PixelKernels>,
    /// A convolution with enough channels, forwards and its input gradient; and its weight gradient.
    conv: Option<[&'static Kernel; 2]>,
}

impl Versions {
    /// The shaders to read first.
    pub const NAIVE: Versions =
        Versions { matmul: &kernels::MATMUL_NAIVE, wide: None, weights: &[], pixels: None, conv: None };
    /// Tiled through workgroup memory, for real GPUs.
    pub const GPU: Versions = Versions {
        matmul: &kernels::MATMUL,
        wide: None,
        weights: &[],
        pixels: None,
        conv: Some([&kernels::CONV, &kernels::CONV_WEIGHTS]),
    };
    /// Without barriers, for adapters that are programs on a CPU.
    pub const SOFTWARE: Versions = Versions {
        matmul: &kernels::MATMUL_REGISTER,
        wide: None,
        weights: &[(&kernels::WEIGHT_GRADIENT, weights::BLOCK)],
        pixels: None,
        conv: Some([&kernels::CONV_REGISTER, &kernels::CONV_WEIGHTS_REGISTER]),
    };
    /// The same for those with subgroups of exactly 8.
    pub const SOFTWARE_SUBGROUPS: Versions = Versions {
        wide: Some(&kernels::MATMUL_SUBGROUP),
        weights: &[
            (&kernels::WEIGHT_GRADIENT_SUBGROUP, weights::SUBGROUP_BLOCK),
            (&kernels::WEIGHT_GRADIENT, weights::BLOCK),
        ],
        pixels: Some(PixelKernels {
            dense: &kernels::PIXEL_DENSE_SUBGROUP,
            gradient: &kernels::PIXEL_GRADIENT_SUBGROUP,
            block: weights::SUBGROUP_BLOCK,
        }),
        conv: Some([&kernels::CONV_SUBGROUP, &kernels::CONV_WEIGHTS_SUBGROUP]),
        ..Versions::SOFTWARE
    };

    /// All shaders that it may choose.
    pub fn kernels(&self) -> impl Iterator<Item = &'static Kernel> {
        let naive = [&kernels::CONV_NAIVE, &kernels::CONV_WEIGHTS_NAIVE];
        let weights = self.weights.iter().map(|(kernel, _)| *kernel);
        let pixels = self.pixels.iter().flat_map(|kernels| [kernels.dense, kernels.gradient]);
        let dense = [self.matmul].into_iter().chain(self.wide).chain(weights).chain(pixels);
        dense.chain(naive).chain(self.conv.into_iter().flatten())
    }

    /// The shader for one product. Of a narrow one, most of the 32 columns that
    /// the wide version computes at once would be thrown away.
    pub fn matmul(&self, consts: &Consts) -> &'static Kernel {
        match self.wide {
            Some(wide) if consts.uint("N") > 16 && (wide.requires)(consts).is_ok() => wide,
            _ => self.matmul,
        }
    }

    /// Whether a dense layer of these sizes can take pixels, see [`Pixels::sizes`](super::Pixels::sizes).
    pub fn takes_pixels(&self, sizes: &Consts) -> bool {
        self.pixels.is_some_and(|kernels| kernels.fit(sizes))
    }

    /// The shader for all gradients of a dense layer, if there is one, and its constants.
    pub(super) fn weight_gradient(
        &self,
        batch: usize,
        inputs: usize,
        outputs: usize,
        add: bool,
    ) -> Option<(&'static Kernel, Consts)> {
        let with_consts = |&(kernel, block): &(&'static Kernel, [usize; 2])| {
            (kernel, weights::constants(batch, inputs, outputs, add, block))
        };
        self.weights.iter().map(with_consts).find(|(kernel, consts)| (kernel.requires)(consts).is_ok())
    }

    /// The shader for a convolution or its input gradient.
    pub fn conv(&self, consts: &Consts) -> &'static Kernel {
        let geometry = Geometry::of(consts);
        let written = if consts.flag("BACKWARD") { geometry.channels } else { geometry.outputs };
        self.conv_of(0, &kernels::CONV_NAIVE, written / geometry.groups, consts)
    }

    /// The shader for a convolution's weight gradient.
    pub(super) fn conv_weights(&self, consts: &Consts) -> &'static Kernel {
        let geometry = Geometry::of(consts);
        self.conv_of(1, &kernels::CONV_WEIGHTS_NAIVE, geometry.outputs / geometry.groups, consts)
    }

    /// With fewer than two channels to a group, most of what a fast version
    /// computes at once would be thrown away.
    fn conv_of(
        &self,
        which: usize,
        naive: &'static Kernel,
        channels: usize,
        consts: &Consts,
    ) -> &'static Kernel {
        match self.conv {
            Some(fast) if channels >= 2 && (fast[which].requires)(consts).is_ok() => fast[which],
            _ => naive,
        }
    }
}
