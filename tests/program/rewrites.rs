//! Every rewrite, alone and left out: it has its effect, and never changes the results.

use wgrad::internals::engine::Engine;
use wgrad::internals::kernel::{Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{HELD_OUT, PREDICT, Part, TRAIN, Training};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::rewrite::{self, Rewrites};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Limits, Program};
use wgrad::internals::table::choice::Choice;

use crate::choices::{assert_close, real, start};
use crate::small::Small;

/// Every kernel that a rewrite brings, but for f16 ones, is in one of these. Copies in f16 are rounded, and held to
/// their own bound in `f16.rs`.
fn choices() -> [(&'static str, Choice); 5] {
    let pixels = "first gather_dense_tiled, last dense_softmax_loss_subgroup".parse().unwrap();
    [
        ("cpu", Choice::CPU),
        ("gpu", Choice::GPU),
        ("gpu with pixels", Choice::GPU.with(&pixels)),
        ("software", Choice::SOFTWARE),
        ("subgroups", Choice::SOFTWARE_SUBGROUPS),
    ]
}

/// Layers in front of, behind and within each other, so that several write one gradient, some of which can
/// multiply by a derivative and some can't.
const NETWORKS: &[&str] = &[
    "dense 4",
    "dense 8, relu, dense 4",
    "flatten, dense 8, tanh, dense 8, leaky-relu 0.1, dense 4, sigmoid",
    "dense 12, gelu, dense 8, silu, dense 4, relu",
    "tanh, dense 8, softmax, dense 8, relu, relu, dense 4",
    "dense 8, layernorm, tanh, dropout 0.5, dense 8, batchnorm, relu, dense 4",
    "dense 8, sigmoid, residual { dense 8, tanh, dense 8 }, tanh, dense 4",
    "dense 8, tanh, residual { layernorm, dense 8 }, residual { dropout 0.3 }, sigmoid, dense 4",
    "dense 8, tanh, residual { residual { dense 8, relu }, softmax }, dense 4",
    "conv 4 2x2 pad 1, relu, maxpool 2, flatten, dense 4",
    "conv 4 2x2 no-bias, batchnorm, relu, conv 4 1x1, tanh, globalavgpool, dense 4",
    "conv 4 1x1, tanh, residual { conv 4 3x3 pad 1, relu, conv 4 3x3 pad 1 }, relu, avgpool 2, dense 4",
    "conv 4 1x1, sigmoid, residual { maxpool 3 stride 1 pad 1, conv 4 1x1 }, residual { batchnorm }, dense 4",
];

/// All rewrites, none, each alone, and all but each.
fn sets() -> Vec<Rewrites> {
    let names = rewrite::ALL.each_ref().map(|rewrite| rewrite.name);
    let alone = names.map(|name| Rewrites::NONE.and(name));
    let without = names.map(|name| Rewrites::ALL.without(name));
    [vec![Rewrites::ALL], alone.to_vec(), without.to_vec()].concat()
}

/// Two steps of a network, a measurement and a prediction, in f64: parameters, metrics, outputs and predictions.
fn computed(small: &Small) -> [Vec<f64>; 4] {
    let (lowered, mut engine) = start(small);
    for slot in 0..2 {
        let samples = (small.batch * small.training.accumulate) as u32 - slot;
        let rates = Step { learning_rate: 0.05, momentum: 0.5, ema_decay: 0.5, ..Step::default() };
        let corrections = Step { mean_correction: 10.0, square_correction: 20.0, ..rates };
        let step = Step { slot, first: slot, samples, index: slot, seed: 3, ..corrections };
        engine.run(lowered.program.section(TRAIN), &step);
    }
    let [parameters, metrics] = [lowered.parameters, lowered.metrics(2)].map(|view| real(&engine, view));
    let step = Step { slot: 2, samples: small.batch as u32, ..Step::default() };
    engine.run(lowered.program.section(HELD_OUT), &step);
    let outputs = real(&engine, lowered.outputs(HELD_OUT).expect("what is measured has outputs"));
    let metrics = [metrics, real(&engine, lowered.metrics(3))].concat();
    let input: Vec<f32> = (0..lowered.input.len).map(|at| (at * 37 % 23) as f32 / 12.0 - 1.0).collect();
    engine.write(lowered.input, Slice::Real(&input)).unwrap();
    engine.run(lowered.program.section(PREDICT), &Step::default());
    [parameters, metrics, outputs, real(&engine, lowered.output)]
}

/// Compares every set of rewrites with the plain Program.
fn assert_all_the_same(what: &str, small: &Small) {
    for (name, choice) in choices() {
        let plain = computed(&Small { choice, rewrites: Rewrites::NONE, ..small.clone() });
        for rewrites in sets() {
            let rewritten = computed(&Small { choice, rewrites, ..small.clone() });
            for (part, (rewritten, plain)) in
                ["parameters", "metrics", "outputs", "predicted"].iter().zip(rewritten.iter().zip(&plain))
            {
                assert_close(&format!("{what}, {name}, rewrites {rewrites}: {part}"), rewritten, plain);
            }
        }
    }
}

/// Images of whole words, and a batch and classes by fours, which the kernels of all rewrites take.
fn whole(network: &str) -> Small {
    let part = |name, samples| Part { name, samples };
    Small {
        shape: Shape::image(2, 2, 4),
        classes: 4,
        batch: 8,
        parts: vec![part(TRAIN, 16), part(HELD_OUT, 9)],
        ..Small::new(network, Loss::CrossEntropy)
    }
}

#[test]
fn no_rewrite_changes_what_a_network_computes() {
    for network in NETWORKS {
        assert_all_the_same(network, &whole(network));
    }
}

#[test]
fn no_rewrite_changes_what_awkward_sizes_compute() {
    // Around the borders of blocks and tiles, and sizes that no vector divides.
    let shapes =
        [Shape::image(1, 1, 1), Shape::image(1, 1, 7), Shape::image(3, 5, 5), Shape::image(1, 8, 33)];
    for (shape, batch) in shapes.into_iter().zip([1, 3, 5, 65]) {
        for width in [1, 7, 33, 64] {
            let network = format!("dense {width}, relu, dense 65, tanh, dense 3");
            let parts =
                [(TRAIN, batch + 2), (HELD_OUT, batch + 1)].map(|(name, samples)| Part { name, samples });
            let small =
                Small { shape, batch, parts: parts.to_vec(), ..Small::new(&network, Loss::CrossEntropy) };
            assert_all_the_same(&format!("{network} on {batch} of {shape}"), &small);
        }
    }
}

#[test]
fn no_rewrite_changes_what_training_adds_to_a_step() {
    let settings = |change: &dyn Fn(&mut Training)| {
        let mut training = Training::with(Optimiser::sgd(0.5));
        change(&mut training);
        training
    };
    let trainings = [
        settings(&|training| training.accumulate = 2),
        settings(&|training| training.clip_norm = Some(0.1)),
        settings(&|training| (training.clip_value, training.ema) = (Some(0.01), Some(0.9))),
        settings(&|training| training.label_smoothing = 0.1),
        settings(&|training| training.optimiser = "adamw".parse().unwrap()),
        settings(&|training| training.optimiser = "muon weight-decay 0.1".parse().unwrap()),
    ];
    for (at, training) in trainings.into_iter().enumerate() {
        for loss in [Loss::CrossEntropy, Loss::Mse] {
            if loss == Loss::Mse && training.label_smoothing > 0.0 {
                continue;
            }
            for network in [
                "dense 8, relu, residual { dense 8, tanh }, dense 4",
                "conv 4 2x2 pad 1, tanh, layernorm, relu, maxpool 2, dense 4",
            ] {
                let small = Small { training: training.clone(), loss, ..whole(network) };
                assert_all_the_same(&format!("training {at}, {loss}, {network}"), &small);
            }
        }
    }
}

/// Long sums in the forward pass, with a derivative behind them, and behind the gates of an update.
#[test]
fn no_rewrite_changes_what_long_sums_compute() {
    let slices = |small: &Small| {
        let program = Small { choice: Choice::GPU, ..small.clone() }.lower().unwrap().program;
        let cut = program.steps.into_iter().filter(|dispatch| dispatch.kernel.name == "matmul_slices");
        cut.map(|dispatch| dispatch.gate.is_some()).collect::<Vec<bool>>()
    };
    let descent = whole("dense 8, tanh, dense 260, tanh, dense 20, relu, dense 4");
    assert!(slices(&descent).len() >= 2, "forward and back");
    assert_all_the_same("long sums", &descent);
    let muon = Training::with("muon".parse().unwrap());
    let muon = Small { training: muon, ..whole("dense 20, relu, dense 260, relu, dense 20, tanh, dense 4") };
    assert!(slices(&muon).contains(&true), "products of an update are cut");
    assert_all_the_same("long sums of an update", &muon);
}

/// Observed values are those of the plain Program, where they still exist.
#[test]
fn observed_values_are_those_of_the_plain_program() {
    for network in NETWORKS {
        for (name, choice) in choices() {
            let seen = |rewrites| {
                let small = Small { choice, rewrites, shared: false, ..whole(network) };
                let (lowered, mut engine) = start(&small);
                let step = Step { samples: 8, seed: 3, ..Step::default() };
                engine.run(lowered.program.section(TRAIN), &step);
                let observed = &lowered.program.observed;
                let values: Vec<Option<Vec<f64>>> = observed
                    .activations
                    .iter()
                    .map(|boundary| boundary.value.map(|view| real(&engine, view)))
                    .collect();
                let made: Vec<Vec<f64>> =
                    observed.activated.iter().map(|made| real(&engine, made.value)).collect();
                (values, made)
            };
            let ((plain, made), (fast, made_fast)) = (seen(Rewrites::NONE), seen(Rewrites::ALL));
            assert_eq!((plain.len(), made.len()), (fast.len(), made_fast.len()), "{network}, {name}");
            let what = format!("{network}, {name}");
            for (plain, fast) in
                plain.iter().zip(&fast).filter_map(|(plain, fast)| plain.as_ref().zip(fast.as_ref()))
            {
                assert_close(&format!("{what}: between layers"), fast, plain);
            }
            for (plain, fast) in made.iter().zip(&made_fast) {
                assert_close(&format!("{what}: made by an activation"), fast, plain);
            }
        }
    }
}

#[test]
fn no_rewrite_changes_what_chunks_and_augmented_samples_compute() {
    let network = "dense 8, relu, dense 4";
    let mut in_chunks = whole(network);
    in_chunks.limits = Limits { binding_bytes: 1 << 17, ..Limits::WEBGPU };
    in_chunks.parts[0].samples = 10_000;
    assert_all_the_same("chunks", &in_chunks);
    let augmented = Small { augment: "shift 1, flip".parse().unwrap(), ..whole(network) };
    assert_all_the_same("augmented", &augmented);
}

/// A rewrite, a network that it rewrites with a choice, and the kernels that the train section has more and
/// fewer of then.
struct Meant {
    rewrite: &'static str,
    network: &'static str,
    choice: Choice,
    more: &'static [&'static str],
    fewer: &'static [&'static str],
}

