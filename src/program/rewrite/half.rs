//! Products of dense layers from copies in half precision.
//!
//! ```text
//! before                     matmul a, b → c
//! after    pack_f16 b → h   matmul_f16 a, h → c        or, by cooperative matrices, from copies of both
//! ```
//!
//! A copy is made where it is read first, once in a section: what a layer multiplies is written once, in front of
//! its first reader (weights by the update of the step before). Gradients are [scaled](crate::cpu::half::gradient_scale).
//! What optimisers multiply stays as it is.

use std::collections::{HashMap, HashSet};

use super::draft::{Draft, each};
use crate::kernel::consts;
use crate::kernel::precision::Precision;
use crate::kernel::{Element, Family};
use crate::program::{Buf, Dispatch, Program, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    if choice.precision() != Precision::Half {
        return program;
    }
    let gradients: HashSet<Buf> = program.bufs.iter().filter_map(|buf| buf.gradient).collect();
    each(program, |draft| {
        let mut copies = Copies::default();
        for at in draft.positions() {
            copy(draft, at, choice, &gradients, &mut copies);
        }
    })
}

/// The copies of a section, by what they are of and whether that is scaled as a gradient.
#[derive(Default)]
struct Copies(HashMap<(Buf, usize, bool), View>);

fn copy(draft: &mut Draft, at: usize, choice: &Choice, gradients: &HashSet<Buf>, copies: &mut Copies) {
    let product = draft.at(at).filter(|found| found.kernel.is_a(Family::Matmul) && found.gate.is_none());
    let Some(product) = product.filter(|found| (table::MATMUL_F16.requires)(&found.consts).is_ok()) else {
        return;
    };
    let mut product = product.clone();
    let (a, b) = (product.view("a"), product.view("b"));
    let of_gradient = gradients.contains(&a.buf);
    let mut steps = Vec::new();
    if let Some(consts) = choice.cooperative(&product.consts, of_gradient) {
        let halves = copies.of(draft, a, of_gradient, &product, "A", &mut steps);
        product.bind("a", halves);
        (product.kernel, product.consts) = (&table::MATMUL_COOPERATIVE, consts);
    } else {
        product.kernel = &table::MATMUL_F16;
    }
    let halves = copies.of(draft, b, false, &product, "B", &mut steps);
    product.bind("b", halves);
    steps.push(product);
    draft.replace(at, steps);
}

impl Copies {
    /// A copy of a factor in half precision; `steps` gets the dispatch that makes it, if it is the first.
    fn of(
        &mut self,
        draft: &mut Draft,
        of: View,
        gradient: bool,
        product: &Dispatch,
        factor: &str,
        steps: &mut Vec<Dispatch>,
    ) -> View {
        *self.0.entry((of.buf, of.start, gradient)).or_insert_with(|| {
            let name = format!("{}: {factor} in halves", product.what);
            let halves = draft.scratch(&product.layer, &name, Element::Uint, of.len / 2);
            let consts = consts! { LENGTH: of.len, GRADIENT: gradient };
            let pack = Dispatch::new(&table::PACK_F16, consts, vec![of, halves], "half precision");
            steps.push(pack.of_layer(&product.layer));
            halves
        })
    }
}
