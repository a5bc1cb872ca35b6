//! The products of a training step, by the precision that they read.

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

    /// The dispatches of a training step that belong to layers, once each.
    ///
    /// A step of several batches repeats them. They come before the guard; after it an optimiser may multiply as well.
    fn of_layers(&self) -> impl Iterator<Item = &Dispatch> {
        let mut seen = HashSet::new();
        let front = self.training_steps().take_while(|dispatch| !dispatch.kernel.is(&table::GUARD));
        front.filter(move |dispatch| {
            seen.insert((dispatch.kernel.name, dispatch.layer.as_str(), dispatch.what.as_str()))
        })
    }

    /// The labels of a training step's products and convolutions that read f32.
    pub fn in_f32(&self) -> Vec<String> {
        let families = [Family::Matmul, Family::WeightGradient, Family::Conv, Family::ConvWeights];
        let reads_f32 = |kernel: &Kernel| {
            kernel.is(&table::MATMUL_SLICES) || families.iter().any(|family| kernel.is_a(*family))
        };
        let found = self.of_layers().filter(|dispatch| reads_f32(dispatch.kernel));
        found.map(Dispatch::label).collect()
    }

    /// The tile sizes of the cooperative matrices in a training step, ascending.
    pub fn cooperative_tile_sizes(&self) -> Vec<usize> {
        let cooperative = self.training_steps().filter(|dispatch| dispatch.kernel.is_cooperative());
        let mut sizes: Vec<usize> = cooperative.map(|dispatch| dispatch.consts.uint("TILE")).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The products of a training step's dense layers, by kind of kernel.
    ///
    /// Returns the number of those that are, and the labels of the others, with M, N and K where known.
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
