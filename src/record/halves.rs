//! Copies in half precision, for products that may read them.

use super::{Product, Recorder};
use crate::consts;
use crate::kernel::{Consts, Element};
use crate::kernels;
use crate::precision::Precision;
use crate::program::View;

impl Recorder {
    /// Whether a product reads its second matrix in half precision: where that is asked for, of a dense
    /// layer, and of whole fours.
    pub(super) fn halves(&self, p: &Product, usual: &Consts) -> bool {
        let asked = self.versions.precision() == Precision::Half && p.of_a_layer;
        asked && (kernels::MATMUL_HALF.requires)(usual).is_ok()
    }

    /// The same product with a copy of B in half precision, which is made where it is read first.
    pub(super) fn matmul_half(&mut self, p: &Product, usual: Consts, extra: View, what: &str) {
        let key = (p.b.buf, p.b.start);
        let halves = self.halved.get(&key).copied().unwrap_or_else(|| {
            let halves = self.local(&format!("{what} in halves"), Element::Uint, p.b.len / 2);
            self.dispatch(
                &kernels::PACK_HALF,
                consts! { LENGTH: p.b.len, SCALE: 1.0f32 },
                vec![p.b, halves],
                "half precision",
            );
            halves
        });
        self.halved.insert(key, halves);
        self.dispatch(&kernels::MATMUL_HALF, usual, vec![p.a, halves, extra, p.c.view], what);
    }
}
