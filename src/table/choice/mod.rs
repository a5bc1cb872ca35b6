//! The choice of kernels: a variant for every class of work, and kernels for the shapes that a variant refuses.
//!
//! Read `class.rs` first.

mod class;
mod gather_dense;
#[cfg(test)]
mod tests;
mod text;
mod variant;

pub use class::Class;
pub use gather_dense::GatherDenseKernels;
pub use text::Picks;
pub use variant::Variant;

use super::COOPERATIVE_TILES;
use crate::kernel::precision::Precision;
use crate::kernel::{Consts, Geometry, Kernel};
use crate::table;
use variant::{GRADIENTS_32, SLICES_64, TILES_32, TILES_64};

/// A variant for every [`Class`] of work, and kernels for the shapes that it refuses.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    narrow: Variant,
    small: Variant,
    long: Variant,
    large: Variant,
    huge: Variant,
    weights: Variant,
    conv: Variant,
    conv_weights: Variant,
    first: Variant,
    last: Variant,
    /// For products that the variant refuses: it takes all.
    product: &'static Kernel,
    /// For gradients of dense layers that the variant refuses, in this order.
    ///
    /// If all refuse, they are computed separately.
    gradients: &'static [&'static Kernel],
    /// The precision of the matrices that dense layers multiply.
    precision: Precision,
    /// The tile sizes of their products by cooperative matrices, preferred first.
    cooperative: [Option<usize>; COOPERATIVE_TILES.len()],
}

impl Choice {
    /// The naive kernels, which are easiest to read.
    pub const NAIVE: Choice = Choice::products(&table::MATMUL_NAIVE);
    /// For the CPU engine: the fewest dispatches.
    ///
    /// It has one function for all versions of a contract, so a version matters only for the shapes that it refuses.
    pub const CPU: Choice = Choice {
        weights: Variant::of(&table::WEIGHT_GRADIENT),
        last: Variant::of(&table::DENSE_SOFTMAX_LOSS_SUBGROUP),
        ..Choice::NAIVE
    };
    /// For real GPUs: tiles in workgroup memory.
    ///
    /// It follows what is published about such kernels, not measurements of these: larger tiles where there are enough
    /// for every core of a large GPU, and slices for few tiles with long sums.
    pub const GPU: Choice = Choice {
        small: TILES_32,
        long: SLICES_64,
        large: TILES_32,
        huge: TILES_64,
        weights: GRADIENTS_32,
        conv: Variant::of(&table::CONV),
        conv_weights: Variant::of(&table::CONV_WEIGHTS),
        gradients: &[&table::WEIGHT_GRADIENT_TILED],
        ..Choice::products(&table::MATMUL)
    };
    /// For software adapters: without barriers.
    pub const SOFTWARE: Choice = Choice {
        weights: Variant::of(&table::WEIGHT_GRADIENT),
        conv: Variant::of(&table::CONV_REGISTER),
        conv_weights: Variant::of(&table::CONV_WEIGHTS_REGISTER),
        gradients: &[&table::WEIGHT_GRADIENT],
        ..Choice::products(&table::MATMUL_REGISTER)
    };
    /// For software adapters with subgroups of exactly 8.
    ///
    /// Narrow products have a version of their own, because most of the wide version's 32 columns would be empty.
    pub const SOFTWARE_SUBGROUPS: Choice = Choice {
        narrow: Variant::of(&table::MATMUL_REGISTER),
        weights: Variant::of(&table::WEIGHT_GRADIENT_SUBGROUP),
        conv: Variant::of(&table::CONV_SUBGROUP),
        conv_weights: Variant::of(&table::CONV_WEIGHTS_SUBGROUP),
        first: Variant::of(&table::GATHER_DENSE_SUBGROUP),
        last: Variant::of(&table::DENSE_SOFTMAX_LOSS_SUBGROUP),
        product: &table::MATMUL_REGISTER,
        gradients: &[&table::WEIGHT_GRADIENT_NARROW_SUBGROUP, &table::WEIGHT_GRADIENT],
        ..Choice::products(&table::MATMUL_SUBGROUP)
    };

    /// All products by one kernel, everything else by naive ones.
    const fn products(kernel: &'static Kernel) -> Choice {
        let product = Variant::of(kernel);
        Choice {
            narrow: product,
            small: product,
            long: product,
            large: product,
            huge: product,
            weights: Variant::SEPARATE,
            conv: Variant::of(&table::CONV_NAIVE),
            conv_weights: Variant::of(&table::CONV_WEIGHTS_NAIVE),
            first: Variant::SEPARATE,
            last: Variant::SEPARATE,
            product: kernel,
            gradients: &[],
            precision: Precision::F32,
            cooperative: [None; COOPERATIVE_TILES.len()],
        }
    }

    /// The variant of a class of work.
    pub fn variant(&self, class: Class) -> Variant {
        match class {
            Class::Narrow => self.narrow,
            Class::Small => self.small,
            Class::Long => self.long,
            Class::Large => self.large,
            Class::Huge => self.huge,
            Class::Weights => self.weights,
            Class::Conv => self.conv,
            Class::ConvWeights => self.conv_weights,
            Class::First => self.first,
            Class::Last => self.last,
        }
    }

