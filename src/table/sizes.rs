//! Sizes from constants.

use crate::kernel::Consts;

/// The sizes with these names.
pub(super) fn sizes<const N: usize>(consts: &Consts, names: [&str; N]) -> [usize; N] {
    names.map(|name| consts.uint(name))
}
