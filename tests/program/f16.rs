//! Products with one or both factors in f16: their difference from f32, the copies, and values that are too large.

use wgrad::internals::engine::Engine;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::kernel::{Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, Part, TRAIN, Training};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::Dispatch;
use wgrad::internals::table::choice::Choice;

use crate::choices::{real, start};
use crate::small::Small;

/// A step of a network whose layer sizes are all multiples of 4.
fn in_precision(precision: Precision) -> Small {
    with(Choice::GPU.in_precision(precision))
}

fn with(choice: Choice) -> Small {
    let training = Training::with(Optimiser::sgd(0.0));
    let parts = vec![Part { name: TRAIN, samples: 8 }];
    let network = "dense 16, tanh, dense 8, relu, dense 4";
    Small { batch: 8, classes: 4, choice, parts, training, ..Small::new(network, Loss::CrossEntropy) }
}

/// With cooperative matrices: all layers but the last fit tiles of 8.
fn cooperative() -> Small {
    let small = with(Choice::GPU.in_precision(Precision::F16).with_cooperative(&[16, 8]));
    Small { network: "dense 16, tanh, dense 8, relu, dense 16, relu, dense 4".parse().unwrap(), ..small }
}

fn gradients(small: &Small) -> Vec<f64> {
    let (lowered, mut engine) = start(small);
    let step = Step { samples: 8, learning_rate: 1.0, ..Step::default() };
    engine.run(lowered.program.section(TRAIN), &step);
    real(&engine, lowered.gradients)
}

/// Norms of a gradient and of what another one is off by.
fn difference(one: &[f64], other: &[f64]) -> (f64, f64) {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    (norm(&mut one.iter().copied()), norm(&mut one.iter().zip(other).map(|(one, other)| one - other)))
}

#[test]
fn f16_changes_gradients_by_no_more_than_its_roundings() {
    let of = |precision| gradients(&in_precision(precision));
    let (size, off) = difference(&of(Precision::F32), &of(Precision::F16));
    // A gradient passes three layers forwards and at most three backwards, and each product rounds one of its
    // factors by at most 2⁻¹². A softmax and two activations at most double that.
    assert!(off <= 2.0 * 6.0 * size / 4_096.0, "off by {off:e} of {size:e}");
    // It is f16.
    assert!(off >= size / 1e6, "off by {off:e} of {size:e}");
}

#[test]
fn cooperative_matrices_change_gradients_by_no_more_than_both_roundings() {
    let small = cooperative();
    let plain = Small { choice: Choice::GPU, ..small.clone() };
    let (size, off) = difference(&gradients(&plain), &gradients(&small));
    // As above, of four layers each way, and with both factors rounded.
    assert!(off <= 2.0 * 8.0 * 2.0 * size / 4_096.0, "off by {off:e} of {size:e}");
    assert!(off >= size / 1e6, "off by {off:e} of {size:e}");
}

/// The gradients of the first layer made by cooperative matrices, in a step of `samples` samples.
///
/// The weights of the last layer are multiplied by `times`, and so are the gradients in front of it.
fn in_front(small: &Small, samples: u32, times: f32) -> Vec<f64> {
    let (lowered, mut engine) = start(small);
    enlarge(&lowered, &mut engine, times);
    engine.run(lowered.program.section(TRAIN), &Step { samples, ..Step::default() });
    let weights = lowered.arena.find("2.weight").unwrap();
    real(&engine, lowered.gradients)[weights.start..weights.start + weights.len()].to_vec()
}

#[test]
fn gradients_keep_their_digits_however_many_samples_a_step_has() {
    let one = cooperative();
    let sixteen = Small {
        training: Training { accumulate: 16, ..Training::with(Optimiser::sgd(0.0)) },
        parts: vec![Part { name: TRAIN, samples: 128 }],
        ..cooperative()
    };
    // A last step may have one sample of eight only, whose gradients are eight times as large; sixteen batches
    // have sixteen times as many as one, and as much smaller gradients. What a sample has is as large in all of
    // them: near the largest f16, in the middle of them, and so small that eight times as small would be lost.
    for (small, samples) in [(&one, 1), (&one, 3), (&one, 8), (&sixteen, 128), (&sixteen, 100), (&sixteen, 1)]
    {
        for times in [256.0, 1.0, 1.0 / 64.0] {
            let plain = Small { choice: Choice::GPU, ..small.clone() };
            let [plain, scaled] = [&plain, small].map(|small| in_front(small, samples, times));
            let (size, off) = difference(&plain, &scaled);
            let what = format!("{samples} samples, times {times}: off by {off:e} of {size:e}");
            assert!(off <= 2.0 * 8.0 * 2.0 * size / 4_096.0, "{what}");
        }
    }
}

/// Multiplies the weights of the last layer.
fn enlarge(lowered: &Lowered, engine: &mut CpuEngine<f64>, times: f32) -> Vec<f32> {
    let mut parameters: Vec<f32> =
        real(engine, lowered.parameters).iter().map(|value| *value as f32).collect();
    let last = lowered.arena.find("6.weight").unwrap();
    parameters[last.start..last.start + last.len()].iter_mut().for_each(|weight| *weight *= times);
    engine.write(lowered.parameters, Slice::Real(&parameters)).unwrap();
    parameters
}

