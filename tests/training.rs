//! Training as a whole: the shaders agree with the CPU engine, and learn. These tests need an adapter and fail without
//! one: run `./setup`.

#[path = "common/checked.rs"]
mod checked;
mod common;
#[path = "common/dispatches.rs"]
mod dispatches;

use checked::assert_checked;
use common::adapter;
use dispatches::{first_with, in_arena};
use wgrad::internals::data::{self, Dataset, Normaliser, Samples};
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::checks::Checks;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::engine::gpu::GpuEngine;
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::kernel::{Access, Augmentation, Const, Consts, Slice, Step};
use wgrad::internals::network::lower::{HELD_OUT, Lowered, Lowering, Part, TRAIN, Training, lower};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::Dispatch;
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::table::choice::Choice;
use wgrad::internals::train::trainer::{Settings, Trainer};
use wgrad::internals::verify::diff::first_divergence;

const NETWORK: &str = "dense 64, relu, dense 10";
const SETTINGS: Settings = Settings::new(0.05, 0);

fn lowered(network: &str, dataset: &Dataset, choice: Choice) -> Lowered {
    // With momentum, so that there is optimiser state.
    lowered_for(network, dataset, choice, Training::with(Optimiser::sgd(0.9)))
}

fn lowered_for(network: &str, dataset: &Dataset, choice: Choice, training: Training) -> Lowered {
    changing(network, dataset, choice, training, Augmentation::default())
}

fn changing(
    network: &str,
    dataset: &Dataset,
    choice: Choice,
    training: Training,
    augment: Augmentation,
) -> Lowered {
    rewritten(network, dataset, choice, training, augment, Rewrites::ALL)
}

fn rewritten(
    network: &str,
    dataset: &Dataset,
    choice: Choice,
    training: Training,
    augment: Augmentation,
    rewrites: Rewrites,
) -> Lowered {
    lower(&Lowering {
        parts: vec![
            Part { name: TRAIN, samples: dataset.train.len() },
            Part { name: HELD_OUT, samples: dataset.held_out.len() },
        ],
        choice,
        rewrites,
        augment,
        training,
        ..Lowering::new(&network.parse().unwrap(), &dataset.train.shape, dataset.classes.len(), 32)
    })
    .unwrap()
}

fn on_gpu(lowered: &Lowered) -> Box<dyn Engine> {
    Box::new(GpuEngine::new(&adapter(), lowered.program.clone(), Checks::On).unwrap())
}

fn on_cpu(lowered: &Lowered) -> Box<dyn Engine> {
    Box::new(CpuEngine::fast(lowered.program.clone()).unwrap())
}

fn trainer(engine: Box<dyn Engine>, lowered: Lowered, dataset: &Dataset, settings: Settings) -> Trainer {
    let parameters = lowered.arena.initial_values(settings.seed);
    let normaliser = Normaliser::of(&dataset.train);
    let mut trainer = Trainer::new(engine, lowered, settings, &parameters, &normaliser).unwrap();
    trainer.load(TRAIN, &dataset.train).unwrap();
    trainer.load(HELD_OUT, &dataset.held_out).unwrap();
    trainer
}

/// A small data set, of the first samples of the train part.
fn first(dataset: &Dataset, samples: usize) -> Dataset {
    let indices: Vec<usize> = (0..samples).collect();
    Dataset { train: dataset.train.subset(&indices), ..dataset.clone() }
}

/// Every set of shaders that this adapter can run; on lavapipe all of them.
fn choices() -> Vec<(&'static str, Choice)> {
    let all = [
        ("naive", Choice::NAIVE),
        ("tiled", Choice::GPU),
        ("register", Choice::SOFTWARE),
        ("subgroup", Choice::SOFTWARE_SUBGROUPS),
    ];
    let (adapter, names) = (adapter(), all.map(|(name, _)| name));
    let device = Device::Gpu(adapter.clone());
    let lacks = |choice: &Choice| {
        choice.kernels().find_map(|kernel| Some(format!("{} {}", kernel.name, device.lacks(kernel)?)))
    };
    let (run, left_out): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, choice)| lacks(choice).is_none());
    let left_out: Vec<(&str, String)> =
        left_out.into_iter().filter_map(|(name, choice)| Some((name, lacks(&choice)?))).collect();
    let checked: Vec<&str> = run.iter().map(|(name, _)| *name).collect();
    assert_checked(&adapter, "training by the shaders", &checked, &left_out, &names);
    run
}

