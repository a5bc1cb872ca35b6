//! Sizes of real training, and larger, which the benches time.

use super::{Case, gather_dense, gradients, images, norm, products, updates};
use crate::cpu::guard;
use crate::kernel::consts;
use crate::kernel::{Activation, Augmentation, Consts, Family, Kernel, Step};

/// The cases on which a kernel is timed.
pub fn bench_cases(kernel: &Kernel) -> Vec<Case> {
    let of = |consts: Consts| {
        let batch = consts.iter().find_map(|(name, _)| (name == "BATCH").then(|| consts.uint(name)));
        let samples = batch.unwrap_or(1) as u32;
        Case { step: Step { samples, learning_rate: 1e-3, momentum: 0.9, ..Step::default() }, consts }
    };
    consts_of(kernel).into_iter().filter(|consts| (kernel.requires)(consts).is_ok()).map(of).collect()
}

fn consts_of(kernel: &Kernel) -> Vec<Consts> {
    let (tanh, leak) = Activation::Tanh.consts();
    match kernel.name {
        "gather_batch" => {
            [(64, "none"), (128, "none"), (128, "shift 2, rotate 10, scale 0.1")].map(gather).to_vec()
        }
        "hot_cold" => vec![consts! { BATCH: 16usize, INPUTS: 64usize, OUTPUTS: 64usize }],
        "one_hot" => [64usize, 128].map(|batch| consts! { BATCH: batch, CLASSES: 10usize }).to_vec(),
        "activation" => vec![consts! { LENGTH: LARGE, ACTIVATION: tanh, LEAK: leak }],
        "activation_backward" => vec![consts! { LENGTH: LARGE, ACTIVATION: tanh, LEAK: leak, ADD: false }],
        "softmax" => TABLES.map(|(rows, columns)| consts! { ROWS: rows, COLUMNS: columns }).to_vec(),
        "softmax_backward" | "column_sums" => {
            TABLES.map(|(rows, columns)| consts! { ROWS: rows, COLUMNS: columns, ADD: false }).to_vec()
        }
        "softmax_loss" | "bce_loss" => {
            [64usize, 128].map(|batch| consts! { BATCH: batch, CLASSES: 10usize, SLOTS: 1usize, PITCH: batch, FIRST: 0usize }).to_vec()
        }
        "weighted_loss" => [64usize, 128]
            .map(|batch| {
                consts! {
                    BATCH: batch, CLASSES: 10usize, SLOTS: 1usize, PITCH: batch, FIRST: 0usize,
                    SMOOTHING: 0.1f32,
                }
            })
            .to_vec(),
        "squared_error" => [64usize, 128]
            .map(|batch| {
                consts! { BATCH: batch, CLASSES: 10usize, SLOTS: 1usize, PITCH: batch, FIRST: 0usize, FACTOR: 2.0f32, SCALE: 1.0f32 }
            })
            .to_vec(),
        "dense_softmax_loss_subgroup" => [(64, 128), (128, 256)]
            .map(|(batch, inputs)| super::dense_softmax_loss([batch, inputs, 10], Activation::Relu, 1))
            .to_vec(),
        "gradient_parts" => [101_824usize, 1_048_576]
            .map(|length| {
                consts! { LENGTH: length, PARTS: guard::parts(length) }
            })
            .to_vec(),
        "guard" => {
            let of = |parts: usize| {
                consts! { PARTS: parts, SLOTS: 1usize, BATCH: 64usize, ROWS_AT: 64usize, GATES: 3usize }
            };
            [64, 8_192].map(of).to_vec()
        }
        _ if kernel.is_a(Family::WeightGradient) => gradients::real_sizes(kernel),
        _ if gather_dense::has(kernel) => gather_dense::real_sizes(kernel),
        // 784-128-10, and about ten times that.
        name if norm::has(name) => norm::real_sizes(kernel),
        _ if images::has(kernel) => images::real_sizes(kernel),
        name if updates::is_update(name) => {
            [101_824, 1_048_576].map(|length| updates::consts(name, length).swap_remove(0)).to_vec()
        }
        name if products::has(kernel) => products::real_sizes(name),
        name => panic!("kernel {name} has no sizes for the bench; add them in src/verify/cases/real_size.rs"),
    }
}

/// A batch of 128 rows of 4,096 values.
const LARGE: usize = 128 * 4_096;

/// The bias gradients of small networks, and one large table.
const TABLES: [(usize, usize); 4] = [(64, 10), (64, 128), (128, 512), (1_024, 1_024)];

/// A batch of images of MNIST's size out of a thousand.
pub(super) fn gather((batch, changes): (usize, &str)) -> Consts {
    let mut consts = consts! {
        BATCH: batch, FIRST: 0usize, VALUES: 784usize, WORDS: 196usize, PLANE: 784usize, WIDTH: 28usize, CHANNELS: 1usize,
        SAMPLES: 1_000usize, CHUNK_FIRST: 0usize, CHUNK_LENGTH: 1_000usize,
    };
    let changes: Augmentation = changes.parse().expect("a case's changes are right");
    consts.extend(changes.consts());
    consts
}
