//! Awkward shapes of convolutions and poolings.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::cpu::pool::Pooling;
use crate::kernel::consts;
use crate::kernel::{Activation, Consts, Epilogue, Family, Geometry, Kernel, Side};
use crate::network::layers::conv::{self, consts_of, weights_consts};
use crate::network::layers::pool::{backward, sizes};
use crate::table;

/// Whether the cases of this kernel are here.
pub fn has(kernel: &Kernel) -> bool {
    let others = [
        &table::CHANNEL_SUMS,
        &table::MAX_POOL,
        &table::MAX_POOL_BACKWARD,
        &table::AVERAGE_POOL,
        &table::AVERAGE_POOL_BACKWARD,
    ];
    let family = kernel.is_a(Family::Conv) || kernel.is_a(Family::ConvWeights);
    family || others.iter().any(|other| other.name == kernel.name)
}

/// All cases of a kernel.
pub fn cases(kernel: &Kernel) -> Vec<Consts> {
    let all: Vec<Consts> = match kernel.name {
        "channel_sums" => [(1, 1, 1, 1), (3, 5, 7, 4), (7, 1, 65, 64), (2, 65, 9, 18), (1, 2, 70_000, 7_000)]
            .map(|(batch, channels, plane, slice): (usize, usize, usize, usize)| {
                consts! { BATCH: batch, CHANNELS: channels, PLANE: plane, SLICE: slice }
            })
            .to_vec(),
        "max_pool" | "average_pool" => poolings().map(|pooling| sizes(&pooling)).to_vec(),
        "max_pool_backward" | "average_pool_backward" => ways_back(),
        _ if kernel.is_a(Family::ConvWeights) => {
            let of = |(at, geometry): (usize, &Geometry)| {
                let lines = geometry.batch * geometry.rows.out;
                weights_consts(geometry, [lines, 1, lines.div_ceil(3)][at % 3])
            };
            geometries().iter().enumerate().map(of).collect()
        }
        _ => convolutions(),
    };
    all.into_iter().filter(|consts| (kernel.requires)(consts).is_ok()).collect()
}

fn side(size: usize, kernel: usize, stride: usize, pad: usize, dilation: usize) -> Side {
    conv::side(size, kernel, stride, pad, dilation).expect("the kernel fits")
}

/// Size, kernel, stride, pad and dilation along a side.
type SideCase = (usize, usize, usize, usize, usize);

/// Batch, channels, outputs, groups, rows and columns.
const GEOMETRIES: &[(usize, [usize; 3], SideCase, SideCase)] = &[
    (1, [1, 1, 1], (1, 1, 1, 0, 1), (1, 1, 1, 0, 1)),
    (2, [1, 16, 1], (9, 3, 1, 1, 1), (10, 3, 1, 1, 1)),
    (3, [3, 5, 1], (7, 2, 2, 0, 1), (11, 4, 3, 2, 1)),
    (2, [17, 33, 1], (5, 3, 1, 1, 1), (6, 3, 1, 1, 1)),
    (1, [4, 6, 2], (8, 3, 2, 1, 2), (9, 3, 2, 2, 2)),
    // A group per channel.
    (2, [6, 6, 6], (7, 3, 1, 1, 1), (7, 3, 1, 1, 1)),
    (1, [3, 6, 3], (6, 1, 4, 0, 1), (13, 5, 4, 3, 1)),
    // Larger than the image without its padding, and a kernel that fits once.
    (2, [2, 3, 1], (2, 5, 1, 3, 1), (3, 5, 1, 2, 1)),
    (3, [2, 20, 1], (4, 4, 1, 0, 1), (5, 5, 1, 0, 1)),
    // More padding than kernel.
    (1, [2, 2, 1], (3, 2, 1, 4, 1), (3, 2, 2, 5, 1)),
    // A stride larger than the kernel, so that some pixels are in no window.
    (2, [2, 3, 1], (11, 2, 5, 0, 1), (12, 2, 5, 1, 1)),
    (1, [64, 10, 1], (1, 1, 1, 0, 1), (3, 1, 1, 0, 1)),
    (1, [2, 9, 1], (1, 1, 1, 0, 1), (70, 20, 1, 7, 1)),
];

fn geometries() -> Vec<Geometry> {
    let of = |&(batch, [channels, outputs, groups], rows, columns): &(_, [usize; 3], SideCase, SideCase)| {
        let side = |(size, kernel, stride, pad, dilation)| side(size, kernel, stride, pad, dilation);
        Geometry { batch, channels, outputs, groups, rows: side(rows), columns: side(columns) }
    };
    GEOMETRIES.iter().map(of).collect()
}

