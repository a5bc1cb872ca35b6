//! Former names of kernels, bindings and identifiers in shaders: files already written still have them.

use crate::kernel::Kernel;

/// Former names of kernels, each with the present one.
pub(super) const KERNELS: &[(&str, &str)] = &[
    ("pack_half", "pack_f16"),
    ("matmul_half", "matmul_f16"),
    ("pixel_dense_tiled", "gather_dense_tiled"),
    ("pixel_dense_subgroup", "gather_dense_subgroup"),
    ("pixel_gradient_tiled", "gather_dense_gradient_tiled"),
    ("pixel_gradient_subgroup", "gather_dense_gradient_subgroup"),
    ("dense_loss_subgroup", "dense_softmax_loss_subgroup"),
    ("unit_size", "frobenius_normalise"),
    ("blend", "newton_schulz"),
    ("average", "ema"),
];

/// Former names of bindings, which a custom shader may still declare, each with the present one.
pub(super) const BINDINGS: &[(&str, &str)] = &[
    ("y", "batch_labels"),
    ("targets", "batch_labels"),
    ("flaws", "non_finite"),
    ("averages", "ema_weights"),
    ("halves", "packed"),
];

/// Former names in `common.wgsl`, or of constants, each with the present one.
const IDENTIFIERS: &[(&str, &str)] =
    &[("activation_slope", "activation_derivative"), ("flaws", "non_finite"), ("EDGE", "TILE")];

/// Former names of the fields of `step`, each with the present one.
const STEP: &[(&str, &str)] = &[("average", "ema_decay")];

fn present(names: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    names.iter().find(|(former, _)| *former == name).map(|(_, present)| *present)
}

/// The present name of a kernel: this one, unless it is a former one.
pub fn kernel(name: &str) -> &str {
    present(KERNELS, name).unwrap_or(name)
}

/// The former names of a binding.
pub fn bindings(name: &str) -> impl Iterator<Item = &'static str> {
    BINDINGS.iter().filter(move |(_, present)| *present == name).map(|(former, _)| *former)
}

/// The present name for a former one in a custom shader for `ours`.
///
/// `before` are the two words or signs in front of the word. None if it is no former name.
pub fn word(word: &str, before: [&str; 2], ours: &Kernel) -> Option<&'static str> {
    match before {
        [_, "."] => present(STEP, word),
        [_, "fn"] => present(KERNELS, word).filter(|name| *name == ours.name),
        _ => None,
    }
    .or_else(|| present(IDENTIFIERS, word))
}
