//! Kernels with several variants under one name.

use crate::kernel::{Family, Kernel};
use crate::table;

/// The name for all variants of a kernel, where there are several.
pub(super) fn family(kernel: &Kernel) -> Option<&'static str> {
    // In a family without a kernel of its name, each variant is replaced by itself.
    kernel.family.map(Family::name).filter(|name| table::find(name).is_some())
}
