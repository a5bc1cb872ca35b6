//! Numbers that another implementation computed: JAX and Optax, by `golden.py`.
//!
//! The twins check the shaders and differences check the derivatives, but both
//! would agree on a wrong idea of what a layer, a loss or a step of SGD is.
//! Needs no adapter.

#[path = "../common/small.rs"]
mod small;
#[rustfmt::skip]
mod values;

use std::ops::Range;

use small::Small;
use wgrad::data::ImageShape;
use wgrad::engine::Engine;
use wgrad::engine::cpu::CpuEngine;
use wgrad::kernel::{Real, Slice, Step};
use wgrad::loss::Loss;
use wgrad::lower::{Lowered, PREDICT, Part, TRAIN};
use wgrad::program::{Program, View};

const CLASSES: usize = 4;
const INPUTS: usize = 6;

/// An engine in one precision, as these tests need it.
trait Precise: Engine {
    /// Relative error allowed: that of a few dozen operations, with room to spare.
    const TOLERANCE: f64;
    fn open(program: Program) -> Self;
    fn run_once(&mut self, steps: Range<usize>, step: &Step);
    fn numbers_of(&self, view: View) -> Vec<f64>;
}

impl Precise for CpuEngine<f64> {
    const TOLERANCE: f64 = 1e-9;
    fn open(program: Program) -> Self {
        CpuEngine::oracle(program).unwrap()
    }
    fn run_once(&mut self, steps: Range<usize>, step: &Step) {
        self.run(steps, step);
    }
    fn numbers_of(&self, view: View) -> Vec<f64> {
        numbers(self, view)
    }
}

impl Precise for CpuEngine<f32> {
    const TOLERANCE: f64 = 1e-5;
    fn open(program: Program) -> Self {
        CpuEngine::plain(program).unwrap()
    }
    fn run_once(&mut self, steps: Range<usize>, step: &Step) {
        self.run(steps, step);
    }
    fn numbers_of(&self, view: View) -> Vec<f64> {
        numbers(self, view)
    }
}

fn numbers<T: Real>(engine: &CpuEngine<T>, view: View) -> Vec<f64> {
    match engine.look(view) {
        Slice::Real(values) => values.iter().map(|value| value.f64()).collect(),
        Slice::Uint(_) => panic!("{view:?} holds integers"),
    }
}

fn assert_golden<E: Precise>(what: &str, ours: &[f64], golden: &[f64]) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (at, (ours, golden)) in ours.iter().zip(golden).enumerate() {
        let difference = (ours - golden).abs();
        assert!(difference <= E::TOLERANCE * golden.abs(), "{what}[{at}] is {ours:e}, JAX says {golden:e}");
    }
}

/// `fractions` of `golden.py`.
fn fractions(count: usize, factor: usize, offset: usize, modulus: usize, divisor: f32) -> Vec<f32> {
    (0..count)
        .map(|at| (((at * factor + offset) % modulus) as f32 - (modulus / 2) as f32) / divisor)
        .collect()
}

/// `weights` of `golden.py`, for one parameter after the other.
fn weights(lowered: &Lowered, offsets: &[usize]) -> Vec<f32> {
    let mut values = vec![0.0; lowered.arena.len()];
    assert_eq!(lowered.arena.params.len(), offsets.len());
    for (param, offset) in lowered.arena.params.iter().zip(offsets) {
        let weights = fractions(param.len(), 29, *offset, 61, 32.0);
        values[param.start..][..param.len()].copy_from_slice(&weights);
    }
    values
}

fn small(network: &str, loss: Loss, batch: usize, samples: usize) -> Small {
    Small {
        shape: ImageShape { channels: 1, height: 2, width: INPUTS / 2 },
        classes: CLASSES,
        batch,
        parts: vec![Part { name: TRAIN, samples }],
        ..Small::new(network, loss)
    }
}

fn forward<E: Precise>() {
    for (activation, golden) in [
        ("", values::DENSE),
        (", relu", values::RELU),
        (", leaky-relu 0.125", values::LEAKY_RELU),
        (", sigmoid", values::SIGMOID),
        (", tanh", values::TANH),
        (", softmax", values::SOFTMAX),
    ] {
        for fuse in [false, true] {
            let network = format!("dense {CLASSES}{activation}");
            let lowered = Small { fuse, ..small(&network, Loss::Mse, 3, 3) }.lower().unwrap();
            let mut engine = E::open(lowered.program.clone());
            let x = fractions(3 * INPUTS, 37, 5, 64, 16.0);
            engine.write(lowered.input, Slice::Real(&x)).unwrap();
            let weights = weights(&lowered, &[3, 17]);
            engine.write(lowered.parameters, Slice::Real(&weights)).unwrap();
            engine.run_once(lowered.program.section(PREDICT), &Step::default());
            assert_golden::<E>(&network, &engine.numbers_of(lowered.output), golden);
        }
    }
}

/// What JAX makes of a loss: values, gradient and hits.
struct Golden {
    values: &'static [f64],
    gradient: &'static [f64],
    hits: &'static [f64],
}

