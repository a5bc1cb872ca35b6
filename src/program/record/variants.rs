//! Work that several shaders can do, in classes by its shape, and the shaders that each class may take.
//!
//! Which of them is fastest depends on the adapter, and is measured there: see [`tuning`](crate::tune).

use std::fmt;

use crate::cpu::weights;
use crate::kernel::{Const, Consts, Kernel};
use crate::table;

/// Work for which one of several variants is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Products of few columns, of which wide tiles throw most away.
    Narrow,
    /// Products of few tiles with short sums.
    Small,
    /// Products of few tiles with long sums.
    Long,
    /// Products of enough tiles to keep a device busy.
    Large,
    /// Products of enough tiles whatever their size.
    Huge,
    /// The gradients of a dense layer's weights and bias.
    Weights,
    /// Convolutions and their input gradients.
    Conv,
    /// The weight gradients of convolutions.
    ConvWeights,
    /// A first dense layer: whether it takes its input straight from the pixels.
    First,
    /// A small last dense layer: whether cross-entropy is computed with it.
    Last,
}

/// Columns of a narrow product at the most: half of a tile.
const MOST_NARROW: usize = 16;
/// Rows and columns of the tiles by which the size of a product is told.
const TILE: usize = 32;
/// Tiles of a large product, and of a huge one: as many as one of 1,024 by 1,024 has.
const LARGE: usize = 64;
const HUGE: usize = 1_024;
/// Terms of a long sum.
const LONG: usize = 256;

impl Class {
    /// All of them, in the order in which a choice names them.
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

    /// As a choice names it.
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

    /// The same where few columns make no difference: for a product that is cut into slices.
    pub(super) fn by_tiles(consts: &Consts) -> Class {
        let [m, n, k] = ["M", "N", "K"].map(|name| consts.uint(name));
        match m.div_ceil(TILE) * n.div_ceil(TILE) {
            HUGE.. => Class::Huge,
            LARGE.. => Class::Large,
            _ if k >= LONG => Class::Long,
            _ => Class::Small,
        }
    }

    /// What a choice may name for it, and where each is worth measuring.
    pub fn variants(self) -> &'static [(Variant, On)] {
        match self {
            Class::Narrow | Class::Small => SMALL,
            Class::Long => LONG_SUMS,
            Class::Large | Class::Huge => LARGE_PRODUCTS,
            Class::Weights => WEIGHTS,
            Class::Conv => CONVOLUTIONS,
            Class::ConvWeights => CONVOLUTION_WEIGHTS,
            Class::First => FIRST_LAYERS,
            Class::Last => LAST_LAYERS,
        }
    }
}

/// One way to do the work of a class.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// None where the work is left to the kernels of other classes.
    pub kernel: Option<&'static Kernel>,
    /// Constants behind those that every version of the contract takes.
    pub constants: &'static [(&'static str, u32)],
}

impl Variant {
    /// By kernels of other classes: the gradients of a dense layer by a product, column sums and a watch
    /// of its own, a first layer behind a dispatch that picks its samples, a last one in front of its loss.
    pub const SEPARATE: Variant = Variant { kernel: None, constants: &[] };

    /// A kernel that takes the usual constants only.
    pub const fn of(kernel: &'static Kernel) -> Variant {
        Variant { kernel: Some(kernel), constants: &[] }
    }

