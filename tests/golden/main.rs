//! Numbers that another implementation computed: PyTorch, by `golden.py`.
//!
//! The twins check the shaders and differences check the derivatives, but both
//! would agree on a wrong idea of what a layer, a loss or a step of SGD is.
//! Needs no adapter.

mod augment;
#[path = "../common/dispatches.rs"]
mod dispatches;
mod layers;
mod optimisers;
#[path = "../common/small.rs"]
mod small;
mod values;

use dispatches::{first_with, in_arena};
use safetensors::SafeTensors;
use small::Small;
use wgrad::internals::data::Normaliser;
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Access, Real, Slice, Step};
use wgrad::internals::network::Network;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, PREDICT, Part, TRAIN, Training};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::params::Arena;
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Dispatch, Program, View};
use wgrad::internals::table::GATHER_BATCH;
use wgrad::internals::train::run::model::Model;

const SHAPE: Shape = Shape::image(2, 1, 2);
const INPUTS: usize = 4;
const CLASSES: usize = 4;
/// Samples in a batch, and in all: the last batch has a single one.
const BATCH: usize = 3;
const SAMPLES: usize = 7;

/// `deep` and `late` of `golden.py`.
const DEEP: &str = "dense 3, leaky-relu 0.125, dense 2, sigmoid, dense 4";
const LATE: &str = "flatten, dense 3, relu, dense 4, tanh, softmax";

/// One tensor of a `state_dict`, its values row by row.
struct Tensor {
    name: &'static str,
    shape: &'static [usize],
    rows: &'static [&'static [f64]],
}

/// A precision to compute in.
trait Precise: Real {
    /// Relative error allowed: that of a few hundred operations, with room to spare.
    const TOLERANCE: f64;
    fn open(program: Program) -> CpuEngine<Self>;
}

impl Precise for f64 {
    const TOLERANCE: f64 = 1e-9;
    fn open(program: Program) -> CpuEngine<f64> {
        CpuEngine::oracle(program).unwrap()
    }
}

impl Precise for f32 {
    const TOLERANCE: f64 = 1e-5;
    fn open(program: Program) -> CpuEngine<f32> {
        CpuEngine::plain(program).unwrap()
    }
}

fn numbers<T: Real>(engine: &CpuEngine<T>, view: View) -> Vec<f64> {
    match engine.look(view) {
        Slice::Real(values) => values.iter().map(|value| value.f64()).collect(),
        Slice::Uint(_) => panic!("{view:?} holds integers"),
    }
}

fn assert_golden<T: Precise>(what: &str, ours: &[f64], golden: &[f64]) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (at, (ours, golden)) in ours.iter().zip(golden).enumerate() {
        let difference = (ours - golden).abs();
        assert!(
            difference <= T::TOLERANCE * golden.abs(),
            "{what}[{at}] is {ours:e}, PyTorch says {golden:e}"
        );
    }
}

/// `fractions` of `golden.py`.
fn fractions(count: usize, factor: usize, offset: usize, modulus: usize, divisor: f32) -> Vec<f32> {
    (0..count)
        .map(|at| (((at * factor + offset) % modulus) as f32 - (modulus / 2) as f32) / divisor)
        .collect()
}

/// `with_weights` of `golden.py`.
fn weights(lowered: &Lowered) -> Vec<f32> {
    let mut values = vec![0.0; lowered.arena.len()];
    for (param, offset) in lowered.arena.params.iter().zip([3, 17, 40, 51, 8, 29]) {
        let weights = fractions(param.len(), 29, offset, 61, 32.0);
        values[param.start..][..param.len()].copy_from_slice(&weights);
    }
    values
}

fn small(network: &str, loss: Loss) -> Small {
    Small {
        shape: SHAPE,
        classes: CLASSES,
        batch: BATCH,
        parts: vec![Part { name: TRAIN, samples: SAMPLES }],
        ..Small::new(network, loss)
    }
}

