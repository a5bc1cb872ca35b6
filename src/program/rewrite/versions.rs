//! The choice's version of every product and convolution, always applied last.
//!
//! ```text
//! before   matmul_naive       conv_naive       conv_weights_naive
//! after    matmul_subgroup    conv_subgroup    conv_weights_subgroup    (say)
//! ```

use crate::kernel::Family;
use crate::program::Program;
use crate::table::choice::Choice;

pub(super) fn rewrite(mut program: Program, choice: &Choice) -> Program {
    for dispatch in &mut program.steps {
        let consts = || dispatch.consts.clone();
        let version = match dispatch.kernel.family {
            Some(Family::Matmul) => choice.matmul(consts()),
            Some(Family::Conv) => choice.conv(consts()),
            Some(Family::ConvWeights) => choice.conv_weights(consts()),
            _ => continue,
        };
        (dispatch.kernel, dispatch.consts) = version;
    }
    program
}
