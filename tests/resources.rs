//! After the first step a GPU engine creates no buffer, pipeline or bind group, by wgpu's own counts.
//!
//! This test needs an adapter. Without one it fails: run `./setup`.

use wgpu::{Backends, Instance, InstanceDescriptor};
use wgrad::internals::bench::training::{NETWORKS, lowered, noise};
use wgrad::internals::data::Normaliser;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::checks::Checks;
use wgrad::internals::engine::gpu::GpuEngine;
use wgrad::internals::engine::profile::Profiler;
use wgrad::internals::network::lower::TRAIN;
use wgrad::internals::train::trainer::{Settings, Trainer};

/// The counts of an instance; modules and layouts are dropped once there are pipelines.
fn kept(instance: &Instance) -> [(&'static str, usize); 4] {
    let report = instance.generate_report().expect("wgpu counts everywhere but in browsers");
    let hub = report.hub_report();
    [
        ("buffers", hub.buffers.num_allocated),
        ("bind groups", hub.bind_groups.num_allocated),
        ("pipelines", hub.compute_pipelines.num_allocated),
        ("query sets", hub.query_sets.num_allocated),
    ]
}

#[test]
fn after_the_first_step_nothing_is_made_on_the_device() {
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(Backends::all()));
    let adapter = adapters.into_iter().next().expect("an adapter: run ./setup");
    let samples = noise(256);
    let device = Device::Gpu(adapter.clone());
    let lowered = lowered(&device, device.choice(), NETWORKS[0].layers, 32, &samples).unwrap();
    let before = kept(&instance);
    let (profiler, program) = (Profiler::default(), lowered.program.clone());
    profiler.watch(program.section(TRAIN), 20);
    let engine = GpuEngine::with_profiler(&adapter, program, Checks::Off, &profiler).unwrap();
    let parameters = lowered.arena.initial_values(0);
    let settings = Settings::new(0.01, 0);
    let mut trainer =
        Trainer::new(Box::new(engine), lowered, settings, &parameters, &Normaliser::of(&samples)).unwrap();
    trainer.load(TRAIN, &samples).unwrap();
    let mut epoch = |number| {
        trainer.epoch(number, &mut |_| {}).unwrap();
        trainer.measure(TRAIN).unwrap();
        trainer.parameters().unwrap();
        kept(&instance)
    };
    let first = epoch(1);
    // The counts work.
    assert!(first.iter().zip(&before).all(|((_, now), (_, before))| now > before), "{before:?} {first:?}");
    for number in 2..6 {
        assert_eq!(epoch(number), first, "after epoch {number}");
    }
}