#[test]
fn digits_are_learned_on_the_gpu() {
    let dataset = data::load("digits").unwrap();
    let lowered = lowered(NETWORK, &dataset, Device::Gpu(adapter()).choice());
    let mut trainer = trainer(on_gpu(&lowered), lowered, &dataset, SETTINGS);
    for epoch in 1..=20 {
        trainer.epoch(epoch, &mut |_| {}).unwrap();
    }
    let measure = trainer.measure(HELD_OUT).unwrap();
    assert_eq!(measure.samples, 360);
    assert!(measure.accuracy > 0.96, "{measure:?}");
}

/// Trains for ten steps on the CPU engine and by each set of shaders, and compares losses.
fn compare_ten_steps(network: &str, all: &[(&str, Choice)]) {
    // 320 samples are ten batches of 32, and each batch's loss is measured before its update.
    let dataset = first(&data::load("digits").unwrap(), 320);
    let losses = |engine: &dyn Fn(&Lowered) -> Box<dyn Engine>, choice| {
        let lowered = lowered(network, &dataset, choice);
        let mut trainer = trainer(engine(&lowered), lowered, &dataset, SETTINGS);
        let mut sums = vec![0.0];
        trainer.epoch(1, &mut |p| sums.push(p.so_far.loss * p.so_far.samples as f64)).unwrap();
        (sums, trainer.measure(HELD_OUT).unwrap().loss)
    };
    let (cpu, cpu_held_out) = losses(&on_cpu, Choice::NAIVE);
    assert!(cpu.last() > Some(&1.0), "ten steps from nothing have a loss: {cpu:?}");
    let (fewer, fewer_held_out) = losses(&on_cpu, Choice::CPU);
    let apart = (fewer.last().unwrap() - cpu.last().unwrap()) / 320.0;
    assert!(apart.abs() < 1e-4 && (fewer_held_out - cpu_held_out).abs() < 1e-4, "{fewer:?}, {cpu:?}");
    for (name, choice) in all {
        let (gpu, held_out) = losses(&on_gpu, *choice);
        let (cpu_mean, gpu_mean) = (cpu.last().unwrap() / 320.0, gpu.last().unwrap() / 320.0);
        assert!((cpu_mean - gpu_mean).abs() < 1e-4, "{name}: {gpu_mean} on the GPU, {cpu_mean} on the CPU");
        assert!((cpu_held_out - held_out).abs() < 1e-4, "{name}: {held_out} against {cpu_held_out}");
    }
}

#[test]
fn ten_steps_have_the_same_losses_on_gpu_and_cpu() {
    compare_ten_steps(NETWORK, &choices());
}

#[test]
fn ten_steps_in_f16_have_about_the_same_losses() {
    let dataset = first(&data::load("digits").unwrap(), 320);
    let loss = |engine: &dyn Fn(&Lowered) -> Box<dyn Engine>, choice| {
        let lowered = lowered("dense 64, relu, dense 32, relu, dense 10", &dataset, choice);
        let mut trainer = trainer(engine(&lowered), lowered, &dataset, SETTINGS);
        trainer.epoch(1, &mut |_| {}).unwrap();
        trainer.measure(HELD_OUT).unwrap().loss
    };
    let f16 = |choice: Choice| choice.in_precision(Precision::F16);
    let single = loss(&on_cpu, Choice::NAIVE);
    for (name, measured) in
        [("CPU", loss(&on_cpu, f16(Choice::NAIVE))), ("GPU", loss(&on_gpu, f16(Choice::GPU)))]
    {
        // Weights are read with 11 binary digits, so each is off by 2⁻¹² at the most.
        assert!(
            measured != single && (measured - single).abs() < 0.01 * single,
            "{name}: {measured}, {single}"
        );
    }
}

#[test]
fn digits_are_learned_in_f16() {
    let dataset = data::load("digits").unwrap();
    let lowered = lowered(NETWORK, &dataset, Choice::NAIVE.in_precision(Precision::F16));
    assert!(lowered.program.steps.iter().any(|step| step.kernel.name == "matmul_f16"));
    let mut trainer = trainer(on_cpu(&lowered), lowered, &dataset, SETTINGS);
    for epoch in 1..=20 {
        trainer.epoch(epoch, &mut |_| {}).unwrap();
    }
    // The same as digits_are_learned_on_the_gpu requires of f32.
    let measure = trainer.measure(HELD_OUT).unwrap();
    assert!(measure.accuracy > 0.96, "{measure:?}");
}

