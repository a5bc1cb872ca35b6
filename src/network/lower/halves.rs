//! What of a training step reads halves, and what does not.

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

    /// Those of a training step that belong to a layer, each once, though a step of several batches has it for
    /// each of them: what stands in front of the guard. Behind it an optimiser may multiply as well.
    fn of_layers(&self) -> impl Iterator<Item = &Dispatch> {
        let mut seen = HashSet::new();
        let front = self.training_steps().take_while(|dispatch| !dispatch.kernel.is(&table::GUARD));
        front.filter(move |dispatch| {
            seen.insert((dispatch.kernel.name, dispatch.layer.as_str(), dispatch.what.as_str()))
        })
    }

    /// Of a training step, by their labels, the products and convolutions of layers that read nothing in half
    /// precision.
    pub fn in_single(&self) -> Vec<String> {
        let families = [Family::Matmul, Family::WeightGradient, Family::Conv, Family::ConvWeights];
        let reads_single = |kernel: &Kernel| {
            kernel.is(&table::MATMUL_SLICES) || families.iter().any(|family| kernel.is_a(*family))
        };
        let single = self.of_layers().filter(|dispatch| reads_single(dispatch.kernel));
        single.map(Dispatch::label).collect()
    }

    /// The edges of the tiles in which a training step multiplies by cooperative matrices, if it does.
    pub fn cooperative_edges(&self) -> Vec<usize> {
        let cooperative = self.training_steps().filter(|dispatch| dispatch.kernel.is_cooperative());
        let mut edges: Vec<usize> = cooperative.map(|dispatch| dispatch.consts.uint("EDGE")).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Of a training step the products of dense layers: how many are made by cooperative matrices, and the
    /// labels of the others, with M, N and K of those that have them.
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
