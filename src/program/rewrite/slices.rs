//! Cuts a long product with a small result into slices.
//!
//! Its result has too few tiles to keep a GPU's cores busy.
//!
//! ```text
//! before   matmul a, b → c
//! after    matmul_slices a, b → parts    add_slices parts → c    (with the epilogue)
//! ```

use super::dense::has_epilogue;
use super::draft::{Draft, each};
use crate::kernel::consts;
use crate::kernel::{Element, Epilogue, Family};
use crate::program::{Dispatch, Program};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    each(program, |draft| draft.positions().for_each(|at| cut(draft, at, choice)))
}

fn cut(draft: &mut Draft, at: usize, choice: &Choice) {
    let Some(product) = draft.at(at).filter(|found| found.kernel.is_a(Family::Matmul)) else { return };
    let Some(consts) = choice.slices(&product.consts) else { return };
    let (product, count) = (product.clone(), consts.uint("SLICES"));
    let [m, n] = ["M", "N"].map(|name| product.consts.uint(name));
    let name = format!("{} in slices", product.what);
    let parts = draft.scratch(&product.layer, &name, Element::Real, count * m * n);
    let args = vec![product.view("a"), product.view("b"), parts];
    let slices = Dispatch::new(&table::MATMUL_SLICES, consts, args, name);
    let mut consts = consts! { SLICES: count, M: m, N: n, ADD: product.consts.flag("ADD") };
    consts.extend(product.consts.only(&["EPILOGUE", "ACTIVATION", "LEAK"]).iter());
    // A plain epilogue reads nothing; the parts are bound in its place.
    let plain = has_epilogue(&product, Epilogue::Plain);
    let extra = if plain { parts } else { product.view("extra") };
    let args = vec![parts, extra, product.view("c")];
    let sum = Dispatch::new(&table::ADD_SLICES, consts, args, product.what.clone());
    // Both stand behind the gate, if there is one: gates are numbered later.
    let placed =
        [slices, sum].map(|dispatch| Dispatch { gate: product.gate, ..dispatch.of_layer(&product.layer) });
    draft.replace(at, placed.to_vec());
}