/// Each geometry in both passes; epilogues, activations and ADD take turns.
fn convolutions() -> Vec<Consts> {
    let endings = [
        (Epilogue::Plain, Activation::Identity, false),
        (Epilogue::Bias, Activation::Relu, false),
        (Epilogue::Derivative, Activation::Sigmoid, true),
        (Epilogue::Bias, Activation::LeakyRelu(0.1), false),
        (Epilogue::Derivative, Activation::Relu, false),
        (Epilogue::Plain, Activation::Identity, true),
        (Epilogue::Bias, Activation::Tanh, true),
    ];
    let geometries = geometries();
    let both = geometries.iter().flat_map(|geometry| [(geometry, false), (geometry, true)]);
    let of = |(at, (geometry, backward)): (usize, (&Geometry, bool))| {
        let (epilogue, activation, add) = endings[at % endings.len()];
        consts_of(geometry, backward, add, epilogue, activation)
    };
    both.enumerate().map(of).collect()
}

fn poolings() -> [Pooling; 7] {
    [
        (1, (1, 1, 1, 0), (1, 1, 1, 0)),
        (6, (8, 2, 2, 0), (8, 2, 2, 0)),
        // Pixels that don't fill a window are left out.
        (5, (7, 2, 2, 0), (9, 3, 3, 0)),
        // Windows that overlap, and reach into the padding.
        (3, (7, 3, 2, 1), (6, 3, 1, 1)),
        (65, (5, 5, 1, 0), (4, 4, 4, 0)),
        // Windows with gaps between them.
        (2, (9, 2, 3, 1), (70, 1, 4, 0)),
        (2, (3, 2, 2, 1), (4, 4, 1, 2)),
    ]
    .map(|(planes, rows, columns)| {
        let side = |(size, kernel, stride, pad)| side(size, kernel, stride, pad, 1);
        Pooling { planes, rows: side(rows), columns: side(columns) }
    })
}

fn ways_back() -> Vec<Consts> {
    let activations = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.01),
        Activation::Sigmoid,
        Activation::Tanh,
    ];
    let all = poolings().into_iter().enumerate();
    all.map(|(at, pooling)| backward(sizes(&pooling), activations[at % 5], at % 2 == 1)).collect()
}

/// An offset that each window may have chosen.
pub fn chosen(consts: &Consts, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let pooling = Pooling::of(consts);
    let choice = |y| {
        let places = pooling.places_of(y);
        places[rng.random_range(0..places.len())] as u32
    };
    (0..pooling.output()).map(choice).collect()
}

/// The sizes of a small network on images like MNIST's, and a larger one; the second stands first.
pub fn real_sizes(kernel: &Kernel) -> Vec<Consts> {
    let image = |size, kernel, pad| side(size, kernel, 1, pad, 1);
    let of = |channels, outputs, size| Geometry {
        batch: 128,
        channels,
        outputs,
        groups: 1,
        rows: image(size, 3, 1),
        columns: image(size, 3, 1),
    };
    let layers = [of(16, 32, 14), of(1, 16, 28), of(64, 64, 16)];
    let pool =
        |planes, size| Pooling { planes, rows: side(size, 2, 2, 0, 1), columns: side(size, 2, 2, 0, 1) };
    let pools = [pool(128 * 16, 28), pool(128 * 32, 14)];
    let all: Vec<Consts> = match kernel.name {
        "channel_sums" => [(16usize, 784usize), (32, 196)]
            .map(|(channels, plane)| {
                consts! { BATCH: 128usize, CHANNELS: channels, PLANE: plane, SLICE: 1_024usize }
            })
            .to_vec(),
        "max_pool" | "average_pool" => pools.iter().map(sizes).collect(),
        "max_pool_backward" | "average_pool_backward" => {
            pools.iter().map(|pooling| backward(sizes(pooling), Activation::Relu, false)).collect()
        }
        _ if kernel.is_a(Family::ConvWeights) => {
            layers.iter().map(|layer| weights_consts(layer, 2_048 / layer.columns.out)).collect()
        }
        _ => {
            let forward =
                layers.iter().map(|layer| consts_of(layer, false, false, Epilogue::Bias, Activation::Relu));
            let back = layers
                .iter()
                .map(|layer| consts_of(layer, true, false, Epilogue::Derivative, Activation::Relu));
            forward.chain(back).collect()
        }
    };
    all.into_iter().filter(|consts| (kernel.requires)(consts).is_ok()).collect()
}
