//! The products of a training step that read f16, and those that don't.

use std::collections::HashSet;

use super::lowered::Lowered;
use super::what::TRAIN;
use crate::kernel::{Family, Kernel};
use crate::program::Dispatch;
use crate::table;

impl Lowered {
    fn training_steps(&self) -> impl Iterator<Item = &Dispatch> {
        self.program.steps[self.program.section(TRAIN)].iter()
    }

    /// The dispatches of a training step that belong to a layer, once each.
    ///
    /// A step of several batches has each of them for every batch. They stand in front of the guard; behind it an
    /// optimiser may multiply as well.
    fn of_layers(&self) -> impl Iterator<Item = &Dispatch> {
        let mut seen = HashSet::new();
        let front = self.training_steps().take_while(|dispatch| !dispatch.kernel.is(&table::GUARD));
        front.filter(move |dispatch| {
            seen.insert((dispatch.kernel.name, dispatch.layer.as_str(), dispatch.what.as_str()))
        })
    }

    /// The labels of a training step's products and convolutions that read no f16.
    pub fn in_f32(&self) -> Vec<String> {
        let families = [Family::Matmul, Family::WeightGradient, Family::Conv, Family::ConvWeights];
        let reads_f32 = |kernel: &Kernel| {
            kernel.is(&table::MATMUL_SLICES) || families.iter().any(|family| kernel.is_a(*family))
        };
        let found = self.of_layers().filter(|dispatch| reads_f32(dispatch.kernel));
        found.map(Dispatch::label).collect()
    }

    /// The tile sizes of a training step's products by cooperative matrices, in ascending order.
    pub fn cooperative_tile_sizes(&self) -> Vec<usize> {
        let cooperative = self.training_steps().filter(|dispatch| dispatch.kernel.is_cooperative());
        let mut sizes: Vec<usize> = cooperative.map(|dispatch| dispatch.consts.uint("TILE")).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// How many products of a training step's dense layers are made by cooperative matrices, and the labels of the
    /// others, with M, N and K where they have them.
    pub fn by_cooperative_matrices(&self) -> (usize, Vec<String>) {
        let others = [&table::MATMUL_SLICES, &table::MATMUL_F16, &table::MATMUL_COOPERATIVE];
        let multiplies = |kernel: &Kernel| {
            let family = kernel.is_a(Family::Matmul) || kernel.is_a(Family::WeightGradient);
            family || others.iter().any(|other| kernel.is(other))
        };
        let products = self.of_layers().filter(|dispatch| multiplies(dispatch.kernel));
        let (cooperative, others): (Vec<_>, Vec<_>) =
            products.partition(|dispatch| dispatch.kernel.is_cooperative());
        let described = |dispatch: &Dispatch| {
            let sizes = ["M", "N", "K"].map(|size| dispatch.consts.iter().find(|(name, _)| *name == size));
            match sizes {
                [Some(_), Some(_), Some(_)] => {
                    let [m, n, k] = ["M", "N", "K"].map(|name| dispatch.consts.uint(name));
                    format!("{} ({m}×{n}×{k})", dispatch.label())
                }
                _ => dispatch.label(),
            }
        };
        (cooperative.len(), others.into_iter().map(described).collect())
    }
}
