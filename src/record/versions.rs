//! Which of several shaders with one contract are used.

use super::PixelKernels;
use super::choice::Choice;
use super::variants::{Class, NAIVE, REGISTER, SUBGROUP, TILED, Variant};
use crate::cpu::conv::Geometry;
use crate::cpu::{slices, weights};
use crate::kernel::{Consts, Kernel};
use crate::kernels;

/// Which of several shaders with one contract are used: a variant for every class of work, and what
/// takes the shapes that a variant refuses.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    /// In the order of [`Class::ALL`].
    chosen: [Variant; Class::ALL.len()],
    /// Takes every product.
    product: &'static Kernel,
    /// Takes the gradients of nearly every dense layer; what it refuses is computed separately.
    gradient: Option<&'static Kernel>,
    /// Take a first dense layer straight from the pixels; without them its samples are picked first.
    pub(super) pixels: Option<PixelKernels>,
}

impl Versions {
    /// The shaders to read first.
    pub const NAIVE: Versions = Versions {
        chosen: all([NAIVE; 5], Variant::SEPARATE, [&kernels::CONV_NAIVE, &kernels::CONV_WEIGHTS_NAIVE]),
        product: &kernels::MATMUL_NAIVE,
        gradient: None,
        pixels: None,
    };
    /// Tiled through workgroup memory, for real GPUs.
    pub const GPU: Versions = Versions {
        chosen: all([TILED; 5], Variant::SEPARATE, [&kernels::CONV, &kernels::CONV_WEIGHTS]),
        product: &kernels::MATMUL,
        gradient: None,
        pixels: None,
    };
    /// Without barriers, for adapters that are programs on a CPU.
    pub const SOFTWARE: Versions = Versions {
        chosen: all(
            [REGISTER; 5],
            Variant::of(&kernels::WEIGHT_GRADIENT),
            [&kernels::CONV_REGISTER, &kernels::CONV_WEIGHTS_REGISTER],
        ),
        product: &kernels::MATMUL_REGISTER,
        gradient: Some(&kernels::WEIGHT_GRADIENT),
        pixels: None,
    };
    /// The same for those with subgroups of exactly 8. Of a narrow product, most of the 32 columns
    /// that the wide version computes at once would be thrown away.
    pub const SOFTWARE_SUBGROUPS: Versions = Versions {
        chosen: all(
            [REGISTER, SUBGROUP, SUBGROUP, SUBGROUP, SUBGROUP],
            Variant::of(&kernels::WEIGHT_GRADIENT_SUBGROUP),
            [&kernels::CONV_SUBGROUP, &kernels::CONV_WEIGHTS_SUBGROUP],
        ),
        pixels: Some(PixelKernels {
            dense: &kernels::PIXEL_DENSE_SUBGROUP,
            gradient: &kernels::PIXEL_GRADIENT_SUBGROUP,
            block: weights::SUBGROUP_BLOCK,
        }),
        ..Versions::SOFTWARE
    };

    /// These, but for what a choice has a say in.
    pub fn with(mut self, choice: &Choice) -> Versions {
        choice.iter().for_each(|(class, variant)| self.chosen[class as usize] = variant);
        self
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
        let naive = [&kernels::CONV_NAIVE, &kernels::CONV_WEIGHTS_NAIVE];
        let chosen = self.chosen.into_iter().filter_map(|variant| variant.kernel);
        let pixels = self.pixels.iter().flat_map(|kernels| [kernels.dense, kernels.gradient]);
        chosen.chain([self.product]).chain(self.gradient).chain(pixels.collect::<Vec<_>>()).chain(naive)
    }

    /// The constants of both dispatches of a product that is computed in slices, if it is.
    pub(super) fn slices(&self, usual: &Consts) -> Option<[Consts; 2]> {
        let slice = self.variant(Class::of_product(usual)).slice()?;
        let [sums, added] = slices::constants(usual, slice)?;
        (kernels::MATMUL_SLICES.requires)(&sums).is_ok().then_some([sums, added])
    }

    /// The shader for a product that is not computed in slices, and its constants.
    pub fn matmul(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let variant = self.variant(Class::of_product(&usual));
        variant.take(&usual).unwrap_or((self.product, usual))
    }

