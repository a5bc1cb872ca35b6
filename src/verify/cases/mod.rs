//! Awkward shapes: one list of cases drives parity tests, `wgrad doctor` and the benches.

mod case;
mod check;
mod gather;
mod gather_dense;
mod gradients;
mod images;
mod norm;
mod products;
mod real;
mod real_size;
mod updates;

pub use case::Case;
pub use check::{KernelVerdict, MakeEngine, Problem, Wrong, check, ready, watch};
pub use real::{real, real_on};
pub use real_size::bench_cases;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::cpu::f16::to_f16;
use crate::engine::Data;
use crate::engine::adapter::Device;
use crate::kernel::consts;
use crate::kernel::rng::{Purpose, generator};
use crate::kernel::{Activation, Consts, Element, Epilogue, Family, Kernel, Step};
use crate::verify::diff::{self, Comparison};

/// The guard words around every view, which must not change.
const GUARD: u32 = 0x4b1d_c0de;

/// The poison in outputs before a run: a NaN that no arithmetic gives.
const POISON: u32 = 0x7fd1_50de;

/// Every case of a kernel.
pub fn cases(kernel: &Kernel) -> Vec<Case> {
    let plain = |consts| Case { consts, step: Step { samples: 1, ..Step::default() } };
    match kernel.name {
        "gather_batch" => gather::cases(),
        "one_hot" => [(1, 1), (64, 10), (7, 65)]
            .map(|(batch, classes)| plain(consts! { BATCH: batch as usize, CLASSES: classes as usize }))
            .to_vec(),
        "activation" => elementwise(false).into_iter().map(plain).collect(),
        "activation_backward" => elementwise(true).into_iter().map(plain).collect(),
        "softmax" => tables().map(|(rows, columns)| plain(consts! { ROWS: rows, COLUMNS: columns })).to_vec(),
        "softmax_backward" | "column_sums" => tables()
            .into_iter()
            .chain((kernel.name == "column_sums").then_some(LONG_TABLE))
            .flat_map(|(rows, columns)| {
                [false, true].map(|add| consts! { ROWS: rows, COLUMNS: columns, ADD: add })
            })
            .map(plain)
            .collect(),
        "softmax_loss" | "weighted_loss" | "bce_loss" | "squared_error" => losses(kernel.name),
        "dense_softmax_loss_subgroup" => dense_losses(),
        "gradient_parts" => norms(),
        "guard" => [(64, 1, 1, 0, 3), (128, 3, 70, 2, 12), (8_192, 2, 8, 1, 300)]
            .map(|(parts, slots, batch, slot, gates): (usize, usize, usize, u32, usize)| Case {
                consts: consts! { PARTS: parts, SLOTS: slots, BATCH: batch, ROWS_AT: 64usize, GATES: gates },
                step: Step { slot, samples: batch as u32, ..Step::default() },
            })
            .to_vec(),
        _ if kernel.is_a(Family::WeightGradient) => gradients::cases(kernel).into_iter().map(plain).collect(),
        _ if gather_dense::has(kernel) => gather_dense::cases(kernel),
        name if updates::is_update(name) => updates::cases(name),
        "hot_cold" => walks(),
        name if norm::has(name) => norm::cases(kernel),
        _ if images::has(kernel) => images::cases(kernel).into_iter().map(plain).collect(),
        name if products::has(kernel) => products::cases(name),
        name => panic!("kernel {name} has no cases; add them in src/verify/cases/mod.rs"),
    }
}

/// The cases that a kernel can run on a device, see [`Device::takes`].
pub fn cases_on(kernel: &Kernel, device: &Device) -> Vec<Case> {
    cases(kernel).into_iter().filter(|case| device.takes(kernel, &case.consts)).collect()
}

fn tables() -> [(usize, usize); 6] {
    [(1, 1), (7, 10), (64, 10), (65, 3), (2, 1_757), (130, 129)]
}

/// More rows than some drivers let a loop run: Mesa before 25 ends one silently after 65,535 rounds.
const LONG_TABLE: (usize, usize) = (70_000, 3);

fn elementwise(backward: bool) -> Vec<Consts> {
    let mut all = Vec::new();
    for kind in [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.01),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Gelu,
        Activation::Silu,
    ] {
        let (kind, leak) = kind.consts();
        for length in [1usize, 64, 1_757] {
            if backward {
                all.extend([false, true].map(|add| {
                    consts! { LENGTH: length, ACTIVATION: kind, LEAK: leak, ADD: add }
                }))
            } else {
                all.push(consts! { LENGTH: length, ACTIVATION: kind, LEAK: leak })
            }
        }
    }
    all
}

