//! Training steps of a dense network on images of MNIST's size, on the CPU
//! engine and on every adapter. An "element" is a sample, so Kelem/s reads as
//! thousands of samples per second.
//!
//!     cargo bench --bench step

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wgrad::data::{ImageShape, Normaliser, Samples};
use wgrad::engine::adapter::{Device, adapters};
use wgrad::loss::Loss;
use wgrad::lower::{Lowering, Part, TRAIN, lower};
use wgrad::train::{Settings, Trainer};

const SAMPLES: usize = 4096;

/// Images of noise: how fast a step is does not depend on what it shows.
fn samples() -> Samples {
    let shape = ImageShape { channels: 1, height: 28, width: 28 };
    let pixels = (0..SAMPLES * shape.values()).map(|at| ((at * 2_654_435_761) >> 13) as u8).collect();
    Samples { shape, pixels, labels: (0..SAMPLES as u32).map(|at| at % 10).collect() }
}

fn trainer(device: &Device, network: &str, batch: usize, samples: &Samples) -> Trainer {
    let lowered = lower(&Lowering {
        network: &network.parse().unwrap(),
        loss: Loss::CrossEntropy,
        shape: &samples.shape,
        classes: 10,
        batch,
        parts: vec![Part { name: TRAIN, samples: samples.len() }],
        versions: device.versions(),
        fuse: true,
        limits: device.limits(),
    })
    .unwrap();
    let engine = device.open(lowered.program.clone()).unwrap();
    let parameters = lowered.arena.initial_values(0);
    let settings = Settings { learning_rate: 0.01, momentum: 0.9, seed: 0 };
    let mut trainer = Trainer::new(engine, lowered, settings, &parameters, &Normaliser::of(samples)).unwrap();
    trainer.load(TRAIN, samples).unwrap();
    trainer
}

fn steps(criterion: &mut Criterion) {
    let samples = samples();
    let mut devices = vec![Device::Cpu { reason: None }];
    devices.extend(adapters().into_iter().map(Device::Gpu));
    for (network, batch) in
        [("dense 128, relu, dense 10", 64), ("dense 512, relu, dense 256, relu, dense 10", 128)]
    {
        let mut group = criterion.benchmark_group(format!("{network}, batch {batch}"));
        group.throughput(Throughput::Elements(SAMPLES as u64));
        group.sample_size(10);
        for device in &devices {
            let mut trainer = trainer(device, network, batch, &samples);
            // The first epoch finds the pace.
            trainer.epoch(1, &mut |_| {}).unwrap();
            group.bench_function(device.name(), |bencher| {
                bencher.iter(|| trainer.epoch(1, &mut |_| {}).unwrap());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
