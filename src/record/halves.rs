//! Copies in half precision, for products that may read them.

use super::{Product, Recorder};
use crate::consts;
use crate::kernel::{Consts, Element};
use crate::kernels;
use crate::precision::Precision;
use crate::program::View;

/// What a gradient is multiplied by when it is packed: 2⁸ for each sample, rounded up to a power of two.
///
/// A loss is a mean over the batch, so its gradients are as many times smaller than those of one sample as
/// there are samples; and most of them are small besides. Halves end at 2⁻¹⁴, and what is smaller would be
/// lost. Multiplied so, the gradient of a sample may be from 2⁻²² to nearly 2⁸. By a power of two nothing is
/// rounded, and the product divides its sums by it again, which rounds nothing either. What is larger
/// becomes an infinity as a half, and so does the gradient that is made of it or no number at all, at which
/// the [guard](crate::cpu::guard) stops the update, as at any other.
fn gradient_scale(batch: usize) -> f32 {
    256.0 * batch.next_power_of_two() as f32
}

impl Recorder {
    /// Whether a product reads its second matrix in half precision: where that is asked for, of a dense
    /// layer, and of whole fours.
    pub(super) fn halves(&self, p: &Product, usual: &Consts) -> bool {
        let asked = self.versions.precision() == Precision::Half && p.of_a_layer;
        asked && (kernels::MATMUL_HALF.requires)(usual).is_ok()
    }

    /// The same product with a copy of B in half precision, or, by cooperative matrices, of both.
    pub(super) fn matmul_of_halves(&mut self, p: &Product, usual: Consts, extra: View, what: &str) {
        let scale = if p.of_a_gradient { gradient_scale(self.batch) } else { 1.0 };
        if let Some(consts) = self.versions.cooperative(&usual, scale) {
            let a = self.halved(p.a, scale, &format!("{what}: A in halves"));
            let b = self.halved(p.b, 1.0, &format!("{what}: B in halves"));
            return self.dispatch(&kernels::MATMUL_COOPERATIVE, consts, vec![a, b, extra, p.c.view], what);
        }
        let b = self.halved(p.b, 1.0, &format!("{what}: B in halves"));
        self.dispatch(&kernels::MATMUL_HALF, usual, vec![p.a, b, extra, p.c.view], what);
    }

    /// A copy in half precision, times a power of two, which is made where it is read first.
    fn halved(&mut self, of: View, scale: f32, name: &str) -> View {
        let key = (of.buf, of.start, scale.to_bits());
        if let Some(halves) = self.halved.get(&key) {
            return *halves;
        }
        let halves = self.local(name, Element::Uint, of.len / 2);
        let consts = consts! { LENGTH: of.len, SCALE: scale };
        self.dispatch(&kernels::PACK_HALF, consts, vec![of, halves], "half precision");
        self.halved.insert(key, halves);
        halves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_scaled_by_a_power_of_two_that_grows_with_the_batch() {
        assert_eq!(
            [1, 2, 3, 64, 65, 1_024].map(gradient_scale),
            [256.0, 512.0, 1_024.0, 16_384.0, 32_768.0, 262_144.0]
        );
    }
}