#[test]
fn long_sums_in_slices_have_the_same_losses_on_gpu_and_cpu() {
    let network = "dense 256, relu, dense 20, relu, dense 10";
    let steps = lowered(network, &data::load("digits").unwrap(), Choice::GPU).program.steps;
    assert!(steps.iter().any(|step| step.kernel.name == "matmul_slices"));
    compare_ten_steps(network, &[("in slices", Choice::GPU)]);
}

#[test]
fn augmented_samples_have_the_same_losses_on_gpu_and_cpu() {
    let dataset = first(&data::load("digits").unwrap(), 320);
    let changes = "shift 1, rotate 15, scale 0.1, shear 0.1, cutout 2, brightness 0.1, contrast 0.1";
    let losses = |engine: &dyn Fn(&Lowered) -> Box<dyn Engine>, changes: &str| {
        let training = Training::with(Optimiser::sgd(0.9));
        let lowered = changing(NETWORK, &dataset, Choice::NAIVE, training, changes.parse().unwrap());
        let settings = Settings { seed: 9, ..SETTINGS };
        let mut trainer = trainer(engine(&lowered), lowered, &dataset, settings);
        [1, 2].map(|epoch| trainer.epoch(epoch, &mut |_| {}).unwrap().loss)
    };
    let (gpu, cpu) = (losses(&on_gpu, changes), losses(&on_cpu, changes));
    let close = |a: f64, b: f64| (a - b).abs() < 1e-4;
    assert!(close(gpu[0], cpu[0]) && close(gpu[1], cpu[1]), "{gpu:?} on the GPU, {cpu:?} on the CPU");
    // Without augmentation it is another, easier task.
    assert!(losses(&on_cpu, "none")[1] < cpu[1] - 0.01);
}

#[test]
fn one_batch_is_memorised() {
    let dataset = first(&data::load("digits").unwrap(), 32);
    let lowered = lowered(NETWORK, &dataset, Device::Gpu(adapter()).choice());
    let mut trainer = trainer(on_gpu(&lowered), lowered, &dataset, SETTINGS);
    let mut loss = f64::INFINITY;
    for epoch in 1..=200 {
        loss = trainer.epoch(epoch, &mut |_| {}).unwrap().loss;
    }
    assert!(loss < 0.01, "{loss}");
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let dataset = first(&data::load("digits").unwrap(), 500);
    let weights = |seed| {
        let lowered = lowered(NETWORK, &dataset, Device::Gpu(adapter()).choice());
        let mut trainer = trainer(on_gpu(&lowered), lowered, &dataset, Settings { seed, ..SETTINGS });
        for epoch in 1..=3 {
            trainer.epoch(epoch, &mut |_| {}).unwrap();
        }
        trainer.parameters().unwrap().iter().map(|weight| weight.to_bits()).collect::<Vec<u32>>()
    };
    let once = weights(7);
    assert_eq!(once, weights(7));
    assert_ne!(once, weights(8));
}

#[test]
fn a_divergence_is_reported_and_leaves_nothing_in_flight() {
    let dataset = first(&data::load("digits").unwrap(), 320);
    let lowered = lowered(NETWORK, &dataset, Choice::NAIVE);
    let settings = Settings { learning_rate: 1e30, ..SETTINGS };
    let mut trainer = trainer(on_gpu(&lowered), lowered, &dataset, settings);
    let error = trainer.epoch(1, &mut |_| {}).unwrap_err();
    assert_eq!(error.exit_code(), 5, "{error}");
    // No submission is in flight any more: the trainer goes on working.
    trainer.measure(HELD_OUT).unwrap();
}

#[test]
fn samples_that_do_not_fit_the_lowered_network_are_refused() {
    let dataset = first(&data::load("digits").unwrap(), 64);
    let lowered = lowered(NETWORK, &dataset, Choice::NAIVE);
    let mut trainer = trainer(on_cpu(&lowered), lowered, &dataset, SETTINGS);
    let mut labels = dataset.train.labels.clone();
    labels[5] = 10;
    let wrong = Samples { labels, ..dataset.train.clone() };
    assert!(trainer.load(TRAIN, &wrong).unwrap_err().to_string().contains("label 10"));
    let few = dataset.train.subset(&[0, 1]);
    assert!(trainer.load(TRAIN, &few).unwrap_err().to_string().contains("2 images"));
}

