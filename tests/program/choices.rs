//! Choices of lowering that must not change the results of a Program.

use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Const, Consts, Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{HELD_OUT, Lowered, Part, TRAIN, Training};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Limits, View};
use wgrad::internals::table::choice::Choice;

use crate::small::Small;

pub fn real(engine: &CpuEngine<f64>, view: View) -> Vec<f64> {
    match engine.look(view) {
        Slice::Real(values) => values.to_vec(),
        Slice::Uint(values) => values.iter().map(|value| f64::from(*value)).collect(),
    }
}

pub fn start(small: &Small) -> (Lowered, CpuEngine<f64>) {
    let lowered = small.lower().unwrap();
    let mut engine = CpuEngine::oracle(lowered.program.clone()).unwrap();
    small.fill(&lowered, &lowered.arena.initial_values(7), &mut engine);
    (lowered, engine)
}

/// Parameters and the first slots of the metrics after a few steps.
fn train(small: &Small) -> (Vec<f64>, Vec<f64>) {
    let training = Training { accumulate: small.training.accumulate, ..Training::with(Optimiser::sgd(0.5)) };
    let (lowered, mut engine) = start(&Small { training, ..small.clone() });
    for slot in 0..3 {
        let samples = small.batch as u32 - slot % 2;
        let step = Step { slot, first: slot, samples, learning_rate: 0.5, momentum: 0.5, ..Step::default() };
        engine.run(lowered.program.section(TRAIN), &step);
    }
    (real(&engine, lowered.parameters), real(&engine, lowered.metrics(3)))
}

pub fn assert_close(what: &str, left: &[f64], right: &[f64]) {
    assert_eq!(left.len(), right.len(), "{what}");
    for (at, (left, right)) in left.iter().zip(right).enumerate() {
        // The same sums in another grouping: a few roundings of f64.
        assert!((left - right).abs() <= 1e-13 * (1.0 + left.abs()), "{what}[{at}]: {left:e} and {right:e}");
    }
}

#[test]
fn rewrites_do_not_change_the_results() {
    for network in [
        "dense 5, relu, dense 3",
        "dense 5, leaky-relu 0.1, dense 4, sigmoid, dense 3, tanh",
        "dense 4, tanh, softmax, dense 3, sigmoid",
    ] {
        for loss in [Loss::CrossEntropy, Loss::Bce, Loss::Mse, Loss::SquaredError] {
            let of = |rewrites| train(&Small { rewrites, ..Small::new(network, loss) });
            let ((fast, fast_metrics), (plain, metrics)) = (of(Rewrites::ALL), of(Rewrites::NONE));
            assert_close(&format!("{network}, {loss}: parameters"), &fast, &plain);
            assert_close(&format!("{network}, {loss}: metrics"), &fast_metrics, &metrics);
        }
    }
}

#[test]
fn the_kernels_of_gpus_do_not_change_the_results() {
    let network = "dense 256, relu, dense 20, sigmoid, dense 3";
    let of = |choice| Small { choice, ..Small::new(network, Loss::CrossEntropy) };
    let program = of(Choice::GPU).lower().unwrap().program;
    let used = |name| program.steps.iter().filter(|dispatch| dispatch.kernel.name == name).count();
    // The second layer's sums are of 256 terms, in training and prediction; each layer has one dispatch for
    // all its gradients, which watches them as well.
    let used = [
        "matmul_vectors",
        "matmul_slices",
        "add_slices",
        "weight_gradient_vectors",
        "weight_gradient_tiled",
        "column_sums",
        "gradient_parts",
    ]
    .map(used);
    assert_eq!(used, [3, 2, 2, 2, 1, 0, 0]);
    let ((usual, usual_metrics), (tiled, metrics)) = (train(&of(Choice::NAIVE)), train(&of(Choice::GPU)));
    assert_close("parameters", &usual, &tiled);
    assert_close("metrics", &usual_metrics, &metrics);
}

