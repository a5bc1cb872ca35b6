//! Networks on images against PyTorch, by `layers.py`: predictions, then a step's
//! loss, gradients and running statistics. In f64: how near f32 is, parity says.

#[path = "layers_values.rs"]
#[rustfmt::skip]
mod values;

use wgrad::internals::engine::Engine;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, PREDICT, Part, TRAIN};
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::program::shape::Shape;

use super::small::Small;
use super::{fractions, numbers};

/// One tensor of a `state_dict`: its gradient or, where it has none, its value after the step.
struct Tensor {
    name: &'static str,
    shape: &'static [usize],
    values: &'static [f64],
}

/// The tolerance relative to the largest value: sums of a few hundred terms in another order.
const TOLERANCE: f64 = 1e-12;

fn assert_golden(what: &str, ours: &[f64], golden: &[f64]) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    let largest = golden.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    for (at, (ours, golden)) in ours.iter().zip(golden).enumerate() {
        let near = (ours - golden).abs() <= TOLERANCE * largest + 1e-15;
        assert!(near, "{what}[{at}] is {ours:e}, PyTorch says {golden:e}");
    }
}

/// The weights of `layers.py`; running statistics begin as PyTorch's do.
fn weights(lowered: &Lowered) -> Vec<f32> {
    let mut values = lowered.arena.initial_values(0);
    let learned = lowered.arena.params.iter().filter(|param| param.learned);
    for (at, param) in learned.enumerate() {
        let numbers = fractions(param.len(), 29, 3 + 14 * at, 61, 64.0);
        values[param.start..][..param.len()].copy_from_slice(&numbers);
    }
    values
}

fn check(network: &str, predictions: &[f64], loss: &[f64], state: &[Tensor]) {
    for rewrites in [Rewrites::NONE, Rewrites::ALL] {
        let small = Small {
            shape: Shape::image(2, 5, 6),
            classes: 4,
            batch: 3,
            parts: vec![Part { name: TRAIN, samples: 3 }],
            shared: false,
            rewrites,
            ..Small::new(network, Loss::CrossEntropy)
        };
        let lowered = small.lower().unwrap();
        let mut engine = CpuEngine::oracle(lowered.program.clone()).unwrap();
        small.fill(&lowered, &weights(&lowered), &mut engine);
        let x = fractions(3 * 2 * 5 * 6, 37, 5, 64, 32.0);
        engine.write(lowered.input, Slice::Real(&x)).unwrap();
        engine.run(lowered.program.section(PREDICT), &Step::default());
        assert_golden(&format!("predictions of “{network}”"), &numbers(&engine, lowered.output), predictions);

        // The gathered samples are replaced by PyTorch's.
        let section = lowered.program.section(TRAIN);
        let gathered = &lowered.program.steps[section.start].args;
        engine.write(gathered[4], Slice::Real(&x)).unwrap();
        engine.write(gathered[5], Slice::Uint(&[2, 0, 3])).unwrap();
        engine.run(section.start + 1..section.end, &Step { samples: 3, ..Step::default() });
        let losses = numbers(&engine, lowered.metrics(1));
        let mean = losses.iter().step_by(2).take(3).sum::<f64>() / 3.0;
        assert_golden(&format!("loss of “{network}”"), &[mean], loss);
        assert_eq!(lowered.arena.params.len(), state.len(), "{network}");
        for (param, tensor) in lowered.arena.params.iter().zip(state) {
            assert_eq!((param.name.as_str(), param.shape.as_slice()), (tensor.name, tensor.shape));
            let view = if param.learned { lowered.gradients } else { lowered.parameters };
            let ours = &numbers(&engine, view)[param.start..][..param.len()];
            assert_golden(&format!("{} of “{network}”", param.name), ours, tensor.values);
        }
    }
}

#[test]
fn convolution_is_that_of_pytorch() {
    check(
        "conv 3 2x3 stride 2x1 pad 1x0 dilation 1x2, flatten, dense 4",
        values::CONV_PREDICTIONS,
        values::CONV_LOSS,
        values::CONV_STATE,
    );
    check(
        "conv 4 3x3 pad 1 groups 2 no-bias, relu, conv 4 2x2 groups 4, flatten, dense 4",
        values::GROUPS_PREDICTIONS,
        values::GROUPS_LOSS,
        values::GROUPS_STATE,
    );
}

#[test]
fn pooling_is_that_of_pytorch() {
    check(
        "conv 2 3x3 pad 1, maxpool 3 stride 2 pad 1, flatten, dense 4",
        values::MAXIMUM_PREDICTIONS,
        values::MAXIMUM_LOSS,
        values::MAXIMUM_STATE,
    );
    check(
        "conv 2 2x2, tanh, avgpool 2 stride 1 pad 1, globalavgpool, flatten, dense 4",
        values::MEAN_PREDICTIONS,
        values::MEAN_LOSS,
        values::MEAN_STATE,
    );
}

#[test]
fn batch_normalisation_is_that_of_pytorch() {
    check(
        "conv 3 2x2, batchnorm, relu, flatten, dense 5, batchnorm momentum 0.25 eps 0.5, dense 4",
        values::BATCH_NORM_PREDICTIONS,
        values::BATCH_NORM_LOSS,
        values::BATCH_NORM_STATE,
    );
}

#[test]
fn layer_normalisation_gelu_and_silu_are_those_of_pytorch() {
    check(
        "conv 3 2x2, layernorm, gelu, flatten, dense 5, layernorm eps 0.5, silu, dense 4",
        values::LAYER_NORM_PREDICTIONS,
        values::LAYER_NORM_LOSS,
        values::LAYER_NORM_STATE,
    );
}

#[test]
fn residual_blocks_are_those_of_pytorch() {
    check(
        "conv 3 2x2, residual { conv 3 3x3 pad 1, relu, conv 3 3x3 pad 1 }, relu, \
         residual { conv 4 3x3 stride 2 pad 1, tanh }, flatten, dense 4",
        values::RESIDUAL_PREDICTIONS,
        values::RESIDUAL_LOSS,
        values::RESIDUAL_STATE,
    );
}
