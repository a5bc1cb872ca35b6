//! The variants of every class of work: a kernel, with the constants that a variant adds.

use std::fmt;

use crate::cpu::weights;
use crate::kernel::{Const, Consts, Kernel};
use crate::table;

/// One way to do the work of a class.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// None where the work is left to the kernels of other classes.
    pub kernel: Option<&'static Kernel>,
    /// Constants behind those that every version of the contract takes.
    pub constants: &'static [(&'static str, u32)],
    /// Whether it is worth measuring on real GPUs; a tuning may name it on every adapter that can run it.
    pub on_gpus: bool,
    /// The same on programs on a CPU.
    pub on_software: bool,
}

impl Variant {
    /// By kernels of other classes: the gradients of a dense layer by a product, column sums and a watch
    /// of its own, a first layer behind a dispatch that gathers its samples, a last one in front of its loss.
    pub const SEPARATE: Variant =
        Variant { kernel: None, constants: &[], on_gpus: false, on_software: false };

    /// A kernel that takes the usual constants only.
    pub const fn of(kernel: &'static Kernel) -> Variant {
        Variant { kernel: Some(kernel), ..Variant::SEPARATE }
    }

    const fn with(kernel: &'static Kernel, constants: &'static [(&'static str, u32)]) -> Variant {
        Variant { constants, ..Variant::of(kernel) }
    }

    /// The same, worth measuring on real GPUs.
    const fn gpus(self) -> Variant {
        Variant { on_gpus: true, ..self }
    }

    /// The same, worth measuring on programs on a CPU.
    const fn software(self) -> Variant {
        Variant { on_software: true, ..self }
    }

    const fn both(self) -> Variant {
        self.gpus().software()
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
        let tile =
            self.constants.iter().find(|(name, _)| *name == "TILE").map(|(_, tile)| [*tile as usize; 2]);
        let block = tile.or(self.kernel?.block)?;
        self.take(&weights::constants(batch, inputs, outputs, add, block))
    }

    /// Whether it cuts products into slices.
    pub fn cuts(&self) -> bool {
        self.kernel.is_some_and(|kernel| kernel.is(&table::MATMUL_SLICES))
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

    /// Its kernel, and its own constants behind the usual ones, if it takes such a shape. A product that is not
    /// long enough for slices is made by small tiles.
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
    /// As a tuning names it: `matmul_register`, or with constants `matmul_vectors tile 64 block 8`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.kernel.map_or("separate", |kernel| kernel.name))?;
        self.constants.iter().try_for_each(|(name, value)| write!(f, " {} {value}", name.to_lowercase()))
    }
}

/// Slices of a product at the most, so that they stay few times as large as the result.
const MOST_SLICES: usize = 32;

const NAIVE: Variant = Variant::of(&table::MATMUL_NAIVE);
const TILED: Variant = Variant::of(&table::MATMUL).gpus();
const REGISTER: Variant = Variant::of(&table::MATMUL_REGISTER).both();
// Where a program on a CPU can run matmul_subgroup, it is several times as fast on large products as
// what compiles for seconds there, and so with convolutions.
const REGISTER_GPUS: Variant = Variant::of(&table::MATMUL_REGISTER).gpus();
const SUBGROUP: Variant = Variant::of(&table::MATMUL_SUBGROUP).software();

/// Products by tiles of a size, see [`TILES`](table::TILES).
const fn tiles(constants: &'static [(&'static str, u32)]) -> Variant {
    Variant::with(&table::MATMUL_VECTORS, constants).gpus()
}

/// All gradients of a dense layer by such tiles.
const fn gradient_tiles(constants: &'static [(&'static str, u32)]) -> Variant {
    Variant::with(&table::WEIGHT_GRADIENT_VECTORS, constants).gpus()
}

/// Products in slices of so many terms, or of more: then their sums are added up by another kernel.
const fn in_slices(constants: &'static [(&'static str, u32)]) -> Variant {
    Variant::with(&table::MATMUL_SLICES, constants).gpus()
}

pub(super) const TILES_32: Variant = tiles(&[("TILE", 32), ("BLOCK", 4)]);
pub(super) const TILES_64: Variant = tiles(&[("TILE", 64), ("BLOCK", 8)]);
pub(super) const GRADIENTS_32: Variant = gradient_tiles(&[("TILE", 32), ("BLOCK", 4)]);
pub(super) const SLICES_64: Variant = in_slices(&[("SLICE", 64)]);

pub(super) static SMALL: &[Variant] = &[NAIVE, TILED, TILES_32, REGISTER, SUBGROUP];

pub(super) static LONG_SUMS: &[Variant] =
    &[NAIVE, TILED, TILES_32, SLICES_64, in_slices(&[("SLICE", 128)]), REGISTER, SUBGROUP];

pub(super) static LARGE_PRODUCTS: &[Variant] = &[
    NAIVE,
    TILED,
    TILES_32,
    tiles(&[("TILE", 64), ("BLOCK", 4)]),
    TILES_64,
    tiles(&[("TILE", 128), ("BLOCK", 8)]),
    REGISTER_GPUS,
    SUBGROUP,
];

pub(super) static WEIGHTS: &[Variant] = &[
    Variant::SEPARATE.gpus(),
    Variant::of(&table::WEIGHT_GRADIENT).both(),
    Variant::of(&table::WEIGHT_GRADIENT_TILED).gpus(),
    GRADIENTS_32,
    gradient_tiles(&[("TILE", 64), ("BLOCK", 4)]),
    gradient_tiles(&[("TILE", 64), ("BLOCK", 8)]),
    Variant::of(&table::WEIGHT_GRADIENT_SUBGROUP).software(),
];

pub(super) static CONVOLUTIONS: &[Variant] = &[
    Variant::of(&table::CONV_NAIVE),
    Variant::of(&table::CONV).gpus(),
    Variant::of(&table::CONV_REGISTER).gpus(),
    Variant::of(&table::CONV_SUBGROUP).software(),
];

pub(super) static CONVOLUTION_WEIGHTS: &[Variant] = &[
    Variant::of(&table::CONV_WEIGHTS_NAIVE),
    Variant::of(&table::CONV_WEIGHTS).gpus(),
    Variant::of(&table::CONV_WEIGHTS_REGISTER).gpus(),
    Variant::of(&table::CONV_WEIGHTS_SUBGROUP).software(),
];

pub(super) static FIRST_LAYERS: &[Variant] = &[
    Variant::SEPARATE.both(),
    Variant::of(&table::GATHER_DENSE_TILED).gpus(),
    Variant::of(&table::GATHER_DENSE_SUBGROUP).software(),
];

pub(super) static LAST_LAYERS: &[Variant] =
    &[Variant::SEPARATE.both(), Variant::of(&table::DENSE_SOFTMAX_LOSS_SUBGROUP).software()];
