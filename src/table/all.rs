//! The list of all kernels, in the order in which a training step uses them.

use super::{dense::*, ends::*, former, images::*, losses::*, norm::*, steps::*, updates::*};
use crate::kernel::Kernel;

/// Every kernel.
pub static ALL: &[&Kernel] = &[
    &GATHER_BATCH,
    &ONE_HOT,
    &MATMUL_NAIVE,
    &MATMUL,
    &MATMUL_VECTORS,
    &MATMUL_REGISTER,
    &MATMUL_SUBGROUP,
    &MATMUL_SLICES,
    &ADD_SLICES,
    &PACK_F16,
    &MATMUL_F16,
    &MATMUL_COOPERATIVE,
    &WEIGHT_GRADIENT,
    &WEIGHT_GRADIENT_TILED,
    &WEIGHT_GRADIENT_VECTORS,
    &WEIGHT_GRADIENT_SUBGROUP,
    &WEIGHT_GRADIENT_NARROW_SUBGROUP,
    &GATHER_DENSE_TILED,
    &GATHER_DENSE_SUBGROUP,
    &GATHER_DENSE_GRADIENT_TILED,
    &GATHER_DENSE_GRADIENT_SUBGROUP,
    &ACTIVATION,
    &ACTIVATION_BACKWARD,
    &SOFTMAX,
    &SOFTMAX_BACKWARD,
    &SOFTMAX_LOSS,
    &WEIGHTED_LOSS,
    &DENSE_SOFTMAX_LOSS_SUBGROUP,
    &BCE_LOSS,
    &SQUARED_ERROR,
    &COLUMN_SUMS,
    &GRADIENT_PARTS,
    &GUARD,
    &SQUARE_SUMS,
    &CLIP_NORM,
    &CLIP_VALUE,
    &SGD,
    &SGD_MOMENTUM,
    &ADA_GRAD,
    &RMS_PROP,
    &RMS_PROP_MOMENTUM,
    &RMS_PROP_CENTRED,
    &ADAM,
    &LION,
    &MUON_MOMENTUM,
    &FROBENIUS_NORMALISE,
    &NEWTON_SCHULZ,
    &MUON,
    &EMA,
    &HOT_COLD,
    &CONV_NAIVE,
    &CONV,
    &CONV_REGISTER,
    &CONV_SUBGROUP,
    &CONV_WEIGHTS_NAIVE,
    &CONV_WEIGHTS,
    &CONV_WEIGHTS_REGISTER,
    &CONV_WEIGHTS_SUBGROUP,
    &CHANNEL_SUMS,
    &MAX_POOL,
    &MAX_POOL_BACKWARD,
    &AVERAGE_POOL,
    &AVERAGE_POOL_BACKWARD,
    &MOMENTS_SLICES,
    &MOMENTS,
    &RUNNING_MOMENTS,
    &NORMALISE,
    &NORMALISE_SLICES,
    &NORMALISE_BACKWARD,
    &NORMALISE_WEIGHTS,
    &DROPOUT,
    &ADD,
];

/// The kernel of this name, which may be a former one.
pub fn find(name: &str) -> Option<&'static Kernel> {
    let name = former::kernel(name);
    ALL.iter().copied().find(|kernel| kernel.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_former_name_leads_to_a_present_one() {
        for (former, present) in former::KERNELS {
            assert!(ALL.iter().all(|kernel| kernel.name != *former), "{former}");
            assert_eq!(find(former).map(|kernel| kernel.name), Some(*present));
        }
        for (_, present) in former::BINDINGS {
            let mut bindings = ALL.iter().flat_map(|kernel| kernel.binds);
            assert!(bindings.any(|bind| bind.name == *present), "{present}");
        }
    }
}
