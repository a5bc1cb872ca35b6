//! Every kernel on every awkward shape against its twin, on the adapter that
//! `WGPU_ADAPTER_NAME` names or the best one, with the shader's bounds checks
//! on and off; and the CPU engine's fast functions likewise.
//!
//! These tests need an adapter. Without one they fail: run `./setup`.

mod common;

use common::adapter;
use wgrad::cases;
use wgrad::engine::Engine;
use wgrad::engine::cpu::CpuEngine;
use wgrad::engine::gpu::{Checks, GpuEngine};
use wgrad::error::Result;
use wgrad::kernels;
use wgrad::program::Program;

fn check_all(mut make_engine: impl FnMut(Program) -> Result<Box<dyn Engine>>) {
    let mut problems = Vec::new();
    for kernel in kernels::ALL {
        let start = std::time::Instant::now();
        let verdict = cases::check(kernel, &mut make_engine).unwrap();
        println!(
            "{:<20} {:>3} cases  worst {:.3} of its bound  {:.1?}",
            kernel.name,
            verdict.cases,
            verdict.comparison.worst,
            start.elapsed()
        );
        problems.extend(verdict.problem);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn shaders_match_their_twins_with_checks_on() {
    check_all(|program| Ok(Box::new(GpuEngine::new(&adapter(), program, Checks::On)?)));
}

#[test]
fn shaders_match_their_twins_with_checks_off() {
    check_all(|program| Ok(Box::new(GpuEngine::new(&adapter(), program, Checks::Off)?)));
}

#[test]
fn fast_cpu_functions_match_their_twins() {
    check_all(|program| Ok(Box::new(CpuEngine::fast(program)?)));
}

#[test]
fn twins_in_f32_match_themselves_in_f64() {
    check_all(|program| Ok(Box::new(CpuEngine::plain(program)?)));
}
