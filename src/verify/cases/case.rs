//! One call of a kernel.

use crate::kernel::{Consts, Step};

/// One call of a kernel: constants and step scalars.
///
/// Inputs follow from a seed.
#[derive(Clone, Debug)]
pub struct Case {
    pub consts: Consts,
    pub step: Step,
}