fn losses(name: &str) -> Vec<Case> {
    let mut all = Vec::new();
    for (batch, classes, slots, slot, samples) in [
        (1, 1, 1, 0, 1),
        (7, 10, 1, 0, 7),
        (64, 10, 3, 2, 107),
        (65, 3, 2, 1, 123),
        (3, 1_757, 1, 0, 2),
        (130, 2, 1, 0, 1),
    ] {
        let [batch, classes, slots] = [batch, classes, slots].map(|size: u32| size as usize);
        let step = Step { slot, samples, ..Step::default() };
        // In the larger cases a step has rows in front of these, and one behind.
        let (pitch, first) = if slots == 1 { (batch, 0) } else { (2 * batch + 1, batch - 7) };
        if name == "weighted_loss" {
            for smoothing in [0.0f32, 0.1] {
                let consts = consts! {
                    BATCH: batch, CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first,
                    SMOOTHING: smoothing,
                };
                all.push(Case { consts, step });
            }
            continue;
        }
        if name != "squared_error" {
            all.push(Case {
                consts: consts! { BATCH: batch, CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first },
                step,
            });
            continue;
        }
        for (factor, scale) in [(1.0f32, 1.0f32), (2.0, 1.0), (2.0, 1.0 / classes as f32)] {
            let consts = consts! {
                BATCH: batch, CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first,
                FACTOR: factor, SCALE: scale,
            };
            all.push(Case { consts, step });
        }
    }
    all
}

/// Last layers with their loss, around the borders of workgroups and of a step's rows.
fn dense_losses() -> Vec<Case> {
    [
        (1, 4, 2, Activation::Identity, 1, 0, 1),
        (64, 128, 10, Activation::Relu, 3, 2, 107),
        (7, 12, 32, Activation::Tanh, 1, 0, 5),
        (130, 64, 3, Activation::LeakyRelu(0.25), 1, 0, 130),
        (9, 8, 9, Activation::Sigmoid, 2, 1, 9),
        (67, 132, 17, Activation::Relu, 1, 0, 67),
    ]
    .map(|(batch, inputs, classes, activation, slots, slot, samples)| {
        let consts = dense_softmax_loss([batch, inputs, classes], activation, slots);
        Case { consts, step: Step { slot, samples, ..Step::default() } }
    })
    .to_vec()
}

/// With several slots, a step has rows in front of these, and one behind.
fn dense_softmax_loss([batch, inputs, classes]: [usize; 3], activation: Activation, slots: usize) -> Consts {
    let (pitch, first) = if slots == 1 { (batch, 0) } else { (2 * batch + 1, batch - 7) };
    let (kind, leak) = activation.consts();
    consts! {
        BATCH: batch, INPUTS: inputs, CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first,
        ACTIVATION: kind, LEAK: leak,
    }
}

/// Short sums and large steps, so that f32 can tell most errors apart.
fn walks() -> Vec<Case> {
    [(1, 1, 1, 0.001), (1, 3, 1, 0.25), (5, 7, 9, 0.25), (1, 65, 3, 0.5), (64, 8, 65, 0.125)]
        .map(|(batch, inputs, outputs, step): (usize, usize, usize, f32)| Case {
            consts: consts! { BATCH: batch, INPUTS: inputs, OUTPUTS: outputs },
            step: Step { learning_rate: step, ..Step::default() },
        })
        .to_vec()
}

fn norms() -> Vec<Case> {
    // (words, parts); the last sums are long.
    [(64, 64), (1_792, 64), (100_032, 1_600), (1 << 20, 64)]
        .map(|(length, parts): (usize, usize)| Case {
            consts: consts! { LENGTH: length, PARTS: parts },
            step: Step::default(),
        })
        .to_vec()
}