#[test]
fn batches_added_up_are_one_large_batch() {
    for (network, loss) in [
        ("dense 5, relu, dense 3", Loss::CrossEntropy),
        ("dense 4, tanh, softmax, dense 3, sigmoid", Loss::Bce),
        ("tanh, dense 3", Loss::Mse),
        ("conv 3 2x2 pad 1, relu, maxpool 2 stride 1, dense 3", Loss::CrossEntropy),
        ("dense 6, layernorm, relu, dropout 0.5, dense 3", Loss::CrossEntropy),
    ] {
        let of = |batch, accumulate| {
            let training =
                Training { accumulate, clip_norm: Some(0.5), ..Training::with(Optimiser::sgd(0.5)) };
            let small = Small { batch, training, ..Small::new(network, loss) };
            let (lowered, mut engine) = start(&small);
            // The second step is short: 4 of 6 rows, so the last batch of it has none.
            for (slot, samples) in [6, 4, 6].into_iter().enumerate() {
                let step = Step {
                    slot: slot as u32,
                    first: slot as u32,
                    samples,
                    learning_rate: 0.5,
                    momentum: 0.5,
                    index: slot as u32,
                    ..Step::default()
                };
                engine.run(lowered.program.section(TRAIN), &step);
            }
            (real(&engine, lowered.parameters), real(&engine, lowered.metrics(3)))
        };
        let (whole, whole_metrics) = of(6, 1);
        for (batch, accumulate) in [(2, 3), (3, 2), (1, 6)] {
            let (parts, metrics) = of(batch, accumulate);
            let what = format!("{network}, {accumulate} batches of {batch}");
            assert_close(&format!("{what}: parameters"), &whole, &parts);
            assert_close(&format!("{what}: metrics"), &whole_metrics, &metrics);
        }
    }
}

/// Norms over a batch see each batch by itself, so the whole is the sum of its parts.
#[test]
fn gradients_through_norms_add_up() {
    for network in
        ["dense 4, batchnorm, relu, dense 3", "batchnorm, dense 3", "conv 2 2x2, batchnorm, dense 3"]
    {
        let parts = vec![Part { name: TRAIN, samples: 6 }];
        let of = |accumulate| {
            let training = Training { accumulate, ..Training::default() };
            let small =
                Small { batch: 3, parts: parts.clone(), training, ..Small::new(network, Loss::CrossEntropy) };
            start(&small)
        };
        let gradients = |accumulate, first| {
            let (lowered, mut engine) = of(accumulate);
            // Six samples weigh a sixth each, also where a batch of three is all there is.
            let step = Step { first, samples: 6, ..Step::default() };
            engine.run(lowered.program.section(TRAIN), &step);
            real(&engine, lowered.gradients)
        };
        let (one, two, both) = (gradients(1, 0), gradients(1, 3), gradients(2, 0));
        let sum: Vec<f64> = one.iter().zip(&two).map(|(one, two)| one + two).collect();
        assert!(sum.iter().any(|gradient| *gradient != 0.0));
        assert_close(network, &sum, &both);
    }
}

#[test]
fn a_gradient_that_is_not_added_to_is_refused() {
    let training = Training { accumulate: 2, ..Training::default() };
    let small = Small { training, ..Small::new("dense 3", Loss::CrossEntropy) };
    let mut program = small.lower().unwrap().program;
    let last = program.steps.iter_mut().rfind(|step| step.kernel.name == "column_sums").unwrap();
    let set = |(name, value)| (name, if name == "ADD" { Const::Flag(false) } else { value });
    last.consts = Consts::new(last.consts.iter().map(set).collect());
    let error = program.validate().unwrap_err().to_string();
    assert!(error.contains("sums of column_sums") && error.contains("not added to"), "{error}");
}

