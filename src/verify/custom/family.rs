//! Kernels of which there are several versions, under one name.

use crate::kernel::{Family, Kernel};
use crate::table;

/// The name for all versions of a kernel, where there are several.
pub(super) fn family(kernel: &Kernel) -> Option<&'static str> {
    // Of a family that has no kernel of its own name, each version stands for itself.
    kernel.family.map(Family::name).filter(|name| table::find(name).is_some())
}
