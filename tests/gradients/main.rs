//! The recorded gradients against finite differences of the loss, in f64, for
//! every layer and every loss. Parity cannot catch a wrong derivative, since
//! both engines run the same recorded dispatches; this can. Needs no adapter.

mod branches;
mod differences;
mod images;
#[path = "../common/small.rs"]
mod small;

use differences::{H, Parameters, compare, real};
use small::Small;
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Activation, Const, Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::program::{Dispatch, View};
use wgrad::internals::table;

/// Networks for three classes on 12 values.
const NETWORKS: &[&str] = &[
    "dense 3",
    "flatten, dense 3",
    // Each activation between two dense layers.
    "dense 5, relu, dense 3",
    "dense 5, leaky-relu, dense 3",
    "dense 5, leaky-relu 0.2, dense 3",
    "dense 5, sigmoid, dense 3",
    "dense 5, tanh, dense 3",
    "dense 4, softmax, dense 3",
    // Deep enough that a gradient passes two epilogues.
    "dense 5, relu, dense 4, tanh, dense 3",
    "dense 4, sigmoid, dense 5, leaky-relu 0.1, dense 4, relu, dense 3",
    // In front of the first weights, where nothing learns.
    "relu, dense 3",
    "sigmoid, dense 3",
    "softmax, dense 4, tanh, dense 3",
    // Two in a row: only the first fits into the epilogue.
    "dense 5, tanh, sigmoid, dense 3",
    "dense 5, relu, tanh, dense 3",
    "dense 5, sigmoid, relu, leaky-relu, dense 3",
    "dense 4, tanh, softmax, dense 3",
    // A flatten that keeps an activation out of the epilogue in front of it.
    "dense 5, flatten, relu, dense 3",
    "dense 5, relu, flatten, dense 3",
    // At the very end, straight into the loss.
    "dense 3, sigmoid",
    "dense 3, tanh",
    "dense 3, leaky-relu 0.3",
    "dense 4, tanh, dense 3, relu",
    "dense 3, softmax",
    "dense 4, relu, dense 3, tanh, softmax",
];

const LOSSES: [Loss; 4] = [Loss::CrossEntropy, Loss::Bce, Loss::Mse, Loss::SquaredError];

/// A network with its data in an engine, on the point of taking a step.
struct Bench {
    lowered: Lowered,
    engine: CpuEngine<f64>,
    step: Step,
}

impl Bench {
    fn new(small: &Small, seed: u64) -> Bench {
        let lowered = small.lower().unwrap();
        let mut engine = CpuEngine::oracle(lowered.program.clone()).unwrap();
        // Three times the usual weights, so that activations leave their straight part.
        let parameters: Vec<f32> =
            lowered.arena.initial_values(seed).iter().map(|value| 3.0 * value).collect();
        small.fill(&lowered, &parameters, &mut engine);
        // Seven samples from the third on leave the last of six rows without one.
        // A learning rate of zero keeps the update from moving the parameters.
        let step = Step { slot: 1, first: 2, samples: 5, momentum: 0.9, ..Step::default() };
        Bench { lowered, engine, step }
    }

    /// The mean loss over the samples, in f64.
    fn loss(lowered: &Lowered, step: &Step, engine: &mut CpuEngine<f64>) -> f64 {
        let section = lowered.program.section(TRAIN);
        let mut dispatches = lowered.program.steps[section.clone()].iter();
        // Losses alone write metrics.
        let is_loss = |dispatch: &Dispatch| dispatch.kernel.binds.iter().any(|bind| bind.name == "metrics");
        let loss = dispatches.position(is_loss).unwrap();
        engine.run(section.start..section.start + loss + 1, step);
        let slots = real(engine, lowered.metrics(step.slot as usize + 1));
        let rows = slots[step.slot as usize * lowered.batch * 2..].chunks_exact(2);
        rows.take(step.samples as usize).map(|row| row[0]).sum::<f64>() / f64::from(step.samples)
    }

    fn train(&mut self) {
        self.engine.run(self.lowered.program.section(TRAIN), &self.step);
    }

