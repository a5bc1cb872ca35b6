//! The lowered network: sections, and the dispatches of a training step.

use wgrad::internals::kernel::Access;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{HELD_OUT, PREDICT, Part, TRAIN, Training, VALIDATION};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::Role;
use wgrad::internals::program::rewrite::Rewrites;

use crate::small::Small;

/// Kernels of a section, in order.
fn kernels(small: &Small, section: &str) -> Vec<&'static str> {
    let program = small.lower().unwrap().program;
    program.steps[program.section(section)].iter().map(|dispatch| dispatch.kernel.name).collect()
}

const GATHER: &str = "gather_batch";
/// The version that `Small` chooses.
const SUMS: &str = "matmul_naive";

#[test]
fn a_fused_step_has_ten_dispatches_for_two_dense_layers() {
    let mut small = Small::new("dense 128, relu, dense 3", Loss::CrossEntropy);
    // Per dense layer: forward one product; backward two, dW and dx, and the
    // column sums for db. The first has no dx, because nothing learns in front of
    // it. The relu is in the epilogues of forward and dx.
    let rewritten = [
        GATHER,
        SUMS,           // 0 dense and relu
        SUMS,           // 2 dense
        "softmax_loss", // loss, gradient and correct in one
        SUMS,           // 2 dense: dW
        "column_sums",  // 2 dense: db
        SUMS,           // 2 dense: dx, through the relu
        SUMS,           // 0 dense: dW
        "column_sums",  // 0 dense: db
        "gradient_parts",
        "guard", // stops the update when a number went wrong
        "sgd",   // all parameters at once
    ];
    assert_eq!(kernels(&small, TRAIN), rewritten);
    // In the plain Program the relu is a dispatch of its own, forward and backward.
    small.rewrites = Rewrites::NONE;
    let plain = [
        GATHER,
        SUMS,
        "activation",
        SUMS,
        "softmax_loss",
        SUMS,
        "column_sums",
        SUMS,
        "activation_backward",
        SUMS,
        "column_sums",
        "gradient_parts",
        "guard",
        "sgd",
    ];
    assert_eq!(kernels(&small, TRAIN), plain);
}

#[test]
fn a_training_step_has_the_expected_dispatches() {
    let count =
        |network, loss, rewrites| kernels(&Small { rewrites, ..Small::new(network, loss) }, TRAIN).len();
    // gather, product, loss, dW, db, squares, guard, sgd
    assert_eq!(count("dense 3", Loss::CrossEntropy, Rewrites::ALL), 8);
    assert_eq!(count("dense 3", Loss::CrossEntropy, Rewrites::NONE), 8);
    // and targets from labels
    for loss in [Loss::Bce, Loss::Mse, Loss::SquaredError] {
        assert_eq!(count("dense 3", loss, Rewrites::ALL), 9);
    }
    // In front of the first weights an activation goes forward only, and needs no dx.
    assert_eq!(count("tanh, dense 3", Loss::CrossEntropy, Rewrites::ALL), 9);
    assert_eq!(count("softmax, dense 3", Loss::CrossEntropy, Rewrites::ALL), 9);
    // A flatten does nothing.
    assert_eq!(count("flatten, dense 3", Loss::Mse, Rewrites::ALL), 9);
    // Softmax: one forward, one backward, rewritten or not.
    assert_eq!(count("dense 3, softmax", Loss::Mse, Rewrites::ALL), 11);
    assert_eq!(count("dense 3, softmax", Loss::Mse, Rewrites::NONE), 11);
    // The loss cannot multiply by the derivative of the sigmoid that the
    // product took in, so the rewrite saves only the forward dispatch.
    assert_eq!(count("dense 3, sigmoid", Loss::Mse, Rewrites::ALL), 10);
    assert_eq!(count("dense 3, sigmoid", Loss::Mse, Rewrites::NONE), 11);
    // Three dense layers: 1 + 3 + 1 + (3 + 3 + 2) + 3, and plain twice two more.
    assert_eq!(count("dense 4, tanh, dense 4, tanh, dense 3", Loss::CrossEntropy, Rewrites::ALL), 16);
    assert_eq!(count("dense 4, tanh, dense 4, tanh, dense 3", Loss::CrossEntropy, Rewrites::NONE), 20);
}

