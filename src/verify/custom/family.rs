//! Kernels of which there are several versions, under one name.

use crate::kernel::Kernel;

/// Names by which all versions of one contract are meant, with their twins.
const FAMILIES: &[(&str, &str)] = &[
    ("matmul", "cpu::matmul::matmul"),
    ("conv", "cpu::conv::conv"),
    ("conv_weights", "cpu::conv::conv_weights"),
    ("weight_gradient", "cpu::weights::weight_gradient"),
];

/// The name for all versions of a kernel, where there are several.
pub(super) fn family(kernel: &Kernel) -> Option<&'static str> {
    FAMILIES.iter().find(|(_, twin)| *twin == kernel.twin_name).map(|(name, _)| *name)
}