    /// A product by tiles of a size, see [`TILES`](table::TILES).
    const fn tiles(constants: &'static [(&'static str, u32)]) -> Variant {
        Variant { kernel: Some(&table::MATMUL_VECTORS), constants }
    }

    /// All gradients of a dense layer by such tiles.
    const fn gradient_tiles(constants: &'static [(&'static str, u32)]) -> Variant {
        Variant { kernel: Some(&table::WEIGHT_GRADIENT_VECTORS), constants }
    }

    /// A product in slices of so many terms, or of more: then its sums are added up by another kernel.
    const fn in_slices(constants: &'static [(&'static str, u32)]) -> Variant {
        Variant { kernel: Some(&table::MATMUL_SLICES), constants }
    }

    /// All gradients of a dense layer and their constants, if it takes such a layer.
    pub(super) fn gradient(
        &self,
        batch: usize,
        inputs: usize,
        outputs: usize,
        add: bool,
    ) -> Option<(&'static Kernel, Consts)> {
        // A part for every block; where there is a choice of tiles, for every tile.
        let kernel = self.kernel?;
        let tile = self.constants.iter().find(|(name, _)| *name == "TILE").map(|(_, tile)| *tile as usize);
        let block = tile.map_or_else(|| weights::block(kernel.name), |tile| [tile; 2]);
        self.take(&weights::constants(batch, inputs, outputs, add, block))
    }

    /// Whether it cuts products into slices.
    pub(super) fn cuts(&self) -> bool {
        self.kernel.is_some_and(|kernel| kernel.name == table::MATMUL_SLICES.name)
    }

    /// The constants of the slices of a product, if it cuts one of such a shape.
    pub(super) fn slices(&self, usual: &Consts) -> Option<Consts> {
        let (kernel, (_, least)) = (self.kernel.filter(|_| self.cuts())?, self.constants.first()?);
        let k = usual.uint("K");
        let slice = k.div_ceil(MOST_SLICES).next_multiple_of(table::SLICE_ROUND).max(*least as usize);
        let mut consts = usual.only(&["M", "N", "K", "TRANSPOSE_A", "TRANSPOSE_B"]);
        consts.extend([("SLICES", k.div_ceil(slice).into()), ("SLICE", slice.into())]);
        (k > slice && (kernel.requires)(&consts).is_ok()).then_some(consts)
    }

    /// Its kernel, and its own constants behind the usual ones, if it takes such a shape. What is not
    /// cut into slices has tiles as small as theirs.
    pub(super) fn take(&self, usual: &Consts) -> Option<(&'static Kernel, Consts)> {
        if self.cuts() {
            return TILES_32.take(usual);
        }
        let own = self.constants.iter().map(|(name, value)| (*name, Const::Uint(*value)));
        let mut consts = usual.clone();
        consts.extend(own);
        self.kernel.filter(|kernel| (kernel.requires)(&consts).is_ok()).map(|kernel| (kernel, consts))
    }
}

impl PartialEq for Variant {
    fn eq(&self, other: &Variant) -> bool {
        let name = |variant: &Variant| variant.kernel.map(|kernel| kernel.name);
        name(self) == name(other) && self.constants == other.constants
    }
}

impl fmt::Display for Variant {
    /// As a choice names it: `matmul_register`, or with constants `matmul_tiles tile 64`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.kernel.map_or("separate", |kernel| kernel.name))?;
        self.constants.iter().try_for_each(|(name, value)| write!(f, " {} {value}", name.to_lowercase()))
    }
}

/// The adapters on which a variant is worth measuring, if they can run it; a choice may name it on all that can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On {
    pub gpus: bool,
    /// Programs on a CPU.
    pub software: bool,
}

const NOWHERE: On = On { gpus: false, software: false };
const GPUS: On = On { gpus: true, software: false };
const SOFTWARE: On = On { gpus: false, software: true };
const BOTH: On = On { gpus: true, software: true };

/// Slices of a product at the most, so that they stay few times as large as the result.
const MOST_SLICES: usize = 32;

const ON_NAIVE: (Variant, On) = (Variant::of(&table::MATMUL_NAIVE), NOWHERE);
const ON_MATMUL: (Variant, On) = (Variant::of(&table::MATMUL), GPUS);
const ON_REGISTER: (Variant, On) = (Variant::of(&table::MATMUL_REGISTER), BOTH);
// Where a program on a CPU can run matmul_subgroup, it is several times as fast on large products as
// what compiles for seconds there, and so with convolutions.
const ON_REGISTER_GPUS: (Variant, On) = (Variant::of(&table::MATMUL_REGISTER), GPUS);
const ON_SUBGROUP: (Variant, On) = (Variant::of(&table::MATMUL_SUBGROUP), SOFTWARE);