    /// The least size of an input of relu or leaky relu; only in the plain Program, which keeps those inputs.
    fn distance_from_kinks(&mut self) -> f64 {
        self.train();
        let kinked = [Activation::Relu.consts().0, Activation::LeakyRelu(0.1).consts().0];
        let is_kinked = |(name, value): (&str, Const)| name == "ACTIVATION" && kinked.contains(&value);
        self.lowered.program.steps[self.lowered.program.section(TRAIN)]
            .iter()
            .filter(|dispatch| dispatch.kernel.name == table::ACTIVATION.name)
            .filter(|dispatch| dispatch.consts.iter().any(is_kinked))
            .flat_map(|dispatch| real(&self.engine, dispatch.args[0]))
            .fold(f64::INFINITY, |nearest, x| nearest.min(x.abs()))
    }
}

/// The first seed whose weights keep every relu away from its kink: moving one
/// parameter by H moves no input by more than a few H, never by a hundred.
fn seed(small: &Small) -> u64 {
    let plain = Small { rewrites: Rewrites::NONE, shared: false, ..small.clone() };
    (0..100)
        .find(|seed| Bench::new(&plain, *seed).distance_from_kinks() > 100.0 * H)
        .expect("one draw in a hundred stays clear of the kinks")
}

/// Compares all gradients, of the plain and of the rewritten Program.
fn check(mut small: Small) -> Vec<String> {
    let seed = seed(&small);
    let mut problems = Vec::new();
    for rewrites in [Rewrites::NONE, Rewrites::ALL] {
        small.rewrites = rewrites;
        let Bench { lowered, mut engine, step } = {
            let mut bench = Bench::new(&small, seed);
            bench.train();
            bench
        };
        let parameters =
            Parameters { arena: &lowered.arena, values: lowered.parameters, gradients: lowered.gradients };
        // The gradient of squared-error leaves out the factor 2.
        let factor = if small.loss == Loss::SquaredError { 2.0 } else { 1.0 };
        let outcome =
            compare(&mut engine, &parameters, factor, |engine| Bench::loss(&lowered, &step, engine));
        if let Err(problem) = outcome {
            problems.push(format!("{} with {}, rewrites {rewrites}: {problem}", small.network, small.loss));
        }
    }
    problems
}

#[test]
fn gradients_are_the_derivatives_of_the_loss() {
    let all = NETWORKS.iter().flat_map(|network| LOSSES.map(|loss| check(Small::new(network, loss))));
    let problems: Vec<String> = all.flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn gradients_of_one_output_are_the_derivatives_of_the_loss() {
    let networks = ["dense 1", "dense 4, tanh, dense 1", "dense 4, relu, dense 1, sigmoid"];
    let all = networks.iter().flat_map(|network| {
        let of = |loss| check(Small { classes: 2, ..Small::new(network, loss) });
        [Loss::Bce, Loss::Mse, Loss::SquaredError].map(of)
    });
    let problems: Vec<String> = all.flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn rows_beyond_the_sample_count_do_not_contribute() {
    for loss in LOSSES {
        let small = Small::new("dense 5, tanh, dense 3", loss);
        let gradients = |pixel: u32| {
            let mut bench = Bench::new(&small, 1);
            bench.step = Step { first: 0, samples: 4, ..bench.step };
            let part = bench.lowered.part(TRAIN).unwrap().clone();
            // Position 4 of the order, the first row that does not count, shows sample 2.
            let image = View { start: part.images.start + 2 * 3, len: 3, ..part.images };
            bench.engine.write(image, Slice::Uint(&[pixel; 3])).unwrap();
            bench.train();
            let x = real(&bench.engine, bench.lowered.program.steps[0].args[4]).to_vec();
            (x, real(&bench.engine, bench.lowered.gradients).to_vec())
        };
        let ((dark_x, dark), (bright_x, bright)) = (gradients(0), gradients(u32::MAX));
        assert_ne!(dark_x, bright_x, "the batch shows the changed image");
        assert_eq!(dark, bright, "{loss}: a row beyond the count changes the gradients");
    }
}
