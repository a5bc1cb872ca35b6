//! A tensor that several layers read: the first of them in the backward pass writes its gradient, the others add.
//!
//! Networks are chains, so this is recorded by hand.

use wgrad::internals::engine::Engine;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Activation, Element, Slice, Step};
use wgrad::internals::network::layers::Layer;
use wgrad::internals::network::loss::{Loss, Metrics};
use wgrad::internals::program::params::ArenaBuilder;
use wgrad::internals::program::record::{Recorder, Tensor};
use wgrad::internals::program::rewrite::{Rewrites, rewrite};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Role, View};
use wgrad::internals::table::choice::Choice;

use crate::differences::{Parameters, compare, real};

const BATCH: usize = 4;
const INPUTS: usize = 5;
const HIDDEN: usize = 3;

/// Data → dense and `made_by` → every branch → mean squared error each.
struct Fork {
    recorder: Recorder,
    x: View,
    labels: View,
    metrics: Vec<View>,
}

fn record(made_by: Activation, branches: &[Layer], rewrites: Rewrites, choice: Choice) -> Fork {
    let mut arena = ArenaBuilder::default();
    let trunk = Layer::dense(HIDDEN);
    trunk.declare("0", &Shape::flat(INPUTS), &mut arena);
    for (at, branch) in branches.iter().enumerate() {
        branch.declare(&(at + 1).to_string(), &Shape::flat(HIDDEN), &mut arena);
    }
    let mut recorder = Recorder::new(arena.place(), BATCH);
    // Both are written by the test, not by a dispatch.
    let x = Tensor {
        value: recorder.buffer("x", Element::Real, BATCH * INPUTS, Role::Data),
        rows: BATCH,
        shape: Shape::flat(INPUTS),
        needs_gradient: false,
    };
    let labels = recorder.buffer("labels", Element::Uint, BATCH, Role::Data);
    let sums = trunk.record(&mut recorder, x, &Shape::flat(INPUTS), "0");
    let hidden = match made_by {
        Activation::Identity => sums,
        activation => Layer::Activation(activation).record(&mut recorder, sums, &Shape::flat(HIDDEN), ""),
    };
    let mut metrics = Vec::new();
    for (at, branch) in branches.iter().enumerate() {
        let y = branch.record(&mut recorder, hidden, &Shape::flat(HIDDEN), &(at + 1).to_string());
        let view = recorder.buffer("metrics", Element::Real, BATCH * 2, Role::Metrics);
        Loss::Mse.record(&mut recorder, y, labels, Metrics { view, slots: 1, pitch: y.rows }, None);
        metrics.push(view);
    }
    recorder.backward();
    recorder.section("train");
    recorder.program = rewrite(std::mem::take(&mut recorder.program), &choice, &rewrites);
    Fork { recorder, x: x.value, labels, metrics }
}

fn check(made_by: Activation, branches: &[Layer], rewrites: Rewrites, choice: Choice) -> Result<(), String> {
    let fork = record(made_by, branches, rewrites, choice);
    let program = &fork.recorder.program;
    program.validate().map_err(|error| error.to_string())?;
    let mut engine = CpuEngine::oracle(program.clone()).unwrap();
    let x: Vec<f32> = (0..BATCH * INPUTS).map(|at| (at * 37 % 23) as f32 / 12.0 - 1.0).collect();
    let parameters = fork.recorder.arena.initial_values(3);
    engine.write(fork.x, Slice::Real(&x)).unwrap();
    engine.write(fork.labels, Slice::Uint(&[0, 2, 1, 2])).unwrap();
    engine.write(fork.recorder.parameters(), Slice::Real(&parameters)).unwrap();

    let step = Step { samples: BATCH as u32, ..Step::default() };
    let steps = program.section("train");
    engine.run(steps.clone(), &step);
    let parameters = Parameters {
        arena: &fork.recorder.arena,
        values: fork.recorder.parameters(),
        gradients: fork.recorder.gradients(),
    };
    compare(&mut engine, &parameters, 1.0, |engine| {
        engine.run(steps.clone(), &step);
        let losses = fork.metrics.iter().flat_map(|view| real(engine, *view).iter().step_by(2));
        losses.sum::<f64>() / BATCH as f64
    })
}

#[test]
fn a_tensor_that_several_layers_read_gets_the_sum_of_their_gradients() {
    let (dense, tanh, softmax) = (Layer::dense(3), Layer::Activation(Activation::Tanh), Layer::Softmax);
    // The last branch writes first, so each kind sets once.
    let orders = [
        [dense.clone(), tanh.clone(), softmax.clone()],
        [tanh.clone(), softmax.clone(), dense.clone()],
        [softmax, dense, tanh],
    ];
    // With an activation in the epilogue in front, every writer must multiply by its derivative.
    let rewritten = [Choice::NAIVE, Choice::CPU, Choice::GPU, Choice::SOFTWARE, Choice::SOFTWARE_SUBGROUPS];
    let rewritten = rewritten.map(|choice| (Rewrites::ALL, choice));
    let programs = [&[(Rewrites::NONE, Choice::NAIVE)], &rewritten[..]].concat();
    for made_by in [Activation::Identity, Activation::Sigmoid] {
        for branches in &orders {
            for (rewrites, choice) in &programs {
                check(made_by, branches, *rewrites, *choice).unwrap_or_else(|problem| {
                    let chosen = choice.picks();
                    panic!("{made_by:?}, {branches:?}, rewrites {rewrites}, {chosen}: {problem}")
                });
            }
        }
    }
}
