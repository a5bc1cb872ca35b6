//! Computes products of dense layers from f16 copies.
//!
//! ```text
//! before                     matmul a, b → c
//! after    pack_f16 b → h   matmul_f16 a, h → c        with cooperative matrices, copies of both
//! ```
//!
//! A section makes a copy once, in front of its first reader: each factor of a layer's product is written once, in front
//! of that (weights by the update of the step before). Copies of gradients are
//! [scaled](crate::cpu::f16::gradient_scale). Products of optimisers stay as they are.

use std::collections::{HashMap, HashSet};

use super::draft::{Draft, each};
use crate::kernel::consts;
use crate::kernel::precision::Precision;
use crate::kernel::{Element, Family};
use crate::program::{Buf, Dispatch, Program, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    if choice.precision() != Precision::F16 {
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

/// The copies of a section, by their source and whether they are scaled as gradients.
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
        let packed = copies.of(draft, a, of_gradient, &product, "A", &mut steps);
        product.bind("a", packed);
        (product.kernel, product.consts) = (&table::MATMUL_COOPERATIVE, consts);
    } else {
        product.kernel = &table::MATMUL_F16;
    }
    let packed = copies.of(draft, b, false, &product, "B", &mut steps);
    product.bind("b", packed);
    steps.push(product);
    draft.replace(at, steps);
}

impl Copies {
    /// The f16 copy of a factor.
    ///
    /// The first call adds the dispatch that makes it to `steps`.
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
            let name = format!("{}: {factor} in f16", product.what);
            let packed = draft.scratch(&product.layer, &name, Element::Uint, of.len / 2);
            let consts = consts! { LENGTH: of.len, GRADIENT: gradient };
            let pack = Dispatch::new(&table::PACK_F16, consts, vec![of, packed], "f16 copy");
            steps.push(pack.of_layer(&product.layer));
            packed
        })
    }
}