#[test]
fn cooperative_matrices_take_what_fits_their_tiles() {
    let small = cooperative();
    let lowered = small.lower().unwrap();
    let steps = &lowered.program.steps[lowered.program.section(TRAIN)];
    let of = |name: &str| {
        let labels = steps.iter().filter(|dispatch| dispatch.kernel.name == name);
        labels.map(Dispatch::label).collect::<Vec<_>>()
    };
    // The first layer has 12 inputs, the last one 4 outputs.
    let products = [
        "2 dense: weighted sums",
        "4 dense: weighted sums",
        "4 dense: weight gradient",
        "4 dense: input gradient",
        "2 dense: weight gradient",
        "2 dense: input gradient",
    ];
    assert_eq!(of("matmul_cooperative"), products);
    let (count, others) = lowered.by_cooperative_matrices();
    assert_eq!((count, lowered.cooperative_tile_sizes()), (6, vec![8]));
    assert_eq!(others[0], "0 dense: weighted sums (8×16×12)");
    assert_eq!(others.len(), 2 + 3);
    // The others read f16 too.
    assert_eq!(of("matmul_f16").len(), others.len());
    assert!(lowered.in_f32().is_empty());
    // Each value, weight and gradient is packed once: of the first layer a weight and the samples, of the two
    // in the middle x, the weights and dz, of the last the weights and x.
    assert_eq!(of("pack_f16").len(), 2 + 3 + 3 + 2);
    let scaled = steps.iter().filter(|dispatch| {
        let consts = &dispatch.consts;
        consts.iter().any(|(name, _)| name == "GRADIENT") && consts.flag("GRADIENT")
    });
    // Gradients alone are scaled, and each of them is read by two products.
    let names: Vec<&str> = scaled.map(|dispatch| dispatch.kernel.name).collect();
    assert_eq!(names, ["pack_f16", "matmul_cooperative", "matmul_cooperative"].repeat(2));
    // Tiles of 16 are used only if all sizes are multiples of 16.
    let large = Small { batch: 16, parts: vec![Part { name: TRAIN, samples: 16 }], ..cooperative() };
    assert_eq!(large.lower().unwrap().cooperative_tile_sizes(), [8]);
    let network = "dense 16, tanh, dense 32, relu, dense 16, relu, dense 8, dense 4".parse().unwrap();
    assert_eq!(Small { network, ..large }.lower().unwrap().cooperative_tile_sizes(), [8, 16]);
}

#[test]
fn layers_in_f16_are_listed_once_and_without_the_products_of_optimisers() {
    let told = |small: &Small| {
        let lowered = small.lower().unwrap();
        (lowered.by_cooperative_matrices(), lowered.in_f32())
    };
    let training = Training { accumulate: 3, ..Training::with("muon".parse().unwrap()) };
    for small in [cooperative(), in_precision(Precision::F16), in_precision(Precision::F32)] {
        let usual = told(&small);
        // Muon multiplies, in f32 and at each of its iterations.
        let more = Small {
            training: training.clone(),
            parts: vec![Part { name: TRAIN, samples: 24 }],
            ..small.clone()
        };
        let steps = |small: &Small| small.lower().unwrap().program.section(TRAIN).len();
        assert!(steps(&more) > 3 * steps(&small));
        assert_eq!(told(&more), usual);
    }
}

#[test]
fn a_gradient_that_no_f16_can_hold_stops_the_update() {
    // Whether the weights stay the same when those of the last layer are multiplied by `times`. The gradient in
    // front of it is multiplied too: from 2⁵ on, packed times 2¹¹, it is beyond f16.
    let stays = |small: &Small, times: f32| {
        let (lowered, mut engine) = start(small);
        let parameters = enlarge(&lowered, &mut engine, times);
        let step = Step { samples: 8, learning_rate: 1.0, ..Step::default() };
        engine.run(lowered.program.section(TRAIN), &step);
        real(&engine, lowered.parameters).iter().zip(&parameters).all(|(now, then)| *now as f32 == *then)
    };
    let one_factor = Small { choice: Choice::GPU.in_precision(Precision::F16), ..cooperative() };
    assert_eq!([1.0, 4_000.0].map(|times| stays(&cooperative(), times)), [false, true]);
    assert_eq!([1.0, 4_000.0].map(|times| stays(&one_factor, times)), [false, false]);
}

#[test]
fn a_factor_of_several_products_is_copied_to_f16_once() {
    let program = in_precision(Precision::F16).lower().unwrap().program;
    let names: Vec<&str> =
        program.steps[program.section(TRAIN)].iter().map(|dispatch| dispatch.kernel.name).collect();
    let (pack, product) = ("pack_f16", "matmul_f16");
    let forward = [pack, product, pack, product, pack, product, "softmax_loss"];
    // dW of what came in, and its db; dx of the weights, of which there is a copy already.
    let layer = [pack, product, "column_sums", product];
    let update = ["gradient_parts", "guard", "sgd"];
    let backward = [&layer[..], &layer, &layer[..3]].concat();
    assert_eq!(names, [&["gather_batch"][..], &forward, &backward, &update].concat());
}

#[test]
fn a_weight_that_no_f16_can_hold_stops_the_update() {
    let (lowered, mut engine) = start(&in_precision(Precision::F16));
    let mut parameters: Vec<f32> =
        real(&engine, lowered.parameters).iter().map(|value| *value as f32).collect();
    let last = lowered.arena.find("4.weight").unwrap();
    parameters[last.start] = 70_000.0;
    engine.write(lowered.parameters, Slice::Real(&parameters)).unwrap();
    engine.run(lowered.program.section(TRAIN), &Step { samples: 8, learning_rate: 1.0, ..Step::default() });
    let after: Vec<f32> = real(&engine, lowered.parameters).iter().map(|value| *value as f32).collect();
    assert_eq!(after, parameters);
    assert!(real(&engine, lowered.norm)[0].is_nan() || !real(&engine, lowered.gradients)[0].is_finite());
}
