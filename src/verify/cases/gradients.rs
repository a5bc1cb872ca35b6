//! Awkward shapes of the gradients of dense layers.

use crate::cpu::weights;
use crate::kernel::{Consts, Kernel};
use crate::table;

/// Awkward shapes.
pub(super) fn cases(kernel: &Kernel) -> Vec<Consts> {
    match kernel.name {
        "weight_gradient_vectors" => {
            TILED_WEIGHT_GRADIENTS.iter().map(|(case, tile)| tiled(case, *tile)).collect()
        }
        "weight_gradient_subgroup" => {
            WHOLE_WEIGHT_GRADIENTS.iter().map(|case| consts(kernel, case)).collect()
        }
        "weight_gradient_narrow_subgroup" => {
            NARROW_WEIGHT_GRADIENTS.iter().map(|case| consts(kernel, case)).collect()
        }
        _ => WEIGHT_GRADIENTS.iter().map(|case| consts(kernel, case)).collect(),
    }
}

/// (batch, inputs, outputs, add): around the borders of blocks, and a batch with long sums.
type WeightGradientCase = (usize, usize, usize, bool);

const WEIGHT_GRADIENTS: &[WeightGradientCase] = &[
    (1, 1, 1, false),
    (3, 9, 7, true),
    (64, 128, 10, false),
    (65, 31, 33, false),
    (8, 65, 64, true),
    (70_000, 3, 2, false),
];

/// Cases for versions that read and write whole vec4s.
const WHOLE_WEIGHT_GRADIENTS: &[WeightGradientCase] = &[
    (4, 4, 4, false),
    (4, 36, 20, true),
    (64, 784, 128, false),
    (68, 32, 36, false),
    (8, 100, 12, true),
    (70_000, 4, 4, false),
];

/// Cases with few outputs, for the version that reads rows of x as vec4s.
const NARROW_WEIGHT_GRADIENTS: &[WeightGradientCase] = &[
    (4, 4, 1, false),
    (4, 36, 7, true),
    (64, 128, 10, false),
    (68, 32, 32, false),
    (8, 100, 9, true),
    (70_000, 4, 3, false),
];

/// In whole vec4s, with a tile and a block.
const TILED_WEIGHT_GRADIENTS: &[(WeightGradientCase, (usize, usize))] = &[
    ((1, 4, 4, false), (32, 4)),
    ((4, 36, 20, true), (32, 4)),
    ((68, 100, 128, false), (32, 4)),
    ((70_000, 4, 4, false), (32, 4)),
    ((33, 68, 64, false), (64, 4)),
    ((5, 60, 132, true), (64, 4)),
    ((17, 132, 60, false), (64, 8)),
    ((8, 64, 100, true), (64, 8)),
    ((9, 260, 132, false), (128, 8)),
    ((8, 100, 196, true), (128, 8)),
];

fn consts(kernel: &Kernel, &(batch, inputs, outputs, add): &WeightGradientCase) -> Consts {
    weights::constants(batch, inputs, outputs, add, kernel.block.unwrap_or(weights::BLOCK))
}

fn tiled(&(batch, inputs, outputs, add): &WeightGradientCase, (tile, block): (usize, usize)) -> Consts {
    let consts = weights::constants(batch, inputs, outputs, add, [tile; 2]);
    super::products::tiled(consts, (tile, block))
}

/// The layers of small networks, the first of 784-128-10 first.
pub(super) fn real_sizes(kernel: &Kernel) -> Vec<Consts> {
    let real: [WeightGradientCase; 3] = [(64, 784, 128, false), (64, 128, 10, false), (128, 512, 256, false)];
    match kernel.name {
        "weight_gradient_vectors" => {
            real.iter().flat_map(|case| table::TILES.map(|tile| tiled(case, tile))).collect()
        }
        "weight_gradient_narrow_subgroup" => {
            [(64, 128, 10, false), (128, 256, 10, false)].iter().map(|case| consts(kernel, case)).collect()
        }
        _ => real.iter().map(|case| consts(kernel, case)).collect(),
    }
}
