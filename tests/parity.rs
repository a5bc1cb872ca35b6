//! Every kernel on every awkward shape against its twin, on the adapter that
//! `WGPU_ADAPTER_NAME` names or the best one, with the shader's bounds checks
//! on (and bindings over the guard words, where the checks would drop writes
//! past the end) and off; and the CPU engine's fast functions likewise.
//!
//! These tests need an adapter. Without one they fail: run `./setup`.

#[path = "common/checked.rs"]
mod checked;
mod common;
#[path = "common/tiles.rs"]
mod tiles;

use std::time::Instant;

use checked::assert_checked;
use common::adapter;
use wgrad::Result;
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::checks::Checks;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::engine::gpu::GpuEngine;
use wgrad::internals::program::Program;
use wgrad::internals::table;
use wgrad::internals::verify::cases::{self, cases_on};

/// The kernels that the CPU engine and lavapipe, with subgroups of 8, must have been checked on.
const KERNELS: &str = "
    gather_batch one_hot
    matmul_naive matmul matmul_vectors matmul_register matmul_subgroup matmul_slices add_slices
    pack_f16 matmul_f16
    weight_gradient weight_gradient_tiled weight_gradient_vectors weight_gradient_subgroup
    weight_gradient_narrow_subgroup
    gather_dense_tiled gather_dense_subgroup gather_dense_gradient_tiled gather_dense_gradient_subgroup
    activation activation_backward softmax softmax_backward
    softmax_loss weighted_loss dense_softmax_loss_subgroup bce_loss squared_error
    column_sums gradient_parts guard square_sums clip_norm clip_value
    sgd sgd_momentum ada_grad rms_prop rms_prop_momentum rms_prop_centred adam lion
    muon_momentum frobenius_normalise newton_schulz muon ema hot_cold
    conv_naive conv conv_register conv_subgroup
    conv_weights_naive conv_weights conv_weights_register conv_weights_subgroup channel_sums
    max_pool max_pool_backward average_pool average_pool_backward
    moments_slices moments running_moments
    normalise normalise_slices normalise_backward normalise_weights dropout add";

/// The kernel for cooperative matrices, which lavapipe has since Mesa 26.
const COOPERATIVE: &str = "matmul_cooperative";

/// The kernels without a fast function, for which the fast CPU engine runs the twin.
const PLAIN: &str = "
    one_hot matmul_slices add_slices pack_f16 matmul_cooperative
    gather_dense_tiled gather_dense_subgroup gather_dense_gradient_tiled gather_dense_gradient_subgroup
    softmax softmax_backward weighted_loss bce_loss squared_error hot_cold moments running_moments";

fn expected(cooperative: bool) -> Vec<&'static str> {
    KERNELS.split_whitespace().chain(cooperative.then_some(COOPERATIVE)).collect()
}

/// The checked kernels, and those that the device can't run at all or on all cases, with what it lacks.
type Checked = (Vec<&'static str>, Vec<(&'static str, String)>);

fn check_all(device: &Device, mut make_engine: impl FnMut(Program) -> Result<Box<dyn Engine>>) -> Checked {
    let (mut problems, mut checked, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for kernel in table::ALL {
        if let Some(lacking) = device.lacks(kernel) {
            left_out.push((kernel.name, format!("{} {lacking}", device.name())));
            continue;
        }
        let cases = cases_on(kernel, device);
        let others = cases::cases(kernel).len() - cases.len();
        if others > 0 {
            assert_eq!(kernel.name, COOPERATIVE, "{others} cases were left out");
            left_out.push((
                kernel.name,
                format!("{others} of its cases have tiles that {} lacks", device.name()),
            ));
        }
        let start = Instant::now();
        let verdict = cases::check(kernel, &cases, &mut make_engine).unwrap();
        let (cases, worst) = (verdict.cases, verdict.comparison.worst);
        println!(
            "{:<20} {cases:>3} cases  worst {worst:.3} of its bound  {:.1?}",
            kernel.name,
            start.elapsed()
        );
        problems.extend(verdict.problem);
        checked.push(kernel.name);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    (checked, left_out)
}

fn on_adapter(checks: Checks) {
    let adapter = adapter();
    let device = Device::Gpu(adapter.clone());
    let (checked, left_out) =
        check_all(&device, |program| Ok(Box::new(GpuEngine::new(&adapter, program, checks)?)));
    let expected = expected(tiles::offers_tiles(&adapter));
    assert_checked(&adapter, "parity", &checked, &left_out, &expected);
}

#[test]
fn shaders_match_their_twins_with_checks_on() {
    on_adapter(Checks::Wide);
}

#[test]
fn shaders_match_their_twins_with_checks_off() {
    on_adapter(Checks::Off);
}

fn on_cpu(make_engine: impl FnMut(Program) -> Result<Box<dyn Engine>>) {
    let (mut checked, _) = check_all(&Device::Cpu { reason: None }, make_engine);
    let mut expected = expected(true);
    checked.sort_unstable();
    expected.sort_unstable();
    assert_eq!(checked, expected);
}

#[test]
fn fast_cpu_functions_match_their_twins() {
    let plain = table::ALL.iter().filter(|kernel| kernel.fast.is_none()).map(|kernel| kernel.name);
    assert_eq!(plain.collect::<Vec<_>>(), PLAIN.split_whitespace().collect::<Vec<_>>());
    on_cpu(|program| Ok(Box::new(CpuEngine::fast(program)?)));
}

#[test]
fn twins_in_f32_match_themselves_in_f64() {
    on_cpu(|program| Ok(Box::new(CpuEngine::plain(program)?)));
}
