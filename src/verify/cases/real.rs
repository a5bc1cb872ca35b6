//! One case of real size per kernel, for timing.

use super::real_size::gather;
use super::{Case, bench_cases, cases, gather_dense, gradients, images, norm, products, updates};
use crate::engine::adapter::Device;
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Family, Kernel, Step};

/// A case of the size of real training.
///
/// That is a batch of 64 through a layer of 512, or as much work.
///
/// A kernel without one gets its largest awkward shape.
pub fn real(kernel: &Kernel) -> Case {
    let activation = Const::Uint(1);
    let consts = match kernel.name {
        name if products::has(kernel) => products::real_sizes(name).swap_remove(0),
        "activation" => consts! { LENGTH: 1_048_576usize, ACTIVATION: activation, LEAK: 0.01f32 },
        "activation_backward" => {
            consts! { LENGTH: 1_048_576usize, ACTIVATION: activation, LEAK: 0.01f32, ADD: false }
        }
        "softmax" => consts! { ROWS: 16_384usize, COLUMNS: 10usize },
        "softmax_backward" => consts! { ROWS: 16_384usize, COLUMNS: 10usize, ADD: false },
        "column_sums" => consts! { ROWS: 64usize, COLUMNS: 8_192usize, ADD: false },
        "softmax_loss" | "bce_loss" => {
            consts! { BATCH: 16_384usize, CLASSES: 10usize, SLOTS: 1usize, PITCH: 16_384usize, FIRST: 0usize }
        }
        "squared_error" => consts! {
            BATCH: 16_384usize, CLASSES: 10usize, SLOTS: 1usize, PITCH: 16_384usize, FIRST: 0usize, FACTOR: 2.0f32, SCALE: 0.1f32,
        },
        "weighted_loss" => consts! {
            BATCH: 16_384usize, CLASSES: 10usize, SLOTS: 1usize, PITCH: 16_384usize, FIRST: 0usize,
            SMOOTHING: 0.1f32,
        },
        "dense_softmax_loss_subgroup" => super::dense_softmax_loss([64, 128, 10], Activation::Relu, 1),
        "gather_batch" => gather((64, "none")),
        _ if kernel.is_a(Family::WeightGradient) => gradients::real_sizes(kernel).swap_remove(0),
        _ if gather_dense::has(kernel) => gather_dense::real_sizes(kernel).swap_remove(0),
        "hot_cold" => consts! { BATCH: 16usize, INPUTS: 64usize, OUTPUTS: 64usize },
        name if norm::has(name) => norm::real_sizes(kernel).swap_remove(0),
        "gradient_parts" => {
            consts! { LENGTH: 1_048_576usize, PARTS: 8_192usize }
        }
        _ if images::has(kernel) => images::real_sizes(kernel).swap_remove(0),
        name if updates::is_update(name) => updates::consts(name, 1_048_576).swap_remove(0),
        _ => return largest(kernel),
    };
    let step = Step { samples: 64, learning_rate: 0.01, momentum: 0.9, ..Step::default() };
    Case { consts, step }
}

/// [`real`], or a size that the device [takes](Device::takes).
pub fn real_on(kernel: &Kernel, device: &Device) -> Case {
    let other = || bench_cases(kernel).into_iter().find(|case| device.takes(kernel, &case.consts));
    let usual = real(kernel);
    if device.takes(kernel, &usual.consts) { usual } else { other().unwrap_or(usual) }
}

fn largest(kernel: &Kernel) -> Case {
    let words = |case: &Case| (kernel.lens)(&case.consts).iter().sum::<usize>();
    cases(kernel).into_iter().max_by_key(words).expect("every kernel has cases")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn every_kernel_has_a_real_case_with_its_constants() {
        for kernel in table::ALL {
            let names: Vec<&str> = real(kernel).consts.iter().map(|(name, _)| name).collect();
            assert_eq!(names, kernel.consts, "{}", kernel.name);
        }
    }
}
