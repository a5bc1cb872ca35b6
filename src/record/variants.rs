//! Work that several shaders can do, in classes by its shape, and the shaders that each class may take.
//!
//! Which of them is fastest depends on the adapter, and is measured there: see [`tuning`](crate::tuning).

use std::fmt;

use crate::kernel::{Const, Consts, Kernel};
use crate::kernels;

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
    pub const ALL: [Class; 8] = [
        Class::Narrow,
        Class::Small,
        Class::Long,
        Class::Large,
        Class::Huge,
        Class::Weights,
        Class::Conv,
        Class::ConvWeights,
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
        }
    }

    /// The class of a product (M, K)·(K, N).
    pub fn of_product(consts: &Consts) -> Class {
        let [m, n, k] = ["M", "N", "K"].map(|name| consts.uint(name));
        match m.div_ceil(TILE) * n.div_ceil(TILE) {
            _ if n <= MOST_NARROW => Class::Narrow,
            HUGE.. => Class::Huge,
            LARGE.. => Class::Large,
            _ if k >= LONG => Class::Long,
            _ => Class::Small,
        }
    }

    /// What a choice may name for it, and where each is worth measuring.
    pub fn variants(self) -> &'static [(Variant, On)] {
        match self {
            Class::Narrow | Class::Small | Class::Long | Class::Large | Class::Huge => PRODUCTS,
            Class::Weights => WEIGHTS,
            Class::Conv => CONVOLUTIONS,
            Class::ConvWeights => CONVOLUTION_WEIGHTS,
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
    /// The gradients of a dense layer by a product, column sums and a watch of its own.
    pub const SEPARATE: Variant = Variant { kernel: None, constants: &[] };

    /// A kernel that takes the usual constants only.
    pub const fn of(kernel: &'static Kernel) -> Variant {
        Variant { kernel: Some(kernel), constants: &[] }
    }

    /// Its kernel, and its own constants behind the usual ones, if it takes such a shape.
    pub(super) fn take(&self, usual: &Consts) -> Option<(&'static Kernel, Consts)> {
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

static PRODUCTS: &[(Variant, On)] = &[
    (Variant::of(&kernels::MATMUL_NAIVE), NOWHERE),
    (Variant::of(&kernels::MATMUL), GPUS),
    (Variant::of(&kernels::MATMUL_REGISTER), BOTH),
    (Variant::of(&kernels::MATMUL_SUBGROUP), SOFTWARE),
];

static WEIGHTS: &[(Variant, On)] = &[
    (Variant::SEPARATE, BOTH),
    (Variant::of(&kernels::WEIGHT_GRADIENT), BOTH),
    (Variant::of(&kernels::WEIGHT_GRADIENT_SUBGROUP), SOFTWARE),
];

static CONVOLUTIONS: &[(Variant, On)] = &[
    (Variant::of(&kernels::CONV_NAIVE), NOWHERE),
    (Variant::of(&kernels::CONV), GPUS),
    (Variant::of(&kernels::CONV_REGISTER), BOTH),
    (Variant::of(&kernels::CONV_SUBGROUP), SOFTWARE),
];

static CONVOLUTION_WEIGHTS: &[(Variant, On)] = &[
    (Variant::of(&kernels::CONV_WEIGHTS_NAIVE), NOWHERE),
    (Variant::of(&kernels::CONV_WEIGHTS), GPUS),
    (Variant::of(&kernels::CONV_WEIGHTS_REGISTER), BOTH),
    (Variant::of(&kernels::CONV_WEIGHTS_SUBGROUP), SOFTWARE),
];

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
        let wide = Variant { constants: &[("TILE", 64), ("BLOCK", 8)], ..Variant::of(&kernels::MATMUL) };
        assert_eq!(wide.to_string(), "matmul tile 64 block 8");
        assert!(wide != Variant::of(&kernels::MATMUL));
    }
}
