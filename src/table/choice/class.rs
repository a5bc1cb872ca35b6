//! Classes of work by shape, and the variants that each class may have.
//!
//! The fastest variant depends on the adapter, and is measured there: see [`tune`](crate::tune).

use super::variant::{self, Variant};
use crate::kernel::Consts;

/// A class of work, for which a variant is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Products of few columns, for which most of a wide tile is empty.
    Narrow,
    /// Products of few tiles with short sums.
    Small,
    /// Products of few tiles with long sums.
    Long,
    /// Products of enough tiles to keep a device busy.
    Large,
    /// Products of enough tiles of any size.
    Huge,
    /// The gradients of a dense layer's weights and bias.
    Weights,
    /// Convolutions and their input gradients.
    Conv,
    /// The weight gradients of convolutions.
    ConvWeights,
    /// A first dense layer: whether it gathers its samples itself.
    First,
    /// A small last dense layer: whether it computes cross-entropy too.
    Last,
}

/// The most columns of a narrow product: half of a tile.
const MOST_NARROW: usize = 16;
/// Rows and columns of the tiles by which products are classified.
const TILE: usize = 32;
/// The least tiles of a large product, and of a huge one: as many as 1,024 by 1,024 has.
const LARGE: usize = 64;
const HUGE: usize = 1_024;
/// The least terms of a long sum.
const LONG: usize = 256;

impl Class {
    /// All classes, in the order of a choice's text.
    pub const ALL: [Class; 10] = [
        Class::Narrow,
        Class::Small,
        Class::Long,
        Class::Large,
        Class::Huge,
        Class::Weights,
        Class::Conv,
        Class::ConvWeights,
        Class::First,
        Class::Last,
    ];

    /// Its name in a choice's text.
    pub fn name(self) -> &'static str {
        match self {
            Class::Narrow => "narrow",
            Class::Small => "small",
            Class::Long => "long",
            Class::Large => "large",
            Class::Huge => "huge",
            Class::Weights => "weights",
            Class::Conv => "conv",
            Class::ConvWeights => "conv-weights",
            Class::First => "first",
            Class::Last => "last",
        }
    }

    /// The class of a product (M, K)·(K, N).
    pub fn of_product(consts: &Consts) -> Class {
        match consts.uint("N") {
            ..=MOST_NARROW => Class::Narrow,
            _ => Class::by_tiles(consts),
        }
    }

    /// The class of a product in slices, for which few columns make no difference.
    pub(super) fn by_tiles(consts: &Consts) -> Class {
        let [m, n, k] = ["M", "N", "K"].map(|name| consts.uint(name));
        match m.div_ceil(TILE) * n.div_ceil(TILE) {
            HUGE.. => Class::Huge,
            LARGE.. => Class::Large,
            _ if k >= LONG => Class::Long,
            _ => Class::Small,
        }
    }

    /// Its variants, and the adapters that each is worth measuring on.
    pub fn variants(self) -> &'static [Variant] {
        match self {
            Class::Narrow | Class::Small => variant::SMALL,
            Class::Long => variant::LONG_SUMS,
            Class::Large | Class::Huge => variant::LARGE_PRODUCTS,
            Class::Weights => variant::WEIGHTS,
            Class::Conv => variant::CONVOLUTIONS,
            Class::ConvWeights => variant::CONVOLUTION_WEIGHTS,
            Class::First => variant::FIRST_LAYERS,
            Class::Last => variant::LAST_LAYERS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::consts;

    #[test]
    fn products_have_the_class_of_their_shape_up_to_its_border() {
        let class = |m: usize, n: usize, k: usize| Class::of_product(&consts! { M: m, N: n, K: k });
        // Columns first, however many rows and terms there are.
        assert_eq!([class(1, 1, 1), class(64, 16, 255), class(100_000, 16, 784)], [Class::Narrow; 3]);
        assert_eq!([class(64, 17, 255), class(1, 64, 10)], [Class::Small; 2]);
        assert_eq!([class(64, 17, 256), class(64, 128, 784)], [Class::Long; 2]);
        // 63 tiles, of which some are not full, and 64.
        assert_eq!([class(32 * 7, 32 * 9, 255), class(32 * 7, 32 * 9, 256)], [Class::Small, Class::Long]);
        assert_eq!([class(32 * 7 + 1, 32 * 8, 1), class(128, 512, 784)], [Class::Large; 2]);
        assert_eq!([class(992, 1_024, 64), class(993, 1_024, 64)], [Class::Large, Class::Huge]);
    }
}
