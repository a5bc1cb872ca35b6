//! Copies in half precision, for products that may read them.

use super::{Product, Recorder};
use crate::consts;
use crate::kernel::precision::Precision;
use crate::kernel::{Consts, Element};
use crate::program::View;
use crate::table;

impl Recorder {
    /// Whether a product reads its second matrix in half precision: where that is asked for, of a dense
    /// layer, and of whole fours.
    pub(super) fn halves(&self, p: &Product, usual: &Consts) -> bool {
        let asked = self.versions.precision() == Precision::Half && p.of_a_layer;
        asked && (table::MATMUL_HALF.requires)(usual).is_ok()
    }

    /// The same product with a copy of B in half precision, or, by cooperative matrices, of both.
    pub(super) fn matmul_of_halves(&mut self, p: &Product, usual: Consts, extra: View, what: &str) {
        if let Some(consts) = self.versions.cooperative(&usual, p.of_a_gradient) {
            let a = self.halved(p.a, p.of_a_gradient, &format!("{what}: A in halves"));
            let b = self.halved(p.b, false, &format!("{what}: B in halves"));
            return self.dispatch(&table::MATMUL_COOPERATIVE, consts, vec![a, b, extra, p.c.view], what);
        }
        let b = self.halved(p.b, false, &format!("{what}: B in halves"));
        self.dispatch(&table::MATMUL_HALF, usual, vec![p.a, b, extra, p.c.view], what);
    }

    /// A copy in half precision, of a gradient [scaled](crate::cpu::half::gradient_scale), which is made where
    /// it is read first.
    fn halved(&mut self, of: View, gradient: bool, name: &str) -> View {
        let key = (of.buf, of.start, gradient);
        if let Some(halves) = self.halved.get(&key) {
            return *halves;
        }
        let halves = self.local(name, Element::Uint, of.len / 2);
        let consts = consts! { LENGTH: of.len, GRADIENT: gradient };
        self.dispatch(&table::PACK_HALF, consts, vec![of, halves], "half precision");
        self.halved.insert(key, halves);
        halves
    }
}