fn with_all_parts(loss: Loss) -> Small {
    let part = |name, samples| Part { name, samples };
    Small {
        parts: vec![part(TRAIN, 7), part(VALIDATION, 3), part(HELD_OUT, 5)],
        ..Small::new("dense 5, relu, dense 3", loss)
    }
}

#[test]
fn there_is_a_section_per_part_and_one_to_predict() {
    let small = with_all_parts(Loss::CrossEntropy);
    let program = small.lower().unwrap().program;
    let names: Vec<&str> = program.sections.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [TRAIN, VALIDATION, HELD_OUT, PREDICT]);
    let mut end = 0;
    for (name, range) in &program.sections {
        assert_eq!(range.start, end, "{name} starts where the one before it ends");
        end = range.end;
    }
    assert_eq!(end, program.steps.len());
    // Measuring changes nothing: no gradient goes back, nothing is updated.
    for part in [VALIDATION, HELD_OUT] {
        assert_eq!(kernels(&small, part), [GATHER, SUMS, SUMS, "softmax_loss"]);
    }
    assert_eq!(kernels(&small, PREDICT), [SUMS, SUMS]);
}

#[test]
fn only_training_writes_parameters() {
    let lowered = with_all_parts(Loss::Mse).lower().unwrap();
    for (name, range) in &lowered.program.sections {
        let writes = lowered.program.steps[range.clone()].iter().any(|dispatch| {
            let views = dispatch.args.iter().zip(dispatch.kernel.binds);
            views
                .filter(|(_, bind)| bind.access != Access::Read)
                .any(|(view, _)| view.buf == lowered.parameters.buf)
        });
        assert_eq!(writes, name == TRAIN, "{name}");
    }
}

#[test]
fn sections_share_their_activation_buffers() {
    for loss in [Loss::CrossEntropy, Loss::Mse] {
        let train_only = Small { parts: vec![Part { name: TRAIN, samples: 7 }], ..with_all_parts(loss) };
        let (one, all) = (train_only.lower().unwrap().program, with_all_parts(loss).lower().unwrap().program);
        assert!(all.steps.len() > one.steps.len());
        // Measuring needs no buffer that training doesn't have.
        assert_eq!(all.bytes(Role::Activations), one.bytes(Role::Activations), "{loss}");
    }
}

#[test]
fn parameters_do_not_overlap_and_each_has_a_gradient() {
    let training = Training::with(Optimiser::sgd(0.9));
    let small = Small { training, ..with_all_parts(Loss::CrossEntropy) };
    let lowered = small.lower().unwrap();
    let names: Vec<&str> = lowered.arena.params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["0.weight", "0.bias", "2.weight", "2.bias"]);
    assert_eq!(lowered.arena.count(), 12 * 5 + 5 + 5 * 3 + 3);
    // Matrices stand in front of vectors, each in their order.
    let mut params: Vec<_> = lowered.arena.params.iter().collect();
    params.sort_by_key(|param| param.shape.len() == 1);
    let mut end = 0;
    for param in params {
        assert!(param.start >= end, "{} overlaps the one before", param.name);
        end = param.start + param.len();
        assert_eq!(end <= lowered.arena.matrices(), param.shape.len() == 2, "{}", param.name);
        let written = lowered.program.steps.iter().any(|dispatch| {
            dispatch.args.last().is_some_and(|view| {
                view.buf == lowered.gradients.buf && (view.start, view.len) == (param.start, param.len())
            })
        });
        assert!(written, "nothing writes the gradient of {}", param.name);
    }
    let [state] = lowered.states.as_slice() else { panic!("momentum has one state") };
    let all = [lowered.parameters, lowered.gradients, state.view];
    assert!(all.iter().all(|view| view.len == lowered.arena.len()));
}