/// The plain Program and the rewritten one, each on both engines: every dispatch of a step is within the bound of
/// its own arithmetic, and training repeats to the bit. That both compute the same up to roundings is in
/// `tests/program/rewrites.rs`, in f64.
#[test]
fn the_plain_and_the_rewritten_program_train_within_their_bounds_and_repeat_to_the_bit() {
    type Open = fn(&Lowered) -> Box<dyn Engine>;
    let dataset = first(&data::load("digits").unwrap(), 320);
    let network = "dense 64, relu, dense 10";
    let engines: [(&str, Open, Choice); 2] =
        [("the CPU engine", on_cpu, Choice::CPU), ("the adapter", on_gpu, Device::Gpu(adapter()).choice())];
    for (name, open, choice) in engines {
        let mut losses = Vec::new();
        for rewrites in [Rewrites::NONE, Rewrites::ALL] {
            let training = Training::with(Optimiser::sgd(0.9));
            let lowered = rewritten(network, &dataset, choice, training, Augmentation::default(), rewrites);
            let mut engine = open(&lowered);
            fill(engine.as_mut(), &lowered, &dataset);
            let step = Step { samples: 32, learning_rate: 0.1, momentum: 0.5, ..Step::default() };
            let section = lowered.program.section(TRAIN);
            let divergence = first_divergence(engine.as_mut(), &lowered.program, section, &step).unwrap();
            assert!(divergence.is_none(), "{name}, rewrites {rewrites}: {}", divergence.unwrap());
            let trained = || {
                let mut trainer = trainer(open(&lowered), lowered.clone(), &dataset, SETTINGS);
                let measure = trainer.epoch(1, &mut |_| {}).unwrap();
                (trainer.parameters().unwrap(), measure.loss)
            };
            let ((once, loss), (again, _)) = (trained(), trained());
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert!(bits(&once) == bits(&again), "{name}, rewrites {rewrites}: another run has other bits");
            losses.push(loss);
        }
        assert!((losses[0] - losses[1]).abs() < 1e-4, "{name}: {losses:?}");
    }
}

/// Every dispatch of a real step, on the inputs of that step.
#[test]
fn a_step_diverges_nowhere_and_a_broken_one_where_it_is_broken() {
    let dataset = first(&data::load("digits").unwrap(), 40);
    for (name, choice) in choices() {
        let mut lowered = lowered("dense 20, tanh, dense 24, relu, dense 10", &dataset, choice);
        let step = Step { first: 32, samples: 8, learning_rate: 0.1, momentum: 0.5, ..Step::default() };
        let section = lowered.program.section(TRAIN);
        let mut engine = on_gpu(&lowered);
        fill(engine.as_mut(), &lowered, &dataset);
        let divergence = first_divergence(engine.as_mut(), &lowered.program, section.clone(), &step).unwrap();
        assert!(divergence.is_none(), "{name}: {}", divergence.unwrap());

        // The engine runs the Program as it was; the twin gets other constants.
        let gradient = in_arena(lowered.gradients, &lowered, "0.weight");
        let broken = first_with(&lowered, Access::Write, gradient);
        assert!(section.contains(&broken), "{broken} is not in {section:?}");
        let Dispatch { kernel, consts, .. } = &mut lowered.program.steps[broken];
        // Four samples too few, whatever the constant is called.
        let short =
            |(name, value)| (name, if ["K", "BATCH"].contains(&name) { Const::Uint(28) } else { value });
        *consts = Consts::new(consts.iter().map(short).collect());
        let kernel = kernel.name;
        fill(engine.as_mut(), &lowered, &dataset);
        let step = Step { first: 0, samples: 32, ..step };
        let divergence = first_divergence(engine.as_mut(), &lowered.program, section, &step).unwrap();
        let divergence = divergence.expect("the last sample is missing from the sums");
        assert_eq!((divergence.dispatch, divergence.kernel.name), (broken, kernel));
        let text = divergence.to_string();
        assert!(text.contains("c[") || text.contains("dweight["), "{text}");
    }
}

