//! The gradients of a dense layer's weights and bias into one dispatch, which keeps parts for the watch as well.
//!
//! ```text
//! before   matmul dyᵀ, x → dW    column_sums dy → db
//! after    weight_gradient dy, x → dW, db, squares, flaws
//! ```
//!
//! The squares and flaws are for [`watch`](super::watch); without that rewrite nobody reads them. With f16
//! copies the gradient stays a product where its sizes suit, for [`f16`](super::f16).

use super::dense::DenseGradients;
use super::draft::{Draft, each};
use crate::kernel::Element;
use crate::kernel::precision::Precision;
use crate::program::{Dispatch, Program, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    each(program, |draft| draft.positions().for_each(|at| join(draft, at, choice)))
}

fn join(draft: &mut Draft, at: usize, choice: &Choice) {
    let Some(DenseGradients { weight, sums, dbias }) = DenseGradients::at(draft, at) else { return };
    if choice.precision() == Precision::F16 && (table::MATMUL_F16.requires)(&weight.consts).is_ok() {
        return;
    }
    let [outputs, inputs, batch] = ["M", "N", "K"].map(|name| weight.consts.uint(name));
    let kernel = choice.weight_gradient(batch, inputs, outputs, weight.consts.flag("ADD"));
    let Some((kernel, consts)) = kernel else { return };
    let [squares, non_finite] = parts(draft, &weight.layer, consts.uint("PARTS"));
    let args = vec![weight.view("a"), weight.view("b"), weight.view("c"), dbias, squares, non_finite];
    let joined = Dispatch::new(kernel, consts, args, "weight and bias gradient").of_layer(&weight.layer);
    draft.replace(at, vec![joined]);
    draft.remove(sums);
}

/// Where a kernel leaves the squares and the flaws of the gradients that it writes.
pub(super) fn parts(draft: &mut Draft, layer: &str, count: usize) -> [View; 2] {
    [("squares", Element::Real), ("non_finite", Element::Uint)]
        .map(|(name, element)| draft.scratch(layer, name, element, count))
}
