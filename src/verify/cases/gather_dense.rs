//! Awkward shapes of first dense layers that gather their samples.

use super::case::Case;
use crate::cpu::gather_dense;
use crate::kernel::{Activation, Const, Consts, Family, Kernel, Step};

/// Whether these are the cases of a kernel.
pub(super) fn has(kernel: &Kernel) -> bool {
    kernel.is_a(Family::GatherDense) || kernel.is_a(Family::GatherDenseGradient)
}

/// (batch, channels, values of a channel, outputs, samples, first sample of the step), activation, add:
/// around the borders of blocks and the end of the data.
type GatherDenseCase = ((usize, usize, usize, usize, usize, u32), Activation, bool);

const CASES: &[GatherDenseCase] = &[
    ((4, 1, 4, 4, 4, 0), Activation::Identity, false),
    ((8, 3, 4, 12, 30, 17), Activation::Relu, true),
    ((64, 1, 784, 128, 100, 36), Activation::Relu, false),
    ((20, 1, 64, 36, 200, 185), Activation::Tanh, false),
    ((36, 4, 36, 20, 36, 0), Activation::LeakyRelu(0.1), true),
    ((68, 1, 1_024, 4, 70, 60), Activation::Sigmoid, false),
];

pub(super) fn cases(kernel: &Kernel) -> Vec<Case> {
    CASES.iter().map(|case| of(kernel, case)).collect()
}

fn of(
    kernel: &Kernel,
    &((batch, channels, plane, outputs, samples, first), activation, add): &GatherDenseCase,
) -> Case {
    let sizes = gather_dense::sizes(batch, batch % 16, [channels, plane], samples, outputs);
    let step = Step { first, samples: batch as u32, ..Step::default() };
    Case { consts: with_sizes(kernel, sizes, activation, add), step }
}

fn with_sizes(kernel: &Kernel, sizes: Consts, activation: Activation, add: bool) -> Consts {
    match kernel.block {
        Some(block) => gather_dense::gradient_constants(sizes, add, block),
        None => gather_dense::dense_constants(sizes, activation),
    }
}

/// The first layers of small networks on MNIST, and one on pictures in colour.
pub(super) fn real_sizes(kernel: &Kernel) -> Vec<Consts> {
    [(64, [1, 784], 128), (128, [1, 784], 512), (64, [3, 1_024], 128)]
        .map(|(batch, image, outputs)| {
            with_sizes(kernel, gather_dense::sizes(batch, 0, image, 1_000, outputs), Activation::Relu, false)
        })
        .to_vec()
}

/// Whether a case rounds nothing, with small whole numbers.
///
/// Gradients also have their squares added up, which soon are too large.
pub(super) fn exact(kernel: &Kernel, case: &Case) -> bool {
    let exact = [Activation::Identity, Activation::Relu].map(|activation| activation.consts().0);
    kernel.is_a(Family::GatherDense) && exact.contains(&Const::from(case.consts.uint("ACTIVATION")))
}