/// Data and initial weights, without a trainer.
fn fill(engine: &mut dyn Engine, lowered: &Lowered, dataset: &Dataset) {
    let part = lowered.part(TRAIN).unwrap();
    engine.write(lowered.parameters, Slice::Real(&lowered.arena.initial_values(3))).unwrap();
    let constants = Normaliser::of(&dataset.train).scale_and_shift();
    engine.write(lowered.normaliser, Slice::Real(&constants)).unwrap();
    engine.write(part.images, Slice::Uint(&wgrad::internals::train::trainer::pack(&dataset.train))).unwrap();
    engine.write(part.labels, Slice::Uint(&dataset.train.labels)).unwrap();
    let order: Vec<u32> = (0..part.samples as u32).collect();
    engine.write(part.order, Slice::Uint(&order)).unwrap();
}

/// `predict` normalises a picture on the host as the shader normalises the same bytes.
#[test]
fn host_and_shader_normalise_alike() {
    let dataset = first(&data::load("digits").unwrap(), 32);
    let lowered = lowered(NETWORK, &dataset, Choice::NAIVE);
    let mut engine = on_gpu(&lowered);
    fill(engine.as_mut(), &lowered, &dataset);
    let gather = lowered.program.section(TRAIN).start;
    let x = lowered.program.steps[gather].args[4];
    let step = Step { samples: 32, ..Step::default() };
    let ticket = engine.submit(gather..gather + 1, &[step], x).unwrap();
    let shader = engine.wait(ticket).unwrap();
    let normaliser = Normaliser::of(&dataset.train);
    let host: Vec<f32> = (0..32)
        .flat_map(|at| {
            wgrad::internals::train::trainer::normalise(
                dataset.train.image(at),
                &dataset.train.shape,
                &normaliser,
            )
        })
        .collect();
    assert_eq!(host.len(), shader.len());
    for (host, shader) in host.iter().zip(&shader) {
        // A product and a sum, which a GPU may fuse: at most two roundings apart.
        assert!((host - shader).abs() <= 2.0 * f32::EPSILON * (shader.abs() + 2.0), "{host} {shader}");
    }
}

/// The weights after two epochs of ten steps on an engine.
fn trained_with(training: &Training, engine: &dyn Fn(&Lowered) -> Box<dyn Engine>) -> Vec<f32> {
    let dataset = first(&data::load("digits").unwrap(), 320);
    let lowered = lowered_for(NETWORK, &dataset, Choice::NAIVE, training.clone());
    let mut trainer = trainer(engine(&lowered), lowered, &dataset, SETTINGS);
    for epoch in 1..=2 {
        trainer.epoch(epoch, &mut |_| {}).unwrap();
    }
    trainer.measured_parameters().unwrap()
}

#[test]
fn clipping_accumulation_and_ema_agree_on_gpu_and_cpu() {
    let plain = Training::with(Optimiser::sgd(0.9));
    let without = trained_with(&plain, &on_cpu);
    let weights: Vec<f32> = (0..10).map(|class| 0.5 + 0.25 * class as f32).collect();
    for (what, training) in [
        ("accumulation", Training { accumulate: 4, ..plain.clone() }),
        ("averaging", Training { ema: Some(0.95), ..plain.clone() }),
        ("label smoothing", Training { label_smoothing: 0.1, ..plain.clone() }),
        ("class weights", Training { class_weights: weights, ..plain.clone() }),
        ("clipping by norm", Training { clip_norm: Some(0.5), ..plain.clone() }),
        ("clipping by value", Training { clip_value: Some(0.01), ..plain.clone() }),
        (
            "all at once",
            Training {
                accumulate: 3,
                ema: Some(0.9),
                label_smoothing: 0.1,
                clip_norm: Some(0.5),
                ..plain.clone()
            },
        ),
    ] {
        let [cpu, gpu] = [&on_cpu as &dyn Fn(&Lowered) -> Box<dyn Engine>, &on_gpu]
            .map(|engine| trained_with(&training, engine));
        let furthest =
            |one: &[f32], two: &[f32]| one.iter().zip(two).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
        // Sums of up to 64 terms of size 1 are within 64 · 6e-8 = 4e-6 of each other, and twenty
        // steps of 0.05 that momentum makes ten times as long add up to ten gradients: 4e-5.
        let apart = furthest(&cpu, &gpu);
        assert!(apart < 1e-4, "{what}: weights are {apart} apart");
        let effect = furthest(&cpu, &without);
        assert!(effect > 1e-2, "{what} changes weights by {effect} alone");
    }
}
