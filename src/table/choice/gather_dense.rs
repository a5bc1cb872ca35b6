//! The kernels of a first dense layer that gathers its samples itself.

use crate::cpu::gather_dense::{dense_constants, gradient_constants};
use crate::kernel::{Activation, Consts, Kernel};
use crate::table;

/// The kernels of a first dense layer that gathers its samples: weighted sums and gradients.
#[derive(Clone, Copy, Debug)]
pub struct GatherDenseKernels {
    pub dense: &'static Kernel,
    pub gradient: &'static Kernel,
}

impl GatherDenseKernels {
    /// The pair with this kernel of weighted sums.
    pub(super) fn with(dense: &'static Kernel) -> Option<GatherDenseKernels> {
        let pairs = [
            GatherDenseKernels {
                dense: &table::GATHER_DENSE_TILED,
                gradient: &table::GATHER_DENSE_GRADIENT_TILED,
            },
            GatherDenseKernels {
                dense: &table::GATHER_DENSE_SUBGROUP,
                gradient: &table::GATHER_DENSE_GRADIENT_SUBGROUP,
            },
        ];
        pairs.into_iter().find(|pair| dense.is(pair.dense))
    }

    /// The constants of the gradients; `sizes` are [those of the layer](crate::cpu::gather_dense::sizes).
    pub fn gradient_constants(&self, sizes: Consts, add: bool) -> Consts {
        gradient_constants(sizes, add, self.gradient.block.expect("the kernel table gives it a block"))
    }

    /// Whether both take a layer of these sizes.
    pub fn fit(&self, sizes: &Consts) -> bool {
        let dense = dense_constants(sizes.clone(), Activation::Identity);
        let gradient = self.gradient_constants(sizes.clone(), false);
        (self.dense.requires)(&dense).is_ok() && (self.gradient.requires)(&gradient).is_ok()
    }
}
