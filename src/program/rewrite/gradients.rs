//! The gradients of a dense layer's weights and bias into one dispatch, which watches them as well.
//!
//! ```text
//! before   matmul dyᵀ, x → dW    column_sums dy → db
//! after    weight_gradient dy, x → dW, db, squares, flaws
//! ```
//!
//! The squares and flaws are for [`watch`](super::watch); without that rewrite nobody reads them. In half
//! precision the gradient stays a product where its sizes are whole fours, for [`half`](super::half).

use super::draft::{Draft, each};
use crate::kernel::precision::Precision;
use crate::kernel::{Element, Family};
use crate::program::{Dispatch, Program, Role, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    each(program, |draft| draft.positions().for_each(|at| join(draft, at, choice)))
}

/// The two gradients of a dense layer's parameters: the positions of the product that gives that of the
/// weights, and of the sums that give that of the bias.
pub(super) struct BiasGradient {
    pub product: usize,
    pub sums: usize,
    /// The bias's gradient.
    pub to: View,
}

impl BiasGradient {
    /// The sums behind a product, if they are over the same dy and it is a gradient of weights.
    pub fn beside(draft: &Draft, product: usize) -> Option<BiasGradient> {
        let found = draft.at(product).filter(|found| found.kernel.is_a(Family::Matmul))?;
        let (dy, dweight) = (found.view("a"), found.view("c"));
        let transposed = found.consts.flag("TRANSPOSE_A") && !found.consts.flag("TRANSPOSE_B");
        if !transposed || draft.role(dweight.buf) != Role::Gradients {
            return None;
        }
        let sums = product + 1;
        let behind = draft.at_or_none(sums).filter(|behind| behind.kernel.is(&table::COLUMN_SUMS))?;
        let to = behind.view("sums");
        let same = behind.view("x") == dy && draft.role(to.buf) == Role::Gradients;
        same.then_some(BiasGradient { product, sums, to })
    }
}

fn join(draft: &mut Draft, at: usize, choice: &Choice) {
    let Some(gradients) = BiasGradient::beside(draft, at) else { return };
    let product = draft.edit(at).clone();
    let [outputs, inputs, batch] = ["M", "N", "K"].map(|name| product.consts.uint(name));
    let whole = [batch, inputs, outputs].iter().all(|size| size.is_multiple_of(4));
    if whole && choice.precision() == Precision::Half {
        return;
    }
    let kernel = choice.weight_gradient(batch, inputs, outputs, product.consts.flag("ADD"));
    let Some((kernel, consts)) = kernel else { return };
    let [squares, flaws] = parts(draft, consts.uint("PARTS"));
    let args = vec![product.view("a"), product.view("b"), product.view("c"), gradients.to, squares, flaws];
    let joined = Dispatch::new(kernel, consts, args, "weight and bias gradient").of_layer(&product.layer);
    draft.replace(at, vec![joined]);
    draft.remove(gradients.sums);
}

/// Where a kernel leaves the squares and the flaws of the gradients that it writes.
pub(super) fn parts(draft: &mut Draft, count: usize) -> [View; 2] {
    [("squares", Element::Real), ("flaws", Element::Uint)]
        .map(|(name, element)| draft.scratch(name, element, count))
}
