//! Training as a whole, on the GPU against the CPU. Needs an adapter.

mod common;

use common::adapter;
use wgrad::data::{self, Normaliser};
use wgrad::engine::Engine;
use wgrad::engine::adapter::Device;
use wgrad::engine::cpu::CpuEngine;
use wgrad::engine::gpu::{Checks, GpuEngine};
use wgrad::loss::Loss;
use wgrad::lower::{HELD_OUT, Lowered, Lowering, Part, TRAIN, lower};
use wgrad::program::Limits;
use wgrad::record::Versions;
use wgrad::train::{Settings, Trainer};

fn lowered(network: &str, dataset: &data::Dataset, versions: Versions, limits: Limits) -> Lowered {
    lower(&Lowering {
        network: &network.parse().unwrap(),
        loss: Loss::CrossEntropy,
        shape: &dataset.train.shape,
        classes: dataset.classes.len(),
        batch: 32,
        parts: vec![
            Part { name: TRAIN, samples: dataset.train.len() },
            Part { name: HELD_OUT, samples: dataset.held_out.len() },
        ],
        versions,
        fuse: true,
        limits,
    })
    .unwrap()
}

fn trainer(engine: Box<dyn Engine>, lowered: Lowered, dataset: &data::Dataset) -> Trainer {
    let settings = Settings { learning_rate: 0.05, momentum: 0.9, seed: 0 };
    let parameters = lowered.arena.initial_values(0);
    let normaliser = Normaliser::of(&dataset.train);
    let mut trainer = Trainer::new(engine, lowered, settings, &parameters, &normaliser).unwrap();
    trainer.load(TRAIN, &dataset.train).unwrap();
    trainer.load(HELD_OUT, &dataset.held_out).unwrap();
    trainer
}

#[test]
fn digits_are_learned_on_the_gpu() {
    let dataset = data::load("digits").unwrap();
    let adapter = adapter();
    let lowered = lowered(
        "dense 64, relu, dense 10",
        &dataset,
        Versions::SOFTWARE,
        Device::Gpu(adapter.clone()).limits(),
    );
    let engine = GpuEngine::new(&adapter, lowered.program.clone(), Checks::On).unwrap();
    let mut trainer = trainer(Box::new(engine), lowered, &dataset);
    for epoch in 1..=20 {
        let measure = trainer.epoch(epoch, &mut |_| {}).unwrap();
        println!("{epoch} {measure:?}");
    }
    let measure = trainer.measure(HELD_OUT).unwrap();
    println!("{measure:?}");
    assert!(measure.accuracy > 0.96, "{measure:?}");
}

#[test]
fn digits_are_learned_on_the_cpu() {
    let dataset = data::load("digits").unwrap();
    let lowered = lowered("dense 64, relu, dense 10", &dataset, Versions::NAIVE, Limits::WEBGPU);
    let engine = CpuEngine::fast(lowered.program.clone()).unwrap();
    let mut trainer = trainer(Box::new(engine), lowered, &dataset);
    for epoch in 1..=20 {
        trainer.epoch(epoch, &mut |_| {}).unwrap();
    }
    let measure = trainer.measure(HELD_OUT).unwrap();
    println!("{measure:?}");
    assert!(measure.accuracy > 0.96, "{measure:?}");
}
