//! Which of several kernels with one contract compute: a variant for every class of work, and what takes the shapes
//! that a variant refuses. Read `class.rs` first.

mod class;
mod pixels;
#[cfg(test)]
mod tests;
mod text;
mod variant;

pub use class::Class;
pub use pixels::PixelKernels;
pub use text::Picks;
pub use variant::Variant;

use super::COOPERATIVE_TILES;
use crate::kernel::precision::Precision;
use crate::kernel::{Consts, Geometry, Kernel};
use crate::table;
use variant::{GRADIENTS_32, SLICES_64, TILES_32, TILES_64};

/// Which kernels compute: a variant for every [`Class`] of work, and what takes the shapes that a variant
/// refuses.
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
    /// Takes every product.
    product: &'static Kernel,
    /// Take the gradients of dense layers that the chosen version refuses, in this order; what all of
    /// them refuse is computed separately.
    gradients: &'static [&'static Kernel],
    /// What the products of dense layers read.
    precision: Precision,
    /// The tile sizes of their products by cooperative matrices, preferred first.
    cooperative: [Option<usize>; COOPERATIVE_TILES.len()],
}

impl Choice {
    /// The shaders to read first.
    pub const NAIVE: Choice = Choice::products(&table::MATMUL_NAIVE);
    /// For the CPU engine, which has one function for all versions of a contract: those that take the fewest
    /// dispatches. Which of its versions stands for a contract makes a difference only for the shapes that it
    /// refuses.
    pub const CPU: Choice = Choice {
        weights: Variant::of(&table::WEIGHT_GRADIENT),
        last: Variant::of(&table::DENSE_SOFTMAX_LOSS_SUBGROUP),
        ..Choice::NAIVE
    };
    /// Tiled through workgroup memory, for real GPUs. By what is published of such kernels, not by
    /// measurements of these: larger tiles where there are enough of them for every core of a large GPU,
    /// and slices where there are few and their sums are long.
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
    /// Without barriers, for adapters that are programs on a CPU.
    pub const SOFTWARE: Choice = Choice {
        weights: Variant::of(&table::WEIGHT_GRADIENT),
        conv: Variant::of(&table::CONV_REGISTER),
        conv_weights: Variant::of(&table::CONV_WEIGHTS_REGISTER),
        gradients: &[&table::WEIGHT_GRADIENT],
        ..Choice::products(&table::MATMUL_REGISTER)
    };
    /// The same for those with subgroups of exactly 8. Of a narrow product, most of the 32 columns
    /// that the wide version computes at once would be thrown away.
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

    /// All products by one kernel, everything else by the kernels to read first.
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

    /// This choice, but for the classes that are picked.
    pub fn with(mut self, picks: &Picks) -> Choice {
        picks.iter().for_each(|(class, variant)| self.set(class, variant));
        self
    }

    /// The variants of all classes, spelt out.
    pub fn picks(&self) -> Picks {
        Class::ALL.iter().fold(Picks::default(), |all, class| all.with(*class, self.variant(*class)))
    }

    /// This choice, with dense layers in this precision.
    pub fn in_precision(self, precision: Precision) -> Choice {
        Choice { precision, ..self }
    }

    /// This choice, with cooperative matrices for products of dense layers; it needs [`Precision::F16`].
    ///
    /// `tiles` are their tile sizes, preferred first.
    pub fn with_cooperative(self, tiles: &[usize]) -> Choice {
        Choice { cooperative: std::array::from_fn(|at| tiles.get(at).copied()), ..self }
    }

    /// What the products of dense layers read.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// All shaders that may be used.
    pub fn kernels(&self) -> impl Iterator<Item = &'static Kernel> {
        let naive = [&table::CONV_NAIVE, &table::CONV_WEIGHTS_NAIVE];
        let chosen = Class::ALL.map(|class| self.variant(class));
        let sums = chosen.iter().any(Variant::cuts).then_some(&table::ADD_SLICES);
        let chosen = chosen.into_iter().filter_map(|variant| variant.kernel).chain(sums);
        let gradient = self.pixels().map(|kernels| kernels.gradient);
        chosen.chain([self.product]).chain(self.gradients.iter().copied()).chain(gradient).chain(naive)
    }
}

/// What takes a dispatch of a shape: its kernel, and the constants that it adds.
impl Choice {
    /// The kernel for one product in one dispatch.
    pub fn matmul(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let variant = self.variant(Class::of_product(&usual));
        variant.take(&usual).unwrap_or((self.product, usual))
    }

    /// The constants of a product's slices, where it is cut into some; the whole of it is
    /// [`Choice::matmul`].
    pub fn slices(&self, usual: &Consts) -> Option<Consts> {
        self.variant(Class::by_tiles(usual)).slices(usual)
    }

    /// The constants of a product by cooperative matrices, where its sizes are whole in tiles of one of the
    /// sizes; `gradient` where A is one.
    pub fn cooperative(&self, usual: &Consts, gradient: bool) -> Option<Consts> {
        let with = |tile: usize| usual.clone().with("TILE", tile.into()).with("GRADIENT", gradient.into());
        let mut whole = self.cooperative.iter().flatten().copied().map(with);
        whole.find(|consts| (table::MATMUL_COOPERATIVE.requires)(consts).is_ok())
    }

    /// What takes a first dense layer straight from the pixels; without it the samples are gathered first.
    pub fn pixels(&self) -> Option<PixelKernels> {
        // Pixels are read as bytes, in no precision.
        let kernel = self.first.kernel.filter(|_| self.precision == Precision::F32)?;
        PixelKernels::with(kernel)
    }

    /// What takes a small last layer together with cross-entropy.
    pub fn dense_softmax_loss(&self) -> Option<&'static Kernel> {
        self.last.kernel.filter(|_| self.precision == Precision::F32)
    }

    /// The kernel for all gradients of a dense layer, if there is one.
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

/// With fewer than two channels to a group, most of what a fast version computes at once would be thrown away.
fn take_channels(
    variant: Variant,
    channels: usize,
    usual: Consts,
    naive: &'static Kernel,
) -> (&'static Kernel, Consts) {
    let taken = variant.take(&usual).filter(|_| channels >= 2);
    taken.unwrap_or((naive, usual))
}