#[test]
fn each_rewrite_does_what_it_is_meant_to() {
    let subgroups = Choice::SOFTWARE_SUBGROUPS;
    let all = [
        Meant {
            rewrite: "activations",
            network: "dense 8, relu, dense 4",
            choice: subgroups,
            more: &[],
            fewer: &["activation", "activation_backward"],
        },
        Meant {
            rewrite: "first-layer",
            network: "dense 8, relu, dense 4",
            choice: subgroups,
            more: &["gather_dense_subgroup", "gather_dense_gradient_subgroup"],
            fewer: &["gather_batch", "column_sums"],
        },
        Meant {
            rewrite: "gradients",
            network: "dense 8, relu, dense 4",
            choice: subgroups,
            more: &["weight_gradient_subgroup"],
            fewer: &["column_sums"],
        },
        Meant {
            rewrite: "last-layer",
            network: "dense 8, relu, dense 4",
            choice: subgroups,
            more: &["dense_softmax_loss_subgroup"],
            fewer: &["softmax_loss"],
        },
        Meant {
            rewrite: "f16",
            network: "dense 8, relu, dense 4",
            choice: Choice::GPU.in_precision("f16".parse().unwrap()),
            more: &["pack_f16", "matmul_f16"],
            fewer: &["matmul"],
        },
        Meant {
            rewrite: "slices",
            network: "dense 260, relu, dense 20, relu, dense 4",
            choice: Choice::GPU,
            more: &["matmul_slices", "add_slices"],
            fewer: &["matmul_vectors"],
        },
    ];
    for Meant { rewrite, network, choice, more, fewer } in all {
        let count = |rewrites, name: &str| {
            let program = Small { choice, rewrites, ..whole(network) }.lower().unwrap().program;
            kernels(&program).iter().filter(|known| **known == name).count()
        };
        let alone = Rewrites::NONE.and(rewrite);
        for name in more {
            assert!(count(alone, name) > count(Rewrites::NONE, name), "{rewrite}: {name}");
        }
        for name in fewer {
            assert!(count(alone, name) < count(Rewrites::NONE, name), "{rewrite}: {name}");
        }
        // Left out, it brings no kernels.
        assert!(more.iter().all(|name| count(Rewrites::ALL.without(rewrite), name) == 0), "{rewrite}");
    }
}

/// Without kernels that keep parts of the watch there is nothing to join.
#[test]
fn the_watch_is_joined_only_where_every_gradient_is_watched() {
    let watched = |network: &str, rewrites: Rewrites| {
        let program = Small { choice: Choice::CPU, rewrites, ..whole(network) }.lower().unwrap().program;
        !kernels(&program).contains(&"gradient_parts")
    };
    let [dense, conv] = ["dense 8, relu, dense 4", "conv 4 1x1, relu, dense 4"];
    let joined = Rewrites::NONE.and("gradients").and("watch");
    assert!(watched(dense, joined) && watched(dense, Rewrites::ALL));
    assert!(!watched(dense, Rewrites::NONE.and("watch")) && !watched(dense, Rewrites::ALL.without("watch")));
    assert!(!watched(conv, Rewrites::ALL), "who writes the gradients of a convolution does not watch them");
}

fn kernels(program: &Program) -> Vec<&'static str> {
    program.steps[program.section(TRAIN)].iter().map(|dispatch| dispatch.kernel.name).collect()
}
