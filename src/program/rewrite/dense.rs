//! The dispatches of a dense layer, for several rewrites.

use super::draft::Draft;
use crate::kernel::{Activation, Const, Epilogue, Family};
use crate::program::{Dispatch, Role, View};
use crate::table;

/// Whether a dispatch has this epilogue.
pub(super) fn has_epilogue(dispatch: &Dispatch, epilogue: Epilogue) -> bool {
    dispatch.consts.has("EPILOGUE", Const::Uint(epilogue as u32))
}

/// Whether a dispatch is y = activate(x·Wᵀ + b).
pub(super) fn is_weighted_sums(found: &Dispatch) -> bool {
    let is = |name: &str, flag: bool| found.consts.flag(name) == flag;
    found.kernel.is_a(Family::Matmul)
        && has_epilogue(found, Epilogue::Bias)
        && is("TRANSPOSE_A", false)
        && is("TRANSPOSE_B", true)
        && is("ADD", false)
}

/// Whether a dispatch is dx = dy·W, with or without the derivative of x's activation.
pub(super) fn is_input_gradient(found: &Dispatch, dy: View, weight: View) -> bool {
    let product = found.kernel.is_a(Family::Matmul) && !has_epilogue(found, Epilogue::Bias);
    let plain = product && !found.consts.flag("TRANSPOSE_A") && !found.consts.flag("TRANSPOSE_B");
    plain && found.view("a") == dy && found.view("b") == weight
}

/// The activation whose derivative an input gradient is multiplied by.
pub(super) fn derivative_of(input_gradient: &Dispatch) -> Activation {
    if has_epilogue(input_gradient, Epilogue::Derivative) {
        Activation::chosen(&input_gradient.consts)
    } else {
        Activation::Identity
    }
}

/// The gradients of a dense layer's weights and bias: dW = dyᵀ·x, and right behind it db = Σ over the batch of dy.
pub(super) struct DenseGradients {
    /// The product.
    pub weight: Dispatch,
    /// The position of the sums.
    pub sums: usize,
    /// The bias's gradient.
    pub dbias: View,
}

impl DenseGradients {
    /// Those whose product stands at a position.
    pub fn at(draft: &Draft, product: usize) -> Option<DenseGradients> {
        let weight = draft.at(product).filter(|found| found.kernel.is_a(Family::Matmul))?;
        let transposed = weight.consts.flag("TRANSPOSE_A") && !weight.consts.flag("TRANSPOSE_B");
        let of_weights = draft.role(weight.view("c").buf) == Role::Gradients;
        if !(transposed && of_weights && has_epilogue(weight, Epilogue::Plain)) {
            return None;
        }
        let sums = product + 1;
        let behind = draft.at(sums).filter(|behind| behind.kernel.is(&table::COLUMN_SUMS))?;
        let dbias = behind.view("sums");
        let same = behind.view("x") == weight.view("a")
            && behind.consts.flag("ADD") == weight.consts.flag("ADD")
            && draft.role(dbias.buf) == Role::Gradients;
        same.then(|| DenseGradients { weight: weight.clone(), sums, dbias })
    }
}