/// Compares an arena with a `state_dict`: names, shapes, order and values.
fn assert_state<T: Precise>(what: &str, arena: &Arena, ours: &[f64], golden: &[Tensor]) {
    assert_eq!(arena.params.len(), golden.len(), "{what}");
    for (param, tensor) in arena.params.iter().zip(golden) {
        assert_eq!((param.name.as_str(), param.shape.as_slice()), (tensor.name, tensor.shape), "{what}");
        let what = format!("{what}, {}", param.name);
        assert_golden::<T>(&what, &ours[param.start..][..param.len()], &tensor.rows.concat());
    }
}

fn forward<T: Precise>() {
    for (network, golden) in [
        ("dense 4", values::DENSE),
        ("dense 4, relu", values::RELU),
        ("dense 4, leaky-relu 0.125", values::LEAKY_RELU),
        ("dense 4, sigmoid", values::SIGMOID),
        ("dense 4, tanh", values::TANH),
        ("dense 4, softmax", values::SOFTMAX),
        (DEEP, values::DEEP),
        (LATE, values::LATE),
    ] {
        for rewrites in [Rewrites::NONE, Rewrites::ALL] {
            let lowered = Small { rewrites, ..small(network, Loss::Mse) }.lower().unwrap();
            let mut engine = T::open(lowered.program.clone());
            let x = fractions(BATCH * INPUTS, 37, 5, 64, 16.0);
            engine.write(lowered.input, Slice::Real(&x)).unwrap();
            engine.write(lowered.parameters, Slice::Real(&weights(&lowered))).unwrap();
            engine.run(lowered.program.section(PREDICT), &Step::default());
            assert_golden::<T>(network, &numbers(&engine, lowered.output), &golden.concat());
        }
    }
}

/// PyTorch's results of a loss: values, gradient and whether rows are correct.
struct Golden {
    values: &'static [f64],
    gradient: Vec<f64>,
    correct: &'static [f64],
}

/// A loss as lowering records it, on logits put in place of a network's outputs.
fn check_loss<T: Precise>(small: &Small, logits: &[f32], labels: &[u32], golden: &Golden) {
    let lowered = small.lower().unwrap();
    let mut engine = T::open(lowered.program.clone());
    // The train section comes first.
    let find = |is: &dyn Fn(&Dispatch) -> bool| lowered.program.steps.iter().position(is).unwrap();
    let gather = find(&|dispatch| dispatch.kernel.name == GATHER_BATCH.name);
    let weights = in_arena(lowered.parameters, &lowered, "0.weight");
    let sums = first_with(&lowered, Access::Read, weights);
    // Losses alone write metrics.
    let last = find(&|dispatch| dispatch.kernel.binds.iter().any(|bind| bind.name == "metrics"));
    let args = &lowered.program.steps[last].args;
    engine.write(lowered.program.steps[gather].args[5], Slice::Uint(labels)).unwrap();
    engine.write(args[0], Slice::Real(logits)).unwrap();
    let given = &small.training.class_weights;
    if let Some(view) = lowered.class_weights {
        let even = vec![1.0; CLASSES];
        engine.write(view, Slice::Real(if given.is_empty() { &even } else { given })).unwrap();
    }
    engine.run(sums + 1..last + 1, &Step { samples: labels.len() as u32, ..Step::default() });

    let what = format!("{} of “{}”", small.loss, small.network);
    let metrics = numbers(&engine, lowered.metrics(1));
    let column = |at| metrics.iter().copied().skip(at).step_by(2).collect::<Vec<f64>>();
    assert_golden::<T>(&what, &column(0), golden.values);
    assert_eq!(column(1), golden.correct, "correct, {what}");
    // Documented: the gradient of squared-error leaves out the 2.
    let factor = if small.loss == Loss::SquaredError { 2.0 } else { 1.0 };
    // In front of the metrics, which are the last binding.
    let dlogits = args[args.len() - 2];
    let gradient: Vec<f64> = numbers(&engine, dlogits).iter().map(|value| factor * value).collect();
    assert_golden::<T>(&format!("gradient, {what}"), &gradient, &golden.gradient);
}