/// The samples that the first dispatches of a step gather: values and labels.
fn batch(lowered: &Lowered, engine: &mut CpuEngine<f64>, first: u32) -> (Vec<f64>, Vec<f64>) {
    let section = lowered.program.section(TRAIN);
    let dispatches = &lowered.program.steps[section.clone()];
    let gathers = dispatches.iter().filter(|dispatch| dispatch.kernel.name == "gather_batch").count();
    engine.run(section.start..section.start + gathers, &Step { first, samples: 40, ..Step::default() });
    (real(engine, dispatches[0].args[4]), real(engine, dispatches[0].args[5]))
}

#[test]
fn data_in_chunks_give_the_same_batches() {
    let samples = 600;
    let small = |limits| Small {
        shape: Shape::image(1, 60, 60),
        parts: vec![Part { name: TRAIN, samples }],
        limits,
        batch: 40,
        ..Small::new("dense 3", Loss::CrossEntropy)
    };
    let (whole, mut whole_engine) = start(&small(Limits::WEBGPU));
    // As little as the metrics can be bound with: 291 images, 256 when chunks start on ALIGN.
    let (chunked, mut chunked_engine) = start(&small(Limits { binding_bytes: 1 << 20, ..Limits::WEBGPU }));
    let chunks: Vec<(usize, usize)> = chunked.program.steps[chunked.program.section(TRAIN)]
        .iter()
        .filter(|dispatch| dispatch.kernel.name == "gather_batch")
        .map(|dispatch| (dispatch.consts.uint("CHUNK_FIRST"), dispatch.consts.uint("CHUNK_LENGTH")))
        .collect();
    assert_eq!(chunks, [(0, 256), (256, 256), (512, 88)]);

    // The order runs backwards: within the last chunk, over both borders
    // between chunks, and past the end of the data.
    for first in [0, 70, 330, 580] {
        let (x, labels) = batch(&whole, &mut whole_engine, first);
        assert_eq!(batch(&chunked, &mut chunked_engine, first), (x.clone(), labels), "from {first}");
        // A chunk that is read from the wrong place would show up only in images that differ.
        let rows: Vec<&[f64]> = x.chunks_exact(3600).collect();
        assert!(first == 580 || rows.windows(2).all(|pair| pair[0] != pair[1]), "from {first}");
    }
}

/// A network whose first layer can gather its samples: whole words of a channel, outputs by fours.
fn of_pixels(network: &str) -> Small {
    Small {
        shape: Shape::image(2, 2, 4),
        classes: 4,
        batch: 8,
        parts: [TRAIN, HELD_OUT].map(|name| Part { name, samples: 9 }).to_vec(),
        choice: Choice::SOFTWARE_SUBGROUPS,
        ..Small::new(network, Loss::CrossEntropy)
    }
}

#[test]
fn a_first_layer_that_gathers_its_samples_computes_the_same() {
    for network in ["dense 8, relu, dense 4", "flatten, dense 4", "dense 4, tanh, dropout 0.5, dense 4"] {
        for accumulate in [1, 2] {
            let training = Training { accumulate, ..Training::with(Optimiser::sgd(0.0)) };
            let mut taking = Small { training, ..of_pixels(network) };
            taking.parts[0].samples = 32;
            let picked = Small { choice: Choice::SOFTWARE, ..taking.clone() };
            assert!(gathers_itself(&taking, TRAIN) && !gathers_itself(&picked, TRAIN), "{network}");
            let ((parameters, metrics), (plain, plain_metrics)) = (train(&taking), train(&picked));
            assert_close(&format!("{network}: parameters"), &parameters, &plain);
            assert_close(&format!("{network}: metrics"), &metrics, &plain_metrics);
        }
    }
}

fn gathers_itself(small: &Small, section: &str) -> bool {
    let program = small.lower().unwrap().program;
    let names: Vec<&str> =
        program.steps[program.section(section)].iter().map(|step| step.kernel.name).collect();
    assert_ne!(names.contains(&"gather_batch"), names.contains(&"gather_dense_subgroup"), "{names:?}");
    names.contains(&"gather_dense_subgroup")
}

