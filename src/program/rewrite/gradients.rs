//! Joins both gradients of a dense layer, with squares and non-finite counts for the watch.
//!
//! ```text
//! before   matmul dyᵀ, x → dW    column_sums dy → db
//! after    weight_gradient dy, x → dW, db, squares, non-finite counts
//! ```
//!
//! [`watch`](super::watch) uses the squares and counts. With the precision f16 a gradient that [`f16`](super::f16) can
//! take stays a product.

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

/// Buffers for the squares and non-finite counts of a kernel's gradients.
pub(super) fn parts(draft: &mut Draft, layer: &str, count: usize) -> [View; 2] {
    [("squares", Element::Real), ("non_finite", Element::Uint)]
        .map(|(name, element)| draft.scratch(layer, name, element, count))
}
