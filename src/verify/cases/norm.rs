//! Awkward shapes of normalisations, dropout and sums of two.

use super::case::Case;
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Kernel, Step};

/// Whether the cases of this kernel are here.
pub fn has(name: &str) -> bool {
    ["moments", "running_moments", "normalise", "dropout", "add"].iter().any(|family| match *family {
        "add" | "dropout" => name == *family,
        family => name.starts_with(family),
    })
}

/// Sizes of a tensor and of its groups.
#[derive(Clone, Copy)]
struct NormSizes {
    outer: usize,
    groups: usize,
    inner: usize,
    /// Values of a slice.
    slice: usize,
    samples: u32,
    /// Whether each group is a sample.
    by_sample: bool,
}

/// Groups that are channels of a batch.
const fn channels([outer, groups, inner]: [usize; 3], slice: usize, samples: u32) -> NormSizes {
    NormSizes { outer, groups, inner, slice, samples, by_sample: false }
}

/// Groups that are samples.
const fn rows([groups, inner]: [usize; 2], slice: usize, samples: u32) -> NormSizes {
    NormSizes { outer: 1, groups, inner, slice, samples, by_sample: true }
}

const GROUPS: &[NormSizes] = &[
    channels([2, 1, 1], 2, 2),
    channels([7, 5, 9], 63, 7),
    // A short batch, with empty slices.
    channels([8, 3, 10], 7, 5),
    channels([4, 65, 1], 1, 3),
    channels([3, 2, 1_757], 1_000, 3),
    rows([1, 1], 1, 1),
    rows([5, 9], 9, 4),
    rows([65, 70], 16, 65),
    rows([2, 3_000], 1_024, 2),
];

/// All cases of a kernel.
pub fn cases(kernel: &Kernel) -> Vec<Case> {
    match kernel.name {
        "dropout" => [(1usize, 0.5f32, 0usize), (1_757, 0.9, 1), (70_000, 0.25, 3), (64, 1.0, 2)]
            .into_iter()
            .flat_map(|(length, keep, stream)| {
                [false, true].map(|add| {
                    let step = Step { seed: 7, index: length as u32, ..Step::default() };
                    let consts = consts! {
                        LENGTH: length, FIRST: stream * length, KEEP: keep, STREAM: stream, ADD: add,
                    };
                    Case { consts, step }
                })
            })
            .collect(),
        "add" => activations()
            .into_iter()
            .zip([1usize, 64, 1_757, 3, 130])
            .map(|((kind, leak), length)| Case {
                consts: consts! { LENGTH: length, ACTIVATION: kind, LEAK: leak },
                step: Step::default(),
            })
            .collect(),
        name => GROUPS.iter().enumerate().filter_map(|(at, groups)| case(name, at, *groups)).collect(),
    }
}

fn activations() -> [(Const, Const); 5] {
    [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.1),
        Activation::Sigmoid,
        Activation::Tanh,
    ]
    .map(Activation::consts)
}

fn case(name: &str, at: usize, groups: NormSizes) -> Option<Case> {
    let NormSizes { outer, groups, inner, slice, samples, by_sample } = groups;
    let sizes = consts! { OUTER: outer, GROUPS: groups, INNER: inner };
    let flag = Const::Flag(by_sample);
    // With padding between two rows of numbers, and without.
    let pitch = Const::from(groups + at % 2 * 3);
    let epsilon = Const::from([1e-5f32, 0.5][at % 2]);
    let (kind, leak) = activations()[at % 5];
    let consts = match name {
        "moments_slices" | "moments" => sizes.with("SLICE", Const::from(slice)).with("BY_SAMPLE", flag),
        "running_moments" if !by_sample => sizes.with("PITCH", pitch).with("MOMENTUM", Const::from(0.1f32)),
        "normalise" => {
            sizes.with("EPSILON", epsilon).with("BY_SAMPLE", flag).with("ACTIVATION", kind).with("LEAK", leak)
        }
        "normalise_slices" => sizes
            .with("SLICE", Const::from(slice))
            .with("PITCH", pitch)
            .with("EPSILON", epsilon)
            .with("BY_SAMPLE", flag),
        "normalise_backward" => sizes
            .with("PITCH", pitch)
            .with("EPSILON", epsilon)
            .with("BY_SAMPLE", flag)
            .with("CENTRED", Const::Flag(at % 3 != 1))
            .with("ADD", Const::Flag(at % 4 == 2)),
        "normalise_weights" if by_sample => {
            let gap = inner + at % 2 * 3;
            consts! { GROUPS: groups, INNER: inner, PITCH: gap }.with("EPSILON", epsilon)
        }
        _ => return None,
    };
    Some(Case { consts, step: Step { samples, ..Step::default() } })
}

/// A batch of 128 through a small network, and through a large dense layer.
pub fn real_sizes(kernel: &Kernel) -> Vec<Consts> {
    let step = |name: &str, groups| case(name, 0, groups).map(|case| case.consts);
    match kernel.name {
        "dropout" => {
            vec![
                consts! { LENGTH: 128usize * 4_096, FIRST: 0usize, KEEP: 0.5f32, STREAM: 0usize, ADD: false },
            ]
        }
        "add" => vec![consts! { LENGTH: 128usize * 4_096, ACTIVATION: Const::Uint(1), LEAK: 0.0f32 }],
        name => [channels([128, 16, 784], 1_024, 128), rows([128, 4_096], 1_024, 128)]
            .into_iter()
            .filter_map(|groups| step(name, groups))
            .collect(),
    }
}
