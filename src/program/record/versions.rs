//! Which of several shaders with one contract are used.

use super::PixelKernels;
use super::choice::Choice;
use super::variants::{Class, GRADIENTS_32, SLICES_64, TILES_32, TILES_64, Variant};
use crate::cpu::conv::Geometry;
use crate::kernel::precision::Precision;
use crate::kernel::{Consts, Kernel};
use crate::table;

/// Which of several shaders with one contract are used: a variant for every class of work, and what
/// takes the shapes that a variant refuses.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    /// In the order of [`Class::ALL`].
    chosen: [Variant; Class::ALL.len()],
    /// Takes every product.
    product: &'static Kernel,
    /// Take the gradients of dense layers that the chosen version refuses, in this order; what all of
    /// them refuse is computed separately.
    gradients: &'static [&'static Kernel],
    /// What the products of dense layers read.
    precision: Precision,
    /// The edges of the tiles in which they may be made by cooperative matrices, the preferred one first.
    cooperative: [Option<usize>; table::EDGES.len()],
}

const NAIVE: Variant = Variant::of(&table::MATMUL_NAIVE);
const TILED: Variant = Variant::of(&table::MATMUL);
const REGISTER: Variant = Variant::of(&table::MATMUL_REGISTER);
const SUBGROUP: Variant = Variant::of(&table::MATMUL_SUBGROUP);
/// First and last layers as any other.
const APART: [Variant; 2] = [Variant::SEPARATE; 2];

impl Versions {
    /// The shaders to read first.
    pub const NAIVE: Versions = Versions {
        chosen: all([NAIVE; 5], Variant::SEPARATE, [&table::CONV_NAIVE, &table::CONV_WEIGHTS_NAIVE], APART),
        product: &table::MATMUL_NAIVE,
        gradients: &[],
        precision: Precision::Single,
        cooperative: [None; table::EDGES.len()],
    };
    /// For the CPU engine, which has one function for all versions of a contract: those that take the fewest
    /// dispatches. Which of its versions stands for a contract makes a difference only for the shapes that it
    /// refuses.
    pub const CPU: Versions = Versions {
        chosen: all(
            [NAIVE; 5],
            Variant::of(&table::WEIGHT_GRADIENT),
            [&table::CONV_NAIVE, &table::CONV_WEIGHTS_NAIVE],
            [Variant::SEPARATE, Variant::of(&table::DENSE_LOSS_SUBGROUP)],
        ),
        ..Versions::NAIVE
    };
    /// Tiled through workgroup memory, for real GPUs. By what is published of such kernels, not by
    /// measurements of these: larger tiles where there are enough of them for every core of a large GPU,
    /// and slices where there are few and their sums are long.
    pub const GPU: Versions = Versions {
        chosen: all(
            [TILED, TILES_32, SLICES_64, TILES_32, TILES_64],
            GRADIENTS_32,
            [&table::CONV, &table::CONV_WEIGHTS],
            APART,
        ),
        product: &table::MATMUL,
        gradients: &[&table::WEIGHT_GRADIENT_TILED],
        precision: Precision::Single,
        cooperative: [None; table::EDGES.len()],
    };
    /// Without barriers, for adapters that are programs on a CPU.
    pub const SOFTWARE: Versions = Versions {
        chosen: all(
            [REGISTER; 5],
            Variant::of(&table::WEIGHT_GRADIENT),
            [&table::CONV_REGISTER, &table::CONV_WEIGHTS_REGISTER],
            APART,
        ),
        product: &table::MATMUL_REGISTER,
        gradients: &[&table::WEIGHT_GRADIENT],
        precision: Precision::Single,
        cooperative: [None; table::EDGES.len()],
    };
    /// The same for those with subgroups of exactly 8. Of a narrow product, most of the 32 columns
    /// that the wide version computes at once would be thrown away.
    pub const SOFTWARE_SUBGROUPS: Versions = Versions {
        chosen: all(
            [REGISTER, SUBGROUP, SUBGROUP, SUBGROUP, SUBGROUP],
            Variant::of(&table::WEIGHT_GRADIENT_SUBGROUP),
            [&table::CONV_SUBGROUP, &table::CONV_WEIGHTS_SUBGROUP],
            [Variant::of(&table::PIXEL_DENSE_SUBGROUP), Variant::of(&table::DENSE_LOSS_SUBGROUP)],
        ),
        gradients: &[&table::WEIGHT_GRADIENT_NARROW_SUBGROUP, &table::WEIGHT_GRADIENT],
        ..Versions::SOFTWARE
    };

    /// These, but for what a choice has a say in.
    pub fn with(mut self, choice: &Choice) -> Versions {
        choice.iter().for_each(|(class, variant)| self.chosen[class as usize] = variant);
        self
    }

    /// These, with dense layers in this precision.
    pub fn in_precision(self, precision: Precision) -> Versions {
        Versions { precision, ..self }
    }