    /// Whether a dense layer of these sizes can take pixels, see [`Pixels::sizes`](super::Pixels::sizes).
    pub fn takes_pixels(&self, sizes: &Consts) -> bool {
        self.pixels.is_some_and(|kernels| kernels.fit(sizes))
    }

    /// The shader for all gradients of a dense layer, if there is one, and its constants.
    pub(super) fn weight_gradient(
        &self,
        batch: usize,
        inputs: usize,
        outputs: usize,
        add: bool,
    ) -> Option<(&'static Kernel, Consts)> {
        let chosen = self.variant(Class::Weights).kernel?;
        let with_consts = |kernel: &'static Kernel| {
            (kernel, weights::constants(batch, inputs, outputs, add, weights::block(kernel.name)))
        };
        let mut all = std::iter::once(chosen).chain(self.gradient).map(with_consts);
        all.find(|(kernel, consts)| (kernel.requires)(consts).is_ok())
    }

    /// The shader for a convolution or its input gradient, and its constants.
    pub fn conv(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let geometry = Geometry::of(&usual);
        let written = if usual.flag("BACKWARD") { geometry.channels } else { geometry.outputs };
        self.conv_of(Class::Conv, &kernels::CONV_NAIVE, written / geometry.groups, usual)
    }

    /// The shader for a convolution's weight gradient, and its constants.
    pub fn conv_weights(&self, usual: Consts) -> (&'static Kernel, Consts) {
        let geometry = Geometry::of(&usual);
        let written = geometry.outputs / geometry.groups;
        self.conv_of(Class::ConvWeights, &kernels::CONV_WEIGHTS_NAIVE, written, usual)
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

/// A variant for each class: those of products, of the gradients of dense layers, and of convolutions.
const fn all(
    products: [Variant; 5],
    weights: Variant,
    conv: [&'static Kernel; 2],
) -> [Variant; Class::ALL.len()] {
    let [narrow, small, long, large, huge] = products;
    [narrow, small, long, large, huge, weights, Variant::of(conv[0]), Variant::of(conv[1])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consts;
    use crate::kernel::Const;

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
        let gradient = |versions: &Versions, inputs| {
            versions.weight_gradient(64, inputs, 12, false).map(|(kernel, _)| kernel.name)
        };
        assert_eq!(gradient(&versions, 784), Some("weight_gradient_subgroup"));
        assert_eq!(gradient(&versions, 785), Some("weight_gradient"));
        assert_eq!(gradient(&Versions::GPU, 784), None);
        let separate = versions.with(&"weights separate".parse().unwrap());
        assert_eq!([784, 785].map(|inputs| gradient(&separate, inputs)), [None; 2]);
    }

    #[test]
    fn a_long_product_in_slices_is_two_dispatches_where_there_are_several() {
        let usual = |m: usize, n: usize, k: usize| {
            consts! {
                M: m, N: n, K: k, TRANSPOSE_A: false, TRANSPOSE_B: true, ADD: true, EPILOGUE: Const::Uint(1),
                ACTIVATION: Const::Uint(2), LEAK: 0.5f32,
            }
        };
        let versions = Versions::GPU.with(&"long matmul_slices slice 128".parse().unwrap());
        let slices = |shape: Consts| versions.slices(&shape).map(|[sums, _]| sums.uint("SLICES"));
        assert_eq!(slices(usual(64, 128, 784)), Some(7));
        // So long that there would be too many, whose parts fit no buffer.
        assert_eq!(slices(usual(64, 128, 1_000_000)), Some(slices::MOST));
        // Not in whole vec4s, and of another class.
        assert_eq!([slices(usual(64, 128, 785)), slices(usual(512, 512, 784))], [None; 2]);
        assert_eq!(versions.matmul(usual(64, 128, 785)).0.name, "matmul");
        let [sums, added] = versions.slices(&usual(64, 128, 784)).unwrap();
        assert_eq!(
            sums.to_string(),
            "M=64u N=128u K=784u TRANSPOSE_A=false TRANSPOSE_B=true SLICES=7u SLICE=128u"
        );
        assert_eq!(added.to_string(), "SLICES=7u M=64u N=128u ADD=true EPILOGUE=1u ACTIVATION=2u LEAK=0.5f");
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
        assert_eq!(whole.get(Class::ConvWeights), Some(Variant::of(&kernels::CONV_WEIGHTS_REGISTER)));
    }
}