fn losses<T: Precise>() {
    let mut logits = fractions(BATCH * CLASSES, 23, 2, 41, 8.0);
    (logits[6], logits[8]) = (40.0, -30.0);
    for (loss, values, gradient) in [
        (Loss::CrossEntropy, values::CROSS_ENTROPY, values::CROSS_ENTROPY_GRADIENT),
        (Loss::Bce, values::BCE, values::BCE_GRADIENT),
        (Loss::Mse, values::MSE, values::MSE_GRADIENT),
        (Loss::SquaredError, values::SQUARED_ERROR, values::SQUARED_ERROR_GRADIENT),
    ] {
        let golden = Golden { values, gradient: gradient.concat(), correct: values::CORRECT };
        check_loss::<T>(&small("dense 4", loss), &logits, &[3, 1, 0], &golden);
    }
    let (even, weights) = (Vec::new(), vec![0.5, 2.0, 1.0, 0.75]);
    for (label_smoothing, class_weights, values, gradient) in [
        (0.125, even, values::SMOOTHED, values::SMOOTHED_GRADIENT),
        (0.0, weights.clone(), values::WEIGHTED, values::WEIGHTED_GRADIENT),
        (0.125, weights, values::BOTH, values::BOTH_GRADIENT),
    ] {
        let training = Training { label_smoothing, class_weights, ..Training::default() };
        let small = Small { training, ..small("dense 4", Loss::CrossEntropy) };
        let golden = Golden { values, gradient: gradient.concat(), correct: values::CORRECT };
        check_loss::<T>(&small, &logits, &[3, 1, 0], &golden);
    }
    let bce = (values::ONE_BCE, values::ONE_BCE_GRADIENT, values::ONE_BCE_CORRECT);
    let mse = (values::ONE_MSE, values::ONE_MSE_GRADIENT, values::ONE_MSE_CORRECT);
    // With a single output the mean and the sum are equal.
    for (loss, (values, gradient, correct)) in [(Loss::Bce, bce), (Loss::Mse, mse), (Loss::SquaredError, mse)]
    {
        let one = Small { classes: 2, ..small("dense 1", loss) };
        let golden = Golden { values, gradient: gradient.to_vec(), correct };
        check_loss::<T>(&one, &[0.75, 0.25, -1.5], &[1, 0, 1], &golden);
    }
}

fn gradients<T: Precise>() {
    for (network, loss, samples, golden, norm) in [
        (DEEP, Loss::CrossEntropy, 3, values::DEEP_CROSS_ENTROPY_GRADIENTS, values::DEEP_CROSS_ENTROPY_NORM),
        (DEEP, Loss::Bce, 3, values::DEEP_BCE_GRADIENTS, values::DEEP_BCE_NORM),
        (LATE, Loss::Mse, 2, values::LATE_MSE_GRADIENTS, values::LATE_MSE_NORM),
    ] {
        for rewrites in [Rewrites::NONE, Rewrites::ALL] {
            let small = Small { rewrites, ..small(network, loss) };
            let lowered = small.lower().unwrap();
            let mut engine = T::open(lowered.program.clone());
            small.fill(&lowered, &weights(&lowered), &mut engine);
            engine.run(lowered.program.section(TRAIN), &Step { samples, ..Step::default() });
            let what = format!("{loss} gradient of “{network}”");
            assert_state::<T>(&what, &lowered.arena, &numbers(&engine, lowered.gradients), golden);
            assert_golden::<T>(&format!("norm of the {what}"), &numbers(&engine, lowered.norm), norm);
        }
    }
}