/// The content of one binding before the kernel runs.
fn content(
    kernel: &Kernel,
    case: &Case,
    binding: usize,
    len: usize,
    numbers: Numbers,
    rng: &mut ChaCha8Rng,
) -> Data {
    let bind = &kernel.binds[binding];
    if !bind.access.reads(&case.consts) {
        // Poison: an element that the kernel doesn't write stays NaN.
        return match bind.element {
            Element::Real => Data::Real(vec![f32::from_bits(POISON); len]),
            Element::Uint => Data::Uint(vec![GUARD; len]),
        };
    }
    match (bind.element, bind.name) {
        // Numbers of steps, which are whole.
        (Element::Real, "positions") => {
            Data::Real((0..len).map(|_| rng.random_range(-3i8..=3).into()).collect())
        }
        // Sums of squares and norms are not negative.
        (Element::Real, "squares" | "sums" | "norm") => {
            Data::Real((0..len).map(|_| numbers.draw(rng).abs()).collect())
        }
        (Element::Real, "variance") => Data::Real((0..len).map(|_| numbers.draw(rng).abs()).collect()),
        // Seldom 1, and none in the case of the fewest parts.
        (Element::Uint, "non_finite") => {
            Data::Uint((0..len).map(|at| u32::from(at > 64 && rng.random_range(0..100) == 0)).collect())
        }
        (Element::Real, _) => Data::Real((0..len).map(|_| numbers.draw(rng)).collect()),
        (Element::Uint, "order") => {
            let mut order: Vec<u32> = (0..len as u32).collect();
            order.shuffle(rng);
            Data::Uint(order)
        }
        (Element::Uint, "labels") => {
            let classes = case.consts.iter().find(|(name, _)| *name == "CLASSES");
            let below = classes.map_or(10, |_| case.consts.uint("CLASSES").max(2) as u32);
            // Softmax over one class has one label.
            let below =
                if kernel.name == "softmax_loss" && case.consts.uint("CLASSES") == 1 { 1 } else { below };
            Data::Uint((0..len).map(|_| rng.random_range(0..below)).collect())
        }
        (Element::Uint, "a" | "b") => {
            let mut two = || u32::from(to_f16(numbers.draw(rng)));
            Data::Uint((0..len).map(|_| two() | two() << 16).collect())
        }
        (Element::Uint, "chosen") => Data::Uint(images::chosen(&case.consts, rng)),
        (Element::Uint, _) => Data::Uint((0..len).map(|_| rng.next_u32()).collect()),
    }
}

/// The numbers in the inputs of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Mostly small, some zeros, and outliers that show errors in softmax and long sums; exp of some overflows.
    Awkward,
    /// Small whole numbers, whose sums of products are exact in f32, so that one lost term is seen.
    Whole,
}

impl Numbers {
    fn draw(self, rng: &mut ChaCha8Rng) -> f32 {
        match (self, rng.random_range(0..40)) {
            (Numbers::Whole, _) => rng.random_range(-3i8..=3).into(),
            (Numbers::Awkward, 0 | 1) => 0.0,
            (Numbers::Awkward, 2) => rng.random_range(-20.0..20.0),
            (Numbers::Awkward, 3) => rng.random_range(-200.0..200.0),
            (Numbers::Awkward, _) => rng.random_range(-1.0..1.0),
        }
    }

    /// Whether a case computes nothing but sums of products.
    fn suit(self, kernel: &Kernel, case: &Case) -> bool {
        let plain = || {
            !kernel.consts.contains(&"EPILOGUE") || case.consts.uint("EPILOGUE") == Epilogue::Plain as usize
        };
        let sums = ["column_sums", "channel_sums"].contains(&kernel.name)
            || products::multiplies(kernel)
            || kernel.is_a(Family::Conv)
            || kernel.is_a(Family::ConvWeights);
        // These also add up squares, which must stay below 2²⁴.
        let short = kernel.is_a(Family::WeightGradient) && case.consts.uint("BATCH") <= 8;
        self == Numbers::Awkward || short || (sums && plain()) || gather_dense::exact(kernel, case)
    }

    /// The first wrong element; with whole numbers, the worst that isn't equal.
    fn wrong(self, comparison: &Comparison) -> Option<diff::ComparedElement> {
        match self {
            Numbers::Awkward => comparison.first.clone(),
            Numbers::Whole => comparison.at.clone().filter(|_| comparison.worst != 0.0),
        }
    }
}

/// The content of every binding before the kernel runs its case number `at`.
pub fn contents(kernel: &Kernel, at: usize, case: &Case, numbers: Numbers) -> Vec<Data> {
    let mut rng = generator(1, Purpose::Cases, at as u64);
    let lens = (kernel.lens)(&case.consts).into_iter().enumerate();
    lens.map(|(binding, len)| content(kernel, case, binding, len, numbers, &mut rng)).collect()
}
