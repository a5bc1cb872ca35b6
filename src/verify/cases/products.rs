//! Products: every version of matmul, and the two dispatches of a long one.

use super::case::Case;
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Epilogue, Family, Kernel, Step};
use crate::table;

/// Whether the cases of this kernel are here.
pub(super) fn has(kernel: &Kernel) -> bool {
    let others = [
        &table::MATMUL_SLICES,
        &table::ADD_SLICES,
        &table::PACK_F16,
        &table::MATMUL_F16,
        &table::MATMUL_COOPERATIVE,
    ];
    kernel.is_a(Family::Matmul) || others.iter().any(|other| other.name == kernel.name)
}

/// Whether a kernel computes sums of products.
pub(super) fn multiplies(kernel: &Kernel) -> bool {
    has(kernel) && ![&table::ADD_SLICES, &table::PACK_F16].iter().any(|other| other.name == kernel.name)
}

/// Awkward shapes.
pub(super) fn cases(name: &str) -> Vec<Case> {
    let consts = match name {
        "matmul_vectors" => tiled_products(),
        "matmul_subgroup" | "matmul_f16" => products(WHOLE_PRODUCTS),
        "matmul_cooperative" => return COOPERATIVE.iter().map(cooperative).collect(),
        "pack_f16" => return PACKED.map(packed).to_vec(),
        "matmul_slices" => SLICED.iter().map(sliced).collect(),
        "add_slices" => SUMS.iter().map(added).collect(),
        _ => products(PRODUCTS),
    };
    consts.into_iter().map(|consts| Case { consts, step: Step { samples: 1, ..Step::default() } }).collect()
}

/// (M, N, K), A and B transposed, epilogue, activation, add.
type ProductCase = ((usize, usize, usize), (bool, bool), Epilogue, Activation, bool);

const NONE: (bool, bool) = (false, false);
const B: (bool, bool) = (false, true);
const A: (bool, bool) = (true, false);
const BOTH: (bool, bool) = (true, true);

/// Sizes around tile borders, and long sums. Every
/// transposition, epilogue and activation occurs, but not each with each shape:
/// a software adapter takes up to a second to compile each of these. Some
/// drivers end a loop silently after 65,535 rounds (Mesa before 25).
const PRODUCTS: &[ProductCase] = &[
    ((1, 1, 1), NONE, Epilogue::Plain, Activation::Identity, false),
    ((7, 7, 7), BOTH, Epilogue::Bias, Activation::Relu, false),
    ((8, 8, 8), A, Epilogue::Derivative, Activation::Tanh, true),
    ((1, 10, 1_757), B, Epilogue::Bias, Activation::Identity, false),
    ((64, 65, 1), NONE, Epilogue::Derivative, Activation::Relu, false),
    ((33, 31, 65), A, Epilogue::Plain, Activation::Identity, true),
    ((65, 64, 63), NONE, Epilogue::Derivative, Activation::Sigmoid, true),
    ((64, 128, 784), B, Epilogue::Bias, Activation::Sigmoid, false),
    ((128, 100, 64), A, Epilogue::Plain, Activation::Identity, false),
    ((64, 100, 128), NONE, Epilogue::Derivative, Activation::LeakyRelu(0.1), false),
    ((5, 3, 4_000), B, Epilogue::Bias, Activation::Tanh, false),
    ((1, 2, 70_000), B, Epilogue::Plain, Activation::Identity, false),
    ((130, 70, 57), BOTH, Epilogue::Plain, Activation::Identity, true),
    ((100, 130, 33), B, Epilogue::Bias, Activation::LeakyRelu(0.01), false),
];

