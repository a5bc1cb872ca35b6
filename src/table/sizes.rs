//! Sizes out of constants.

use crate::kernel::Consts;

/// The sizes of these names.
pub(super) fn sizes<const N: usize>(consts: &Consts, names: [&str; N]) -> [usize; N] {
    names.map(|name| consts.uint(name))
}