    fn set(&mut self, class: Class, variant: Variant) {
        let field = match class {
            Class::Narrow => &mut self.narrow,
            Class::Small => &mut self.small,
            Class::Long => &mut self.long,
            Class::Large => &mut self.large,
            Class::Huge => &mut self.huge,
            Class::Weights => &mut self.weights,
            Class::Conv => &mut self.conv,
            Class::ConvWeights => &mut self.conv_weights,
            Class::First => &mut self.first,
            Class::Last => &mut self.last,
        };
        *field = variant;
    }

    /// This choice, with these variants for their classes.
    pub fn with(mut self, picks: &Picks) -> Choice {
        picks.iter().for_each(|(class, variant)| self.set(class, variant));
        self
    }

    /// The variants of all classes.
    pub fn picks(&self) -> Picks {
        Class::ALL.iter().fold(Picks::default(), |all, class| all.with(*class, self.variant(*class)))
    }

    /// This choice, with this precision of dense layers.
    pub fn in_precision(self, precision: Precision) -> Choice {
        Choice { precision, ..self }
    }

    /// This choice, with cooperative matrices for products of dense layers; it needs [`Precision::F16`].
    ///
    /// `tiles` are their tile sizes, preferred first.
    pub fn with_cooperative(self, tiles: &[usize]) -> Choice {
        Choice { cooperative: std::array::from_fn(|at| tiles.get(at).copied()), ..self }
    }

    /// The precision of the matrices that dense layers multiply.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// All kernels that may be used.
    pub fn kernels(&self) -> impl Iterator<Item = &'static Kernel> {
        let naive = [&table::CONV_NAIVE, &table::CONV_WEIGHTS_NAIVE];
        let chosen = Class::ALL.map(|class| self.variant(class));
        let sums = chosen.iter().any(Variant::cuts).then_some(&table::ADD_SLICES);
        let chosen = chosen.into_iter().filter_map(|variant| variant.kernel).chain(sums);
        let gradient = self.gather_dense().map(|kernels| kernels.gradient);
        chosen.chain([self.product]).chain(self.gradients.iter().copied()).chain(gradient).chain(naive)
    }
}

/// The kernel and constants for a dispatch of a shape.
impl Choice {
    /// The kernel for one product in one dispatch.
    pub fn matmul(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let variant = self.variant(Class::of_product(&usual));
        variant.take(&usual).unwrap_or((self.product, usual))
    }

    /// The constants of a product's slices, if it is cut into slices.
    pub fn slices(&self, usual: &Consts) -> Option<Consts> {
        self.variant(Class::by_tiles(usual)).slices(usual)
    }

    /// The constants of a product by cooperative matrices, if its sizes are multiples of a tile size.
    ///
    /// `gradient` says whether A is a gradient.
    pub fn cooperative(&self, usual: &Consts, gradient: bool) -> Option<Consts> {
        let with = |tile: usize| usual.clone().with("TILE", tile.into()).with("GRADIENT", gradient.into());
        let mut whole = self.cooperative.iter().flatten().copied().map(with);
        whole.find(|consts| (table::MATMUL_COOPERATIVE.requires)(consts).is_ok())
    }

    /// The kernels of a first dense layer that gathers its samples, if there are any.
    pub fn gather_dense(&self) -> Option<GatherDenseKernels> {
        // Such a layer reads bytes, so it has no f16 copies.
        let kernel = self.first.kernel.filter(|_| self.precision == Precision::F32)?;
        GatherDenseKernels::with(kernel)
    }

    /// The kernel of a small last layer with cross-entropy, if there is one.
    pub fn dense_softmax_loss(&self) -> Option<&'static Kernel> {
        self.last.kernel.filter(|_| self.precision == Precision::F32)
    }

    /// The kernel for both gradients of a dense layer, if there is one.
    pub fn weight_gradient(
        &self,
        batch: usize,
        inputs: usize,
        outputs: usize,
        add: bool,
    ) -> Option<(&'static Kernel, Consts)> {
        self.weights.kernel?;
        let otherwise = self.gradients.iter().copied().map(Variant::of);
        let mut all = std::iter::once(self.weights).chain(otherwise);
        all.find_map(|variant| variant.gradient(batch, inputs, outputs, add))
    }

    /// The kernel for a convolution or its input gradient.
    pub fn conv(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let geometry = Geometry::of(&usual);
        let written = if usual.flag("BACKWARD") { geometry.channels } else { geometry.outputs };
        take_channels(self.conv, written / geometry.groups, usual, &table::CONV_NAIVE)
    }

    /// The kernel for a convolution's weight gradient.
    pub fn conv_weights(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let geometry = Geometry::of(&usual);
        let written = geometry.outputs / geometry.groups;
        take_channels(self.conv_weights, written, usual, &table::CONV_WEIGHTS_NAIVE)
    }
}

/// The variant's kernel, or the naive one for fewer than two channels to a group, which leave a fast version mostly
/// empty.
fn take_channels(
    variant: Variant,
    channels: usize,
    usual: Consts,
    naive: &'static Kernel,
) -> (&'static Kernel, Consts) {
    let taken = variant.take(&usual).filter(|_| channels >= 2);
    taken.unwrap_or((naive, usual))
}
