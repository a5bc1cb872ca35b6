//! Errors of Programs that don't fit a device: they name a batch size that fits.

use std::time::{Duration, Instant};

use wgrad::Error;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{TRAIN, Training};
use wgrad::internals::program::{Limits, MAX_RESULT, MAX_STEPS, mebibytes};

use crate::small::Small;

const NONE: Limits = Limits { binding_bytes: u64::MAX, buffer_bytes: u64::MAX, memory_bytes: None };

/// A network with activations larger than all else (the metrics take 1 MiB
/// whatever the batch), so that size follows the batch.
fn wide(batch: usize, limits: Limits) -> Small {
    Small { batch, limits, ..Small::new("dense 8000, relu, dense 3", Loss::CrossEntropy) }
}

/// Bytes of its hidden activations.
fn hidden(batch: u64) -> u64 {
    batch * 8000 * 4
}

fn refusal(small: &Small) -> String {
    match small.lower() {
        Err(Error::Device(_, text)) => text,
        other => panic!("expected a device error, not {other:?}"),
    }
}

/// The batch size that a message suggests.
fn suggested(text: &str) -> usize {
    let (_, rest) = text.split_once("⟨batch_size ").unwrap_or_else(|| panic!("no batch size in “{text}”"));
    rest.split('⟩').next().unwrap().parse().unwrap()
}

/// Checks the error for a batch of 100 under limits that 40 samples just fit.
fn assert_suggests_forty(limits: Limits, what: &str, needed: u64, available: u64) {
    let text = refusal(&wide(100, limits));
    let says = format!("{what} needs {}, the device offers {}", mebibytes(needed), mebibytes(available));
    assert!(text.contains(&says), "“{text}” does not say “{says}”");
    assert_eq!(suggested(&text), 40, "{text}");
    wide(40, limits).lower().unwrap_or_else(|error| panic!("the suggested batch does not fit: {error}"));
    refusal(&wide(41, limits));
}

#[test]
fn a_buffer_that_is_too_large_is_named_with_a_batch_size_that_fits() {
    let limits = Limits { buffer_bytes: hidden(40), ..NONE };
    assert_suggests_forty(limits, "the buffer “0 dense.y”", hidden(100), hidden(40));
}

#[test]
fn a_binding_that_is_too_large_is_named_with_a_batch_size_that_fits() {
    let limits = Limits { binding_bytes: hidden(40), ..NONE };
    let what = "“c” of matmul_naive (0 dense: weighted sums)";
    assert_suggests_forty(limits, what, hidden(100), hidden(40));
}

#[test]
fn too_little_memory_is_refused_with_a_batch_size_that_fits() {
    let total = |batch| wide(batch, NONE).lower().unwrap().program.shared_bytes();
    let limits = Limits { memory_bytes: Some(total(40)), ..NONE };
    assert_suggests_forty(limits, "the run", total(100), total(40));
}

#[test]
fn a_network_that_fits_with_no_batch_size_is_refused() {
    let limits = Limits { buffer_bytes: 2 << 20, ..NONE };
    let small = Small { limits, ..Small::new("dense 100000, relu, dense 3", Loss::CrossEntropy) };
    let text = refusal(&small);
    assert!(text.contains("the buffer “parameters” needs"), "{text}");
    assert!(text.contains("no batch size helps: use a smaller network or less data"), "{text}");
}

#[test]
fn a_program_that_just_fits_is_accepted() {
    let program = wide(10, NONE).lower().unwrap().program;
    let largest = program.bufs.iter().map(|buf| buf.len as u64 * 4).max().unwrap();
    let bound = program
        .steps
        .iter()
        .flat_map(|dispatch| &dispatch.args)
        .map(|view| view.len as u64 * 4)
        .max()
        .unwrap();
    let exact =
        Limits { binding_bytes: bound, buffer_bytes: largest, memory_bytes: Some(program.shared_bytes()) };
    program.fits(&exact).unwrap();
    for less in [
        Limits { binding_bytes: bound - 1, ..exact },
        Limits { buffer_bytes: largest - 1, ..exact },
        Limits { memory_bytes: Some(program.shared_bytes() - 1), ..exact },
    ] {
        assert!(matches!(program.fits(&less), Err(Error::Device(..))), "{less:?}");
    }
}

#[test]
fn a_batch_whose_metrics_exceed_one_result_is_refused() {
    // In front of a step's (loss, correct) rows stands the history of all steps, of two words each.
    let most = MAX_RESULT / 2 - MAX_STEPS;
    let small = |batch| Small { batch, ..Small::new("dense 3", Loss::CrossEntropy) };
    assert_eq!(small(most).lower().unwrap().slots, 1);
    match small(most + 1).lower() {
        Err(Error::Setting { key: "batch_size", problem }) => {
            assert!(problem.contains(&format!("⟨batch_size {most}⟩")), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_of_too_many_batches_is_refused_and_one_of_many_is_lowered_at_once() {
    let small = |network, batch, accumulate| Small {
        batch,
        training: Training { accumulate, ..Training::default() },
        ..Small::new(network, Loss::CrossEntropy)
    };
    for (network, batch, accumulate, most) in [
        ("dense 3", 1, 100_001, 100_000),
        ("dense 4, relu, residual { dense 4, relu }, dense 3", 1, 50_000, 16_666),
        // Products of these are beyond 64 bits.
        ("dense 3", 64, usize::MAX, 2032),
        ("batchnorm, dense 3", 2, usize::MAX / 2 + 2, 0),
    ] {
        match small(network, batch, accumulate).lower() {
            Err(Error::Setting { key: "accumulate", problem }) => {
                let says = format!("⟨accumulate {most}⟩");
                assert!(most == 0 || problem.contains(&says), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
    let before = Instant::now();
    small("dense 3", 1, 5000).lower().unwrap();
    assert!(
        before.elapsed() < Duration::from_secs(20),
        "it takes time by the square: {:?}",
        before.elapsed()
    );
}

#[test]
fn shapes_and_losses_that_do_not_fit_are_refused() {
    for (network, loss, says) in [
        ("dense 4", Loss::CrossEntropy, "end it with “dense 3”"),
        ("dense 1", Loss::Bce, "end it with “dense 3”"),
        ("dense 1000000000, dense 3", Loss::Mse, "1 “dense 1000000000” gets 2×2×3"),
    ] {
        match Small::new(network, loss).lower() {
            Err(Error::Setting { key: "network", problem: text }) => {
                assert!(text.contains(says), "“{text}” does not say “{says}”");
            }
            other => panic!("{network}: {other:?}"),
        }
    }
    let small = Small { classes: 2, ..Small::new("dense 1", Loss::Bce) };
    assert!(small.lower().unwrap().part(TRAIN).is_some());
}
