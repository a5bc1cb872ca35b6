//! The variants of every class of work: a kernel, with constants of the variant.

use std::fmt;

use crate::cpu::weights;
use crate::kernel::{Const, Consts, Kernel};
use crate::table;

/// One way to do the work of a class.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// None where kernels of other classes do the work.
    pub kernel: Option<&'static Kernel>,
    /// Constants behind those of every version of the contract.
    pub constants: &'static [(&'static str, u32)],
    /// Whether it is worth measuring on real GPUs.
    ///
    /// A tuning may name it on every adapter.
    pub on_gpus: bool,
    /// Whether it is worth measuring on software adapters.
    pub on_software: bool,
}

impl Variant {
    /// Separate dispatches by kernels of other classes.
    ///
    /// The gradients of a dense layer are then a product, column sums and a separate watch; a first layer has a
    /// dispatch for gathering in front of it, a last layer one for the loss behind it.
    pub const SEPARATE: Variant =
        Variant { kernel: None, constants: &[], on_gpus: false, on_software: false };

    /// A kernel without constants of its own.
    pub const fn of(kernel: &'static Kernel) -> Variant {
        Variant { kernel: Some(kernel), ..Variant::SEPARATE }
    }

    const fn with(kernel: &'static Kernel, constants: &'static [(&'static str, u32)]) -> Variant {
        Variant { constants, ..Variant::of(kernel) }
    }

    /// The variant, worth measuring on real GPUs.
    const fn gpus(self) -> Variant {
        Variant { on_gpus: true, ..self }
    }

    /// The variant, worth measuring on software adapters.
    const fn software(self) -> Variant {
        Variant { on_software: true, ..self }
    }

    const fn both(self) -> Variant {
        self.gpus().software()
    }

    /// The kernel for both gradients of a dense layer and its constants, if it takes such a layer.
    pub(super) fn gradient(
        &self,
        batch: usize,
        inputs: usize,
        outputs: usize,
        add: bool,
    ) -> Option<(&'static Kernel, Consts)> {
        // There is a part for every block, or for every tile where there is a choice of tiles.
        let tile =
            self.constants.iter().find(|(name, _)| *name == "TILE").map(|(_, tile)| [*tile as usize; 2]);
        let block = tile.or(self.kernel?.block)?;
        self.take(&weights::constants(batch, inputs, outputs, add, block))
    }

    /// Whether it cuts products into slices.
    pub fn cuts(&self) -> bool {
        self.kernel.is_some_and(|kernel| kernel.is(&table::MATMUL_SLICES))
    }

    /// The constants of the slices of a product, if it cuts one of this shape.
    pub(super) fn slices(&self, usual: &Consts) -> Option<Consts> {
        let (kernel, (_, least)) = (self.kernel.filter(|_| self.cuts())?, self.constants.first()?);
        let k = usual.uint("K");
        let slice = k.div_ceil(MOST_SLICES).next_multiple_of(table::SLICE_ROUND).max(*least as usize);
        let mut consts = usual.only(&["M", "N", "K", "TRANSPOSE_A", "TRANSPOSE_B"]);
        consts.extend([("SLICES", k.div_ceil(slice).into()), ("SLICE", slice.into())]);
        (k > slice && (kernel.requires)(&consts).is_ok()).then_some(consts)
    }

    /// Its kernel and all constants, if it takes this shape.
    ///
    /// A product that is too short for slices is computed in small tiles.
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
    /// Its text in a tuning: `matmul_register`, or with constants `matmul_vectors tile 64 block 8`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.kernel.map_or("separate", |kernel| kernel.name))?;
        self.constants.iter().try_for_each(|(name, value)| write!(f, " {} {value}", name.to_lowercase()))
    }
}

/// The most slices of a product, which limits the memory of its parts.
const MOST_SLICES: usize = 32;

const NAIVE: Variant = Variant::of(&table::MATMUL_NAIVE);
const TILED: Variant = Variant::of(&table::MATMUL).gpus();
const REGISTER: Variant = Variant::of(&table::MATMUL_REGISTER).both();
// On software adapters this one compiles for seconds, and where matmul_subgroup runs, that is several times as fast on
// large products. The same holds for convolutions.
const REGISTER_GPUS: Variant = Variant::of(&table::MATMUL_REGISTER).gpus();
const SUBGROUP: Variant = Variant::of(&table::MATMUL_SUBGROUP).software();

/// Products in tiles of this size, see [`TILES`](table::TILES).
const fn tiles(constants: &'static [(&'static str, u32)]) -> Variant {
    Variant::with(&table::MATMUL_VECTORS, constants).gpus()
}

/// Both gradients of a dense layer in such tiles.
const fn gradient_tiles(constants: &'static [(&'static str, u32)]) -> Variant {
    Variant::with(&table::WEIGHT_GRADIENT_VECTORS, constants).gpus()
}

/// Products in slices of at least this number of terms, which another kernel adds up.
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