/// Cases for versions that read and write whole vec4s: contiguous sizes are multiples of 4.
const WHOLE_PRODUCTS: &[ProductCase] = &[
    ((1, 4, 4), NONE, Epilogue::Plain, Activation::Identity, false),
    ((12, 8, 8), BOTH, Epilogue::Bias, Activation::Relu, false),
    ((8, 36, 8), A, Epilogue::Derivative, Activation::Tanh, true),
    ((1, 32, 1_756), B, Epilogue::Bias, Activation::Identity, false),
    ((17, 64, 4), NONE, Epilogue::Derivative, Activation::Relu, false),
    ((64, 128, 784), B, Epilogue::Bias, Activation::Sigmoid, false),
    ((128, 100, 64), A, Epilogue::Plain, Activation::Identity, true),
    ((65, 100, 128), NONE, Epilogue::Derivative, Activation::LeakyRelu(0.1), false),
    ((5, 4, 4_000), B, Epilogue::Bias, Activation::Tanh, false),
    ((1, 4, 70_000), B, Epilogue::Plain, Activation::Identity, false),
    ((132, 68, 60), BOTH, Epilogue::Plain, Activation::Identity, true),
    ((47, 28, 64), B, Epilogue::Derivative, Activation::Sigmoid, true),
    ((100, 132, 36), B, Epilogue::Bias, Activation::LeakyRelu(0.01), false),
];

/// Products in whole vec4s, with a tile and a block.
///
/// Every tile meets its borders, with A and B in both layouts; epilogues don't depend on the tile.
const TILED_PRODUCTS: &[(ProductCase, (usize, usize))] = &[
    (((1, 4, 4), NONE, Epilogue::Plain, Activation::Identity, false), (32, 4)),
    (((12, 8, 8), BOTH, Epilogue::Bias, Activation::Relu, false), (32, 4)),
    (((64, 128, 784), B, Epilogue::Bias, Activation::Sigmoid, false), (32, 4)),
    (((128, 100, 64), A, Epilogue::Plain, Activation::Identity, true), (32, 4)),
    (((65, 100, 128), NONE, Epilogue::Derivative, Activation::LeakyRelu(0.1), false), (32, 4)),
    (((1, 4, 70_000), B, Epilogue::Plain, Activation::Identity, false), (32, 4)),
    (((132, 132, 68), NONE, Epilogue::Derivative, Activation::Tanh, true), (64, 4)),
    (((64, 100, 32), B, Epilogue::Bias, Activation::Relu, false), (64, 4)),
    (((60, 68, 4), A, Epilogue::Plain, Activation::Identity, true), (64, 4)),
    (((67, 132, 36), NONE, Epilogue::Plain, Activation::Identity, false), (64, 8)),
    (((33, 64, 784), B, Epilogue::Bias, Activation::Sigmoid, false), (64, 8)),
    (((100, 28, 64), BOTH, Epilogue::Plain, Activation::Identity, true), (64, 8)),
    (((130, 260, 12), NONE, Epilogue::Derivative, Activation::Relu, true), (128, 8)),
    (((129, 128, 100), B, Epilogue::Plain, Activation::Identity, false), (128, 8)),
    (((196, 132, 8), A, Epilogue::Bias, Activation::LeakyRelu(0.01), false), (128, 8)),
];

/// Products by cooperative matrices: a tile size, and the samples of the step where A is a gradient.
///
/// Some end at the border of a block; both tile sizes have every transposition and epilogue.
const COOPERATIVE: &[(ProductCase, (usize, Option<u32>))] = &[
    (((16, 16, 16), NONE, Epilogue::Plain, Activation::Identity, false), (16, None)),
    (((64, 128, 784), B, Epilogue::Bias, Activation::Relu, false), (16, None)),
    (((128, 112, 64), A, Epilogue::Plain, Activation::Identity, true), (16, Some(1_000))),
    (((48, 80, 32), NONE, Epilogue::Derivative, Activation::Tanh, true), (16, Some(3))),
    (((32, 16, 4_000), B, Epilogue::Bias, Activation::Sigmoid, false), (16, None)),
    (((96, 176, 48), BOTH, Epilogue::Derivative, Activation::LeakyRelu(0.1), false), (16, Some(1))),
    (((8, 8, 8), NONE, Epilogue::Plain, Activation::Identity, false), (8, None)),
    (((64, 128, 784), B, Epilogue::Bias, Activation::Sigmoid, false), (8, None)),
    (((128, 104, 64), A, Epilogue::Plain, Activation::Identity, true), (8, Some(1_000))),
    (((40, 72, 24), NONE, Epilogue::Derivative, Activation::Relu, true), (8, Some(64))),
    (((24, 8, 8_000), B, Epilogue::Bias, Activation::Tanh, false), (8, None)),
    (((56, 136, 40), BOTH, Epilogue::Derivative, Activation::Sigmoid, false), (8, Some(65))),
];