fn training<T: Precise>() {
    for (momentum, losses, state) in [
        (0.0, values::PLAIN_LOSSES, values::PLAIN_STATE),
        (0.875, values::MOMENTUM_LOSSES, values::MOMENTUM_STATE),
    ] {
        for rewrites in [Rewrites::NONE, Rewrites::ALL] {
            let training = Training::with(Optimiser::sgd(momentum));
            let small = Small { rewrites, training, ..small(DEEP, Loss::CrossEntropy) };
            let lowered = small.lower().unwrap();
            let mut engine = T::open(lowered.program.clone());
            small.fill(&lowered, &weights(&lowered), &mut engine);
            let mut means = Vec::new();
            for index in 0..10 {
                let first = index % SAMPLES.div_ceil(BATCH) * BATCH;
                let samples = BATCH.min(SAMPLES - first);
                let step = Step {
                    slot: index as u32,
                    first: first as u32,
                    samples: samples as u32,
                    index: index as u32,
                    learning_rate: 0.125,
                    momentum,
                    ..Step::default()
                };
                engine.run(lowered.program.section(TRAIN), &step);
                let metrics = numbers(&engine, lowered.metrics(index + 1));
                let losses = metrics[index * BATCH * 2..].iter().step_by(2).take(samples);
                means.push(losses.sum::<f64>() / samples as f64);
            }
            let what = format!("after ten steps with momentum {momentum}");
            assert_golden::<T>(&format!("losses {what}"), &means, losses);
            assert_state::<T>(&what, &lowered.arena, &numbers(&engine, lowered.parameters), state);
        }
    }
}

#[test]
fn forward_in_f64_is_what_pytorch_computes() {
    forward::<f64>();
}

#[test]
fn forward_in_f32_is_what_pytorch_computes() {
    forward::<f32>();
}

#[test]
fn losses_and_their_gradients_in_f64_are_what_pytorch_computes() {
    losses::<f64>();
}

#[test]
fn losses_and_their_gradients_in_f32_are_what_pytorch_computes() {
    losses::<f32>();
}

#[test]
fn gradients_of_networks_in_f64_are_what_pytorch_computes() {
    gradients::<f64>();
}

#[test]
fn gradients_of_networks_in_f32_are_what_pytorch_computes() {
    gradients::<f32>();
}

#[test]
fn ten_steps_in_f64_are_what_pytorch_computes() {
    training::<f64>();
}

#[test]
fn ten_steps_in_f32_are_what_pytorch_computes() {
    training::<f32>();
}

#[test]
fn a_leaky_relu_without_a_slope_has_that_of_pytorch() {
    let with_slope = format!("leaky-relu {}", values::LEAK);
    assert_eq!("leaky-relu".parse::<Network>().unwrap(), with_slope.parse().unwrap());
}

#[test]
fn a_saved_model_holds_the_state_dict() {
    for (network, state) in [(DEEP, values::MOMENTUM_STATE), (LATE, values::LATE_MSE_GRADIENTS)] {
        let lowered = small(network, Loss::Mse).lower().unwrap();
        let mut parameters = vec![0.0; lowered.arena.len()];
        for (param, tensor) in lowered.arena.params.iter().zip(state) {
            let values = tensor.rows.concat();
            let places = &mut parameters[param.start..][..param.len()];
            places.iter_mut().zip(values).for_each(|(place, value)| *place = value as f32);
        }
        let model = Model {
            network: network.parse().unwrap(),
            loss: Loss::Mse,
            shape: SHAPE,
            classes: (0..CLASSES).map(|class| class.to_string()).collect(),
            normaliser: Normaliser { mean: vec![0.0; 2], std: vec![1.0; 2] },
            rendering: Default::default(),
            tones: None,
            parameters,
            data: "made up".to_owned(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        model.save(&path).unwrap();

        let bytes = std::fs::read(path).unwrap();
        let saved = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(saved.len(), state.len(), "{network}");
        for tensor in state {
            let found = saved.tensor(tensor.name).unwrap();
            assert_eq!(found.shape(), tensor.shape, "{}", tensor.name);
            let values = tensor.rows.concat();
            let bytes: Vec<u8> = values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect();
            assert_eq!(found.data(), bytes, "{}", tensor.name);
        }
    }
}