pub(super) const TILES_32: Variant = Variant::tiles(&[("TILE", 32), ("BLOCK", 4)]);
pub(super) const TILES_64: Variant = Variant::tiles(&[("TILE", 64), ("BLOCK", 8)]);
pub(super) const GRADIENTS_32: Variant = Variant::gradient_tiles(&[("TILE", 32), ("BLOCK", 4)]);
pub(super) const SLICES_64: Variant = Variant::in_slices(&[("SLICE", 64)]);

static SMALL: &[(Variant, On)] = &[ON_NAIVE, ON_MATMUL, (TILES_32, GPUS), ON_REGISTER, ON_SUBGROUP];

static LONG_SUMS: &[(Variant, On)] = &[
    ON_NAIVE,
    ON_MATMUL,
    (TILES_32, GPUS),
    (SLICES_64, GPUS),
    (Variant::in_slices(&[("SLICE", 128)]), GPUS),
    ON_REGISTER,
    ON_SUBGROUP,
];

static LARGE_PRODUCTS: &[(Variant, On)] = &[
    ON_NAIVE,
    ON_MATMUL,
    (TILES_32, GPUS),
    (Variant::tiles(&[("TILE", 64), ("BLOCK", 4)]), GPUS),
    (TILES_64, GPUS),
    (Variant::tiles(&[("TILE", 128), ("BLOCK", 8)]), GPUS),
    ON_REGISTER_GPUS,
    ON_SUBGROUP,
];

static WEIGHTS: &[(Variant, On)] = &[
    (Variant::SEPARATE, GPUS),
    (Variant::of(&table::WEIGHT_GRADIENT), BOTH),
    (Variant::of(&table::WEIGHT_GRADIENT_TILED), GPUS),
    (GRADIENTS_32, GPUS),
    (Variant::gradient_tiles(&[("TILE", 64), ("BLOCK", 4)]), GPUS),
    (Variant::gradient_tiles(&[("TILE", 64), ("BLOCK", 8)]), GPUS),
    (Variant::of(&table::WEIGHT_GRADIENT_SUBGROUP), SOFTWARE),
];

static CONVOLUTIONS: &[(Variant, On)] = &[
    (Variant::of(&table::CONV_NAIVE), NOWHERE),
    (Variant::of(&table::CONV), GPUS),
    (Variant::of(&table::CONV_REGISTER), GPUS),
    (Variant::of(&table::CONV_SUBGROUP), SOFTWARE),
];

static CONVOLUTION_WEIGHTS: &[(Variant, On)] = &[
    (Variant::of(&table::CONV_WEIGHTS_NAIVE), NOWHERE),
    (Variant::of(&table::CONV_WEIGHTS), GPUS),
    (Variant::of(&table::CONV_WEIGHTS_REGISTER), GPUS),
    (Variant::of(&table::CONV_WEIGHTS_SUBGROUP), SOFTWARE),
];

static FIRST_LAYERS: &[(Variant, On)] = &[
    (Variant::SEPARATE, BOTH),
    (Variant::of(&table::PIXEL_DENSE_TILED), GPUS),
    (Variant::of(&table::PIXEL_DENSE_SUBGROUP), SOFTWARE),
];

static LAST_LAYERS: &[(Variant, On)] =
    &[(Variant::SEPARATE, BOTH), (Variant::of(&table::DENSE_LOSS_SUBGROUP), SOFTWARE)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consts;

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

    #[test]
    fn variants_are_told_apart_by_their_names() {
        for class in Class::ALL {
            let names: Vec<String> = class.variants().iter().map(|(one, _)| one.to_string()).collect();
            let known = |name: &String| names.iter().filter(|other| *other == name).count();
            assert!(names.iter().all(|name| known(name) == 1), "{names:?}");
        }
        let wide = Variant { constants: &[("TILE", 64), ("BLOCK", 8)], ..Variant::of(&table::MATMUL) };
        assert_eq!(wide.to_string(), "matmul tile 64 block 8");
        assert!(wide != Variant::of(&table::MATMUL));
    }
}
