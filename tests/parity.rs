//! Every kernel on every awkward shape against its twin, on the adapter that
//! `WGPU_ADAPTER_NAME` names or the best one, with the shader's bounds checks
//! on (and bindings over the guard words, where the checks would drop what is
//! written too far) and off; and the CPU engine's fast functions likewise.
//!
//! These tests need an adapter. Without one they fail: run `./setup`.

mod common;

use std::time::Instant;

use common::adapter;
use wgrad::engine::Engine;
use wgrad::engine::adapter::Device;
use wgrad::engine::checks::Checks;
use wgrad::engine::cpu::CpuEngine;
use wgrad::engine::gpu::GpuEngine;
use wgrad::error::Result;
use wgrad::program::Program;
use wgrad::table;
use wgrad::verify::cases::{self, cases_on};

fn check_all(device: &Device, mut make_engine: impl FnMut(Program) -> Result<Box<dyn Engine>>) {
    let mut problems = Vec::new();
    for kernel in table::ALL {
        if let Some(lacking) = device.lacks(kernel) {
            println!("{:<20} not available: {lacking}: never used on this adapter", kernel.name);
            continue;
        }
        let start = Instant::now();
        let verdict = cases::check(kernel, &cases_on(kernel, device), &mut make_engine).unwrap();
        let (cases, worst) = (verdict.cases, verdict.comparison.worst);
        println!(
            "{:<20} {cases:>3} cases  worst {worst:.3} of its bound  {:.1?}",
            kernel.name,
            start.elapsed()
        );
        problems.extend(verdict.problem);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn on_adapter(checks: Checks) {
    let adapter = adapter();
    let device = Device::Gpu(adapter.clone());
    check_all(&device, |program| Ok(Box::new(GpuEngine::new(&adapter, program, checks)?)));
}

#[test]
fn shaders_match_their_twins_with_checks_on() {
    on_adapter(Checks::Wide);
}

#[test]
fn shaders_match_their_twins_with_checks_off() {
    on_adapter(Checks::Off);
}

const CPU: Device = Device::Cpu { reason: None };

#[test]
fn fast_cpu_functions_match_their_twins() {
    check_all(&CPU, |program| Ok(Box::new(CpuEngine::fast(program)?)));
}

#[test]
fn twins_in_f32_match_themselves_in_f64() {
    check_all(&CPU, |program| Ok(Box::new(CpuEngine::plain(program)?)));
}