fn cooperative((product, (tile, samples)): &(ProductCase, (usize, Option<u32>))) -> Case {
    let consts = in_tiles(of(product), *tile, samples.is_some());
    Case { consts, step: step(*samples) }
}

fn in_tiles(consts: Consts, tile: usize, gradient: bool) -> Consts {
    consts.with("TILE", tile.into()).with("GRADIENT", gradient.into())
}

/// Lengths of packed matrices, and the samples of the step for a gradient.
const PACKED: [(usize, Option<u32>); 6] =
    [(2, None), (2, Some(1)), (64, Some(3)), (64, Some(65_536)), (1_758, Some(100)), (1_758, None)];

fn packed((length, samples): (usize, Option<u32>)) -> Case {
    Case { consts: consts! { LENGTH: length, GRADIENT: samples.is_some() }, step: step(samples) }
}

/// A step with this number of samples, else one whose number must not matter.
fn step(samples: Option<u32>) -> Step {
    Step { samples: samples.unwrap_or(5), ..Step::default() }
}

fn tiled_products() -> Vec<Consts> {
    let with_tile = |(product, tile): &(ProductCase, (usize, usize))| tiled(of(product), *tile);
    TILED_PRODUCTS.iter().map(with_tile).collect()
}

/// The constants of a product by cooperative matrices.
pub(super) fn tiled(consts: Consts, (tile, block): (usize, usize)) -> Consts {
    consts.with("TILE", tile.into()).with("BLOCK", block.into())
}

fn products(cases: &[ProductCase]) -> Vec<Consts> {
    cases.iter().map(of).collect()
}

fn of(&((m, n, k), (transpose_a, transpose_b), epilogue, activation, add): &ProductCase) -> Consts {
    let (kind, leak) = activation.consts();
    consts! {
        M: m, N: n, K: k, TRANSPOSE_A: transpose_a, TRANSPOSE_B: transpose_b,
        ADD: add, EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
    }
}

/// (M, N, K), A and B transposed, and the length of a slice of K.
type SlicedCase = ((usize, usize, usize), (bool, bool), usize);

/// Around the borders of tiles and slices.
///
/// With a transposed B, N need not be a multiple of 4.
const SLICED: &[SlicedCase] = &[
    ((64, 128, 784), B, 128),
    ((33, 10, 100), B, 64),
    ((1, 7, 70_004), B, 8_192),
    ((5, 36, 60), NONE, 32),
    ((36, 132, 65), A, 32),
    ((40, 3, 96), BOTH, 96),
];

fn sliced(&((m, n, k), (transpose_a, transpose_b), slice): &SlicedCase) -> Consts {
    consts! {
        M: m, N: n, K: k, TRANSPOSE_A: transpose_a, TRANSPOSE_B: transpose_b,
        SLICES: k.div_ceil(slice), SLICE: slice,
    }
}

/// (slices, M, N), epilogue, activation, add.
type SumCase = ((usize, usize, usize), Epilogue, Activation, bool);

const SUMS: &[SumCase] = &[
    ((1, 1, 1), Epilogue::Plain, Activation::Identity, false),
    ((7, 64, 128), Epilogue::Bias, Activation::Relu, false),
    ((13, 33, 10), Epilogue::Bias, Activation::LeakyRelu(0.1), false),
    ((3, 5, 65), Epilogue::Derivative, Activation::Sigmoid, true),
    ((200, 7, 9), Epilogue::Bias, Activation::Tanh, true),
    ((4, 65, 31), Epilogue::Plain, Activation::Identity, true),
];

fn added(&((slices, m, n), epilogue, activation, add): &SumCase) -> Consts {
    let (kind, leak) = activation.consts();
    consts! {
        SLICES: slices, M: m, N: n, ADD: add, EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
    }
}