    /// These, with products of dense layers by cooperative matrices in tiles of these edges, the preferred
    /// one first; only in half precision, of which they are.
    pub fn with_cooperative(self, edges: &[usize]) -> Versions {
        Versions { cooperative: std::array::from_fn(|at| edges.get(at).copied()), ..self }
    }

    /// The first edge in whose tiles the sizes of a product are whole, and its constants for that.
    pub(super) fn cooperative(&self, usual: &Consts, gradient: bool) -> Option<Consts> {
        let with = |edge: usize| usual.clone().with("EDGE", edge.into()).with("GRADIENT", gradient.into());
        let mut whole = self.cooperative.iter().flatten().copied().map(with);
        whole.find(|consts| (table::MATMUL_COOPERATIVE.requires)(consts).is_ok())
    }

    /// What the products of dense layers read.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The variants of all classes, spelt out.
    pub fn choice(&self) -> Choice {
        Class::ALL.iter().fold(Choice::default(), |all, class| all.with(*class, self.variant(*class)))
    }

    /// The variant of a class of work.
    pub fn variant(&self, class: Class) -> Variant {
        self.chosen[class as usize]
    }

    /// All shaders that it may choose.
    pub fn kernels(&self) -> impl Iterator<Item = &'static Kernel> {
        let naive = [&table::CONV_NAIVE, &table::CONV_WEIGHTS_NAIVE];
        let sums = self.chosen.iter().any(Variant::cuts).then_some(&table::ADD_SLICES);
        let chosen = self.chosen.into_iter().filter_map(|variant| variant.kernel).chain(sums);
        let gradient = self.pixels().map(|kernels| kernels.gradient);
        chosen.chain([self.product]).chain(self.gradients.iter().copied()).chain(gradient).chain(naive)
    }

    /// The constants of a product's slices, where it is cut into some; the whole of it is
    /// [`Versions::matmul`].
    pub(super) fn slices(&self, usual: &Consts) -> Option<Consts> {
        self.variant(Class::by_tiles(usual)).slices(usual)
    }

    /// The shader for one product in one dispatch, and its constants.
    pub fn matmul(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let variant = self.variant(Class::of_product(&usual));
        variant.take(&usual).unwrap_or((self.product, usual))
    }

    /// Whether a dense layer of these sizes can take pixels, see [`Pixels::sizes`](super::Pixels::sizes).
    pub fn takes_pixels(&self, sizes: &Consts) -> bool {
        self.pixels().is_some_and(|kernels| kernels.fit(sizes))
    }

    /// What takes a first dense layer straight from the pixels; without it the samples are picked first.
    pub(super) fn pixels(&self) -> Option<PixelKernels> {
        // Pixels are read as bytes, in no precision.
        let kernel = self.variant(Class::First).kernel.filter(|_| self.precision == Precision::Single)?;
        PixelKernels::with(kernel)
    }

    /// What takes a small last layer together with cross-entropy.
    pub(super) fn dense_loss(&self) -> Option<&'static Kernel> {
        self.variant(Class::Last).kernel.filter(|_| self.precision == Precision::Single)
    }

    /// The shader for all gradients of a dense layer, if there is one, and its constants.
    pub(super) fn weight_gradient(
        &self,
        batch: usize,
        inputs: usize,
        outputs: usize,
        add: bool,
    ) -> Option<(&'static Kernel, Consts)> {
        let chosen = self.variant(Class::Weights);
        chosen.kernel?;
        let otherwise = self.gradients.iter().copied().map(Variant::of);
        let mut all = std::iter::once(chosen).chain(otherwise);
        all.find_map(|variant| variant.gradient(batch, inputs, outputs, add))
    }

    /// The shader for a convolution or its input gradient, and its constants.
    pub fn conv(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let geometry = Geometry::of(&usual);
        let written = if usual.flag("BACKWARD") { geometry.channels } else { geometry.outputs };
        self.conv_of(Class::Conv, &table::CONV_NAIVE, written / geometry.groups, usual)
    }

    /// The shader for a convolution's weight gradient, and its constants.
    pub fn conv_weights(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let geometry = Geometry::of(&usual);
        let written = geometry.outputs / geometry.groups;
        self.conv_of(Class::ConvWeights, &table::CONV_WEIGHTS_NAIVE, written, usual)
    }

    /// With fewer than two channels to a group, most of what a fast version
    /// computes at once would be thrown away.
    fn conv_of(
        &self,
        class: Class,
        naive: &'static Kernel,
        channels: usize,
        usual: Consts,
    ) -> (&'static Kernel, Consts) {
        let taken = self.variant(class).take(&usual).filter(|_| channels >= 2);
        taken.unwrap_or((naive, usual))
    }
}