/// A loss as lowering records it, on logits put in place of a network's outputs.
fn check_loss<E: Precise>(small: &Small, logits: &[f32], labels: &[u32], golden: &Golden) {
    let lowered = small.lower().unwrap();
    let mut engine = E::open(lowered.program.clone());
    // The train section comes first.
    let find = |label: &str| {
        lowered.program.steps.iter().position(|dispatch| dispatch.label.ends_with(label)).unwrap()
    };
    let (gather, sums, last) = (find("pick samples"), find("weighted sums"), find("loss and its gradient"));
    let args = &lowered.program.steps[last].args;
    engine.write(lowered.program.steps[gather].args[5], Slice::Uint(labels)).unwrap();
    engine.write(args[0], Slice::Real(logits)).unwrap();
    engine.run_once(sums + 1..last + 1, &Step { samples: labels.len() as u32, ..Step::default() });

    let what = format!("{} of “{}”", small.loss, small.network);
    let metrics = engine.numbers_of(lowered.metrics(1));
    let column = |at| metrics.iter().copied().skip(at).step_by(2).collect::<Vec<f64>>();
    assert_golden::<E>(&what, &column(0), golden.values);
    assert_eq!(column(1), golden.hits, "hits, {what}");
    // Documented: the gradient of squared-error leaves out the 2.
    let factor = if small.loss == Loss::SquaredError { 2.0 } else { 1.0 };
    let gradient: Vec<f64> = engine.numbers_of(args[2]).iter().map(|value| factor * value).collect();
    assert_golden::<E>(&format!("gradient, {what}"), &gradient, golden.gradient);
}

fn losses<E: Precise>() {
    let mut logits = fractions(3 * CLASSES, 23, 2, 41, 8.0);
    (logits[6], logits[8]) = (40.0, -30.0);
    for (loss, values, gradient) in [
        (Loss::CrossEntropy, values::CROSS_ENTROPY, values::CROSS_ENTROPY_GRADIENT),
        (Loss::Bce, values::BCE, values::BCE_GRADIENT),
        (Loss::Mse, values::MSE, values::MSE_GRADIENT),
        (Loss::SquaredError, values::SQUARED_ERROR, values::SQUARED_ERROR_GRADIENT),
    ] {
        let golden = Golden { values, gradient, hits: values::HITS };
        check_loss::<E>(&small("dense 4", loss, 3, 3), &logits, &[3, 1, 0], &golden);
    }
    let bce = (values::ONE_BCE, values::ONE_BCE_GRADIENT, values::ONE_BCE_HITS);
    let mse = (values::ONE_MSE, values::ONE_MSE_GRADIENT, values::ONE_MSE_HITS);
    // Of a single output the mean and the sum are one.
    for (loss, (values, gradient, hits)) in [(Loss::Bce, bce), (Loss::Mse, mse), (Loss::SquaredError, mse)] {
        let one = Small { classes: 2, ..small("dense 1", loss, 3, 3) };
        check_loss::<E>(&one, &[0.75, 0.25, -1.5], &[1, 0, 1], &Golden { values, gradient, hits });
    }
}

fn training<E: Precise>() {
    for fuse in [false, true] {
        let small = Small { fuse, ..small("dense 5, tanh, dense 4", Loss::CrossEntropy, 2, 6) };
        let lowered = small.lower().unwrap();
        let mut engine = E::open(lowered.program.clone());
        small.fill(&lowered, &weights(&lowered, &[3, 17, 40, 51]), &mut engine);
        let goldens = [values::AFTER_STEP_1, values::AFTER_STEP_2, values::AFTER_STEP_3];
        for (index, golden) in (0u32..).zip(goldens) {
            let step = Step {
                slot: index,
                first: 2 * index,
                samples: 2,
                index,
                learning_rate: 0.125,
                momentum: 0.875,
                ..Step::default()
            };
            engine.run_once(lowered.program.section(TRAIN), &step);
            let arena = engine.numbers_of(lowered.parameters);
            let params = lowered.arena.params.iter();
            let ours: Vec<f64> =
                params.flat_map(|param| &arena[param.start..][..param.len()]).copied().collect();
            assert_golden::<E>(&format!("weights after step {}", index + 1), &ours, golden);
        }
    }
}

#[test]
fn forward_in_f64_is_what_jax_computes() {
    forward::<CpuEngine<f64>>();
}

#[test]
fn forward_in_f32_is_what_jax_computes() {
    forward::<CpuEngine<f32>>();
}

#[test]
fn losses_and_their_gradients_in_f64_are_what_jax_computes() {
    losses::<CpuEngine<f64>>();
}

#[test]
fn losses_and_their_gradients_in_f32_are_what_jax_computes() {
    losses::<CpuEngine<f32>>();
}

#[test]
fn training_in_f64_is_what_optax_computes() {
    training::<CpuEngine<f64>>();
}

#[test]
fn training_in_f32_is_what_optax_computes() {
    training::<CpuEngine<f32>>();
}
