//! A long product with a small result in two dispatches.

use super::{Product, Recorder};
use crate::consts;
use crate::kernel::{Consts, Element};
use crate::table;

impl Recorder {
    /// Slices of a product's sums, and a dispatch that adds them up and does what is done to a finished
    /// sum: what [`Recorder::matmul`] does where few tiles would keep few of a GPU's cores busy.
    ///
    /// `slices` are the constants of the first dispatch, `usual` those of the product in one.
    pub(super) fn matmul_in_slices(&mut self, p: &Product, slices: Consts, usual: &Consts, what: &str) {
        let (count, in_slices) = (slices.uint("SLICES"), format!("{what} in slices"));
        let parts = self.local(&in_slices, Element::Real, count * p.m * p.n);
        self.dispatch(&table::MATMUL_SLICES, slices, vec![p.a, p.b, parts], &in_slices);
        let mut consts = consts! { SLICES: count, M: p.m, N: p.n, ADD: p.c.add };
        consts.extend(usual.only(&["EPILOGUE", "ACTIVATION", "LEAK"]).iter());
        // A plain sum reads nothing besides, and is given what it adds up.
        let extra = p.epilogue.map_or(parts, |(_, _, extra)| extra);
        self.dispatch(&table::ADD_SLICES, consts, vec![parts, extra, p.c.view], what);
    }
}