#[test]
fn only_a_fitting_first_dense_layer_gathers_its_samples() {
    let network = "dense 8, relu, dense 4";
    assert!(gathers_itself(&of_pixels(network), TRAIN) && gathers_itself(&of_pixels(network), HELD_OUT));
    let mut in_chunks =
        Small { limits: Limits { binding_bytes: 1 << 17, ..Limits::WEBGPU }, ..of_pixels(network) };
    in_chunks.parts[0].samples = 10_000;
    let odd = Shape::image(2, 1, 6);
    for (why, small) in [
        ("another layer is first", of_pixels("tanh, dense 4")),
        ("the outputs are no multiple of 4", of_pixels("dense 6, relu, dense 4")),
        ("words are of two channels", Small { shape: odd, ..of_pixels(network) }),
        ("there are no rewrites", Small { rewrites: Rewrites::NONE, ..of_pixels(network) }),
        ("the batch is no multiple of 4", Small { batch: 6, ..of_pixels(network) }),
        ("one binding holds only a part of the data", in_chunks),
    ] {
        assert!(!gathers_itself(&small, TRAIN), "{why}");
    }
    // Only samples of the train part are augmented.
    let changed = Small { augment: "shift 1".parse().unwrap(), ..of_pixels(network) };
    assert!(!gathers_itself(&changed, TRAIN) && gathers_itself(&changed, HELD_OUT));
}

#[test]
fn a_last_layer_with_its_loss_computes_the_same() {
    for (network, accumulate) in [("dense 8, relu, dense 4", 1), ("dense 12, tanh, dense 4", 2)] {
        let training = Training { accumulate, ..Training::with(Optimiser::sgd(0.0)) };
        let mut together = Small { training, choice: Choice::SOFTWARE_SUBGROUPS, ..of_pixels(network) };
        together.parts[0].samples = 32;
        let apart = Small { choice: Choice::NAIVE, ..together.clone() };
        assert!([TRAIN, HELD_OUT].iter().all(|part| last_with_loss(&together, part)), "{network}");
        assert!(!last_with_loss(&apart, TRAIN));
        let ((parameters, metrics), (plain, plain_metrics)) = (train(&together), train(&apart));
        assert_close(&format!("{network}: parameters"), &parameters, &plain);
        assert_close(&format!("{network}: metrics"), &metrics, &plain_metrics);
        let outputs = |small: &Small| {
            let (lowered, mut engine) = start(small);
            engine.run(lowered.program.section(HELD_OUT), &Step { samples: 8, ..Step::default() });
            real(&engine, lowered.outputs(HELD_OUT).unwrap())
        };
        assert_close(&format!("{network}: outputs"), &outputs(&together), &outputs(&apart));
    }
}

fn last_with_loss(small: &Small, section: &str) -> bool {
    let program = small.lower().unwrap().program;
    program.steps[program.section(section)]
        .iter()
        .any(|step| step.kernel.name == "dense_softmax_loss_subgroup")
}

#[test]
fn only_a_fitting_last_layer_is_joined_with_its_loss() {
    let of = |network: &str| Small { choice: Choice::SOFTWARE_SUBGROUPS, ..of_pixels(network) };
    assert!(last_with_loss(&of("dense 8, relu, dense 4"), TRAIN));
    let smoothing = Training { label_smoothing: 0.1, ..Training::default() };
    for (why, small) in [
        ("an activation is behind it", of("dense 8, relu, dense 4, tanh")),
        ("no dense layer is last", of("dense 4, layernorm")),
        ("nobody needs its input's gradient", Small { augment: "shift 1".parse().unwrap(), ..of("dense 4") }),
        ("its inputs are no multiple of 4", of("dense 6, relu, dense 4")),
        ("the loss is another", Small { loss: Loss::Mse, ..of("dense 8, relu, dense 4") }),
        ("labels are smoothed", Small { training: smoothing, ..of("dense 8, relu, dense 4") }),
        ("there are no rewrites", Small { rewrites: Rewrites::NONE, ..of("dense 8, relu, dense 4") }),
    ] {
        assert!(!last_with_loss(&small, TRAIN), "{why}");
    }
}
