//! The operations and bytes of a dispatch.

use crate::kernel::{Consts, Kernel};

/// The work of a dispatch, by the kernel table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub flops: usize,
    pub bytes: usize,
}

impl Needs {
    pub fn of(kernel: &Kernel, consts: &Consts) -> Needs {
        Needs { flops: (kernel.flops)(consts), bytes: kernel.bytes(consts) }
    }
}
