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

    /// What a choice may name for it, on every adapter that can run it.
    pub fn variants(self) -> &'static [Variant] {
        match self {
            Class::Narrow | Class::Small | Class::Long | Class::Large | Class::Huge => PRODUCTS,
            Class::Weights => WEIGHTS,
            Class::Conv => CONVOLUTIONS,
            Class::ConvWeights => CONVOLUTION_WEIGHTS,
        }
    }

    /// What is worth measuring on a real GPU, as far as it can run it: of products, tiles as large as
    /// leave enough of them to keep its cores busy.
    pub fn for_gpus(self) -> &'static [Variant] {
        match self {
            Class::Narrow => &[TILED, REGISTER],
            Class::Small => &[TILED, REGISTER, VECTORS_32],
            Class::Long => &[TILED, VECTORS_32, SLICES_64, SLICES_128],
            Class::Large => &[TILED, VECTORS_32, VECTORS_64_4, VECTORS_64],
            Class::Huge => &[TILED, VECTORS_64, VECTORS_128],
            Class::Weights => &[Variant::SEPARATE, FUSED, FUSED_TILED],
            Class::Conv => &[CONV, CONV_REGISTER],
            Class::ConvWeights => &[CONV_WEIGHTS, CONV_WEIGHTS_REGISTER],
        }
    }

    /// The same on an adapter that is a program on a CPU: nothing with barriers.
    pub fn for_software(self) -> &'static [Variant] {
        match self {
            Class::Narrow | Class::Small | Class::Long | Class::Large | Class::Huge => &[REGISTER, SUBGROUP],
            Class::Weights => &[Variant::SEPARATE, FUSED, FUSED_SUBGROUP],
            Class::Conv => &[CONV_REGISTER, CONV_SUBGROUP],
            Class::ConvWeights => &[CONV_WEIGHTS_REGISTER, CONV_WEIGHTS_SUBGROUP],
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

    /// A kernel with constants of its own.
    const fn with(kernel: &'static Kernel, constants: &'static [(&'static str, u32)]) -> Variant {
        Variant { kernel: Some(kernel), constants }
    }

    /// The terms of a slice, where a product is computed in slices of its sums.
    pub(super) fn slice(&self) -> Option<usize> {
        self.constants.iter().find(|(name, _)| *name == SLICE).map(|(_, value)| *value as usize)
    }

    /// Its kernel, and its own constants behind the usual ones, if one dispatch of it takes such a shape.
    pub(super) fn take(&self, usual: &Consts) -> Option<(&'static Kernel, Consts)> {
        if self.slice().is_some() {
            return None;
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
    /// As a choice names it: `matmul_register`, or with constants `matmul_vectors tile 64 block 8`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.kernel.map_or("separate", |kernel| kernel.name))?;
        self.constants.iter().try_for_each(|(name, value)| write!(f, " {} {value}", name.to_lowercase()))
    }
}

/// The constant that is the terms of a slice.
const SLICE: &str = "SLICE";

/// A variant of the kernel table.
macro_rules! variants {
    ($($name:ident: $kernel:ident $($constants:expr)?;)*) => {
        $(pub(super) const $name: Variant = variants!(@ $kernel $($constants)?);)*
    };
    (@ $kernel:ident) => { Variant::of(&kernels::$kernel) };
    (@ $kernel:ident $constants:expr) => { Variant::with(&kernels::$kernel, &$constants) };
}

variants! {
    NAIVE: MATMUL_NAIVE;
    TILED: MATMUL;
    REGISTER: MATMUL_REGISTER;
    SUBGROUP: MATMUL_SUBGROUP;
    VECTORS_32: MATMUL_VECTORS [("TILE", 32), ("BLOCK", 4)];
    VECTORS_64_4: MATMUL_VECTORS [("TILE", 64), ("BLOCK", 4)];
    VECTORS_64: MATMUL_VECTORS [("TILE", 64), ("BLOCK", 8)];
    VECTORS_128: MATMUL_VECTORS [("TILE", 128), ("BLOCK", 8)];
    SLICES_64: MATMUL_SLICES [(SLICE, 64)];
    SLICES_128: MATMUL_SLICES [(SLICE, 128)];
    FUSED: WEIGHT_GRADIENT;
    FUSED_TILED: WEIGHT_GRADIENT_TILED;
    FUSED_SUBGROUP: WEIGHT_GRADIENT_SUBGROUP;
    CONV_NAIVE: CONV_NAIVE;
    CONV: CONV;
    CONV_REGISTER: CONV_REGISTER;
    CONV_SUBGROUP: CONV_SUBGROUP;
    CONV_WEIGHTS_NAIVE: CONV_WEIGHTS_NAIVE;
    CONV_WEIGHTS: CONV_WEIGHTS;
    CONV_WEIGHTS_REGISTER: CONV_WEIGHTS_REGISTER;
    CONV_WEIGHTS_SUBGROUP: CONV_WEIGHTS_SUBGROUP;
}

static PRODUCTS: &[Variant] = &[
    NAIVE,
    TILED,
    REGISTER,
    SUBGROUP,
    VECTORS_32,
    VECTORS_64_4,
    VECTORS_64,
    VECTORS_128,
    SLICES_64,
    SLICES_128,
];

static WEIGHTS: &[Variant] = &[Variant::SEPARATE, FUSED, FUSED_TILED, FUSED_SUBGROUP];

static CONVOLUTIONS: &[Variant] = &[CONV_NAIVE, CONV, CONV_REGISTER, CONV_SUBGROUP];

static CONVOLUTION_WEIGHTS: &[Variant] =
    &[CONV_WEIGHTS_NAIVE, CONV_WEIGHTS, CONV_WEIGHTS_REGISTER, CONV_WEIGHTS_SUBGROUP];

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
    fn what_is_measured_can_be_named() {
        for class in Class::ALL {
            for candidate in class.for_gpus().iter().chain(class.for_software()) {
                assert!(class.variants().contains(candidate), "{class:?} {candidate}");
            }
        }
    }

    #[test]
    fn variants_are_told_apart_by_their_names() {
        for class in Class::ALL {
            let names: Vec<String> = class.variants().iter().map(Variant::to_string).collect();
            let known = |name: &String| names.iter().filter(|other| *other == name).count();
            assert!(names.iter().all(|name| known(name) == 1), "{names:?}");
        }
        assert_eq!(VECTORS_64.to_string(), "matmul_vectors tile 64 block 8");
        assert!(VECTORS_64 != VECTORS_64_4 && VECTORS_64 != Variant::of(&kernels::MATMUL_VECTORS));
    }
}