const PLAIN: Epilogue = Epilogue::Plain;
const IDENTITY: Activation = Activation::Identity;

/// Forward, weight gradient and input gradient of small networks, and two large ones.
const REAL: &[ProductCase] = &[
    ((64, 128, 784), B, Epilogue::Bias, Activation::Relu, false),
    ((64, 10, 128), B, Epilogue::Bias, IDENTITY, false),
    ((128, 784, 64), A, PLAIN, IDENTITY, false),
    ((10, 128, 64), A, PLAIN, IDENTITY, false),
    ((64, 512, 256), NONE, Epilogue::Derivative, Activation::Relu, false),
    ((64, 128, 10), NONE, Epilogue::Derivative, Activation::Relu, false),
    ((512, 512, 512), NONE, PLAIN, IDENTITY, false),
    ((1_024, 1_024, 1_024), NONE, PLAIN, IDENTITY, false),
];

/// Sizes of real training, the first layer of 784-128-10 first.
pub(super) fn real_sizes(name: &str) -> Vec<Consts> {
    match name {
        "matmul_vectors" => {
            let with_tiles = |consts: Consts| table::TILES.map(|tile| tiled(consts.clone(), tile));
            products(REAL).into_iter().flat_map(with_tiles).collect()
        }
        "matmul_cooperative" => {
            let cases = |tile| REAL.iter().map(move |case| in_tiles(of(case), tile, false));
            table::COOPERATIVE_TILES.into_iter().flat_map(cases).collect()
        }
        "pack_f16" => vec![consts! { LENGTH: 100_352usize, GRADIENT: false }],
        "matmul_slices" => [((64, 128, 784), B, 64), ((64, 10, 3_136), B, 128)].iter().map(sliced).collect(),
        "add_slices" => {
            [((13, 64, 128), Epilogue::Bias, Activation::Relu, false)].iter().map(added).collect()
        }
        _ => products(REAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::matmul::matmul;
    use crate::cpu::slices::{add_slices, matmul_slices};
    use crate::kernel::{Call, Slice, SliceMut, Twin};

    fn numbers(len: usize) -> Vec<f64> {
        (0..len).map(|at| (at as f64 * 0.37).sin()).collect()
    }

    /// A twin's output for inputs from 0 to 1.
    fn run(twin: Twin<f64>, consts: &Consts, reads: &[&[f64]], len: usize) -> Vec<f64> {
        let reads: Vec<Slice<f64>> = reads.iter().map(|values| Slice::Real(values)).collect();
        let mut result = numbers(len);
        twin(Call { consts, step: &Step::default() }, &reads, &mut [SliceMut::Real(&mut result)]);
        result
    }

    #[test]
    fn the_two_dispatches_are_a_product() {
        for case in cases(table::MATMUL_SLICES.name) {
            let [m, n, k] = ["M", "N", "K"].map(|name| case.consts.uint(name));
            let (a, b, extra) = (numbers(m * k), numbers(k * n), numbers(m * n));
            let parts = run(matmul_slices, &case.consts, &[&a, &b], case.consts.uint("SLICES") * m * n);
            for (epilogue, add) in [(0, true), (1, false), (2, true)] {
                let what = consts! {
                    ADD: add, EPILOGUE: Const::Uint(epilogue), ACTIVATION: Activation::Tanh.consts().0,
                    LEAK: 0.0f32,
                };
                let mut consts = case.consts.clone();
                consts.extend(what.iter());
                let whole = run(matmul, &consts, &[&a, &b, &extra], m * n);
                let in_two = run(add_slices, &consts, &[&parts, &extra], m * n);
                // Two sums of K terms of at most 1 in two orders, and functions no steeper than 1.
                let most = 2.0 * (k * k) as f64 * f64::EPSILON;
                for (at, (whole, in_two)) in whole.iter().zip(&in_two).enumerate() {
                    assert!((whole - in_two).abs() <= most, "{consts}: {whole} and {in_two} at {at}");
                }
            }
        }
    }
}