/// A variant for each class: those of products, of the gradients of dense layers, of convolutions, and of
/// the first and the last layer.
const fn all(
    products: [Variant; 5],
    weights: Variant,
    conv: [&'static Kernel; 2],
    ends: [Variant; 2],
) -> [Variant; Class::ALL.len()] {
    let [narrow, small, long, large, huge] = products;
    let [conv, conv_weights] = [Variant::of(conv[0]), Variant::of(conv[1])];
    [narrow, small, long, large, huge, weights, conv, conv_weights, ends[0], ends[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consts;

    fn product(versions: &Versions, [m, n, k]: [usize; 3]) -> &'static str {
        versions.matmul(consts! { M: m, N: n, K: k, TRANSPOSE_A: false }).0.name
    }

    #[test]
    fn what_a_variant_refuses_takes_another_one() {
        let versions = Versions::SOFTWARE_SUBGROUPS;
        let names = [[64, 16, 64], [64, 20, 64], [64, 128, 784], [1_024, 1_024, 64]];
        assert_eq!(
            names.map(|shape| product(&versions, shape)),
            ["matmul_register", "matmul_subgroup", "matmul_subgroup", "matmul_subgroup"]
        );
        // Not in whole vec4s.
        assert_eq!(
            [[64, 18, 64], [64, 128, 785]].map(|shape| product(&versions, shape)),
            ["matmul_register"; 2]
        );
        let of = |versions: &Versions, inputs, outputs| {
            versions.weight_gradient(64, inputs, outputs, false).map(|(kernel, _)| kernel.name)
        };
        let gradient = |versions: &Versions, inputs| of(versions, inputs, 12);
        assert_eq!(gradient(&versions, 784), Some("weight_gradient_subgroup"));
        assert_eq!(gradient(&versions, 785), Some("weight_gradient"));
        assert_eq!(of(&versions, 784, 10), Some("weight_gradient_narrow_subgroup"));
        assert_eq!(of(&versions, 784, 33), Some("weight_gradient"));
        assert_eq!(gradient(&Versions::GPU, 784), Some("weight_gradient_vectors"));
        assert_eq!(gradient(&Versions::GPU, 785), Some("weight_gradient_tiled"));
        let separate = versions.with(&"weights separate".parse().unwrap());
        assert_eq!([784, 785].map(|inputs| gradient(&separate, inputs)), [None; 2]);
    }

    /// The slices and their length of a product with a transposed B.
    fn slices(versions: &Versions, [m, n, k]: [usize; 3]) -> Option<[usize; 2]> {
        let consts = consts! { M: m, N: n, K: k, TRANSPOSE_A: false, TRANSPOSE_B: true };
        versions.slices(&consts).map(|consts| ["SLICES", "SLICE"].map(|name| consts.uint(name)))
    }

    #[test]
    fn long_sums_of_few_tiles_are_cut_on_a_gpu() {
        assert_eq!(slices(&Versions::GPU, [64, 128, 784]), Some([13, 64]));
        // Columns need not be whole vec4s, but terms.
        assert_eq!(slices(&Versions::GPU, [64, 127, 256]), Some([4, 64]));
        assert_eq!(slices(&Versions::GPU, [64, 128, 785]), None);
        // A hundred times as many terms are not cut into as many slices.
        assert_eq!(slices(&Versions::GPU, [64, 128, 78_400]), Some([32, 2_464]));
        // Neither need there be many.
        assert_eq!(slices(&Versions::GPU, [64, 10, 3_136]), Some([25, 128]));
        // Short sums, enough tiles, and programs on a CPU.
        for shape in [[64, 128, 255], [64, 16, 255], [512, 512, 784]] {
            assert_eq!(slices(&Versions::GPU, shape), None, "{shape:?}");
        }
        assert_eq!(slices(&Versions::SOFTWARE, [64, 128, 784]), None);
        let uncut = Versions::GPU.with(&"long matmul".parse().unwrap());
        assert_eq!(slices(&uncut, [64, 128, 784]), None);
        // Where one dispatch is asked for, there is one.
        assert_eq!(product(&Versions::GPU, [64, 128, 784]), "matmul_vectors");
        assert_eq!(product(&Versions::GPU, [64, 128, 785]), "matmul");
    }

    #[test]
    fn a_choice_has_a_say_in_its_classes_only() {
        let choice: Choice = "long matmul_naive, conv conv".parse().unwrap();
        let versions = Versions::SOFTWARE.with(&choice);
        let names = [[64, 16, 784], [64, 128, 784], [64, 128, 64]].map(|shape| product(&versions, shape));
        assert_eq!(names, ["matmul_register", "matmul_naive", "matmul_register"]);
        let whole = versions.choice();
        assert_eq!(
            (whole.get(Class::Long), whole.get(Class::Conv)),
            (choice.get(Class::Long), choice.get(Class::Conv))
        );
        assert_eq!(whole.get(Class::ConvWeights), Some(Variant::of(&table::CONV_WEIGHTS_REGISTER)));
    }
}
