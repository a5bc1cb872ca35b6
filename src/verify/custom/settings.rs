//! The settings with which a run uses a kernel, so that a custom one can replace it.

use std::fmt;

use super::family::family;
use crate::kernel::Kernel;

/// A setting that a run needs, displayed as a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeededSetting {
    /// The key of a recipe.
    pub key: &'static str,
    pub value: &'static str,
}

impl fmt::Display for NeededSetting {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "⟨{} {}⟩", self.key, self.value)
    }
}

/// The name by which the setting `kernel` replaces a kernel: that of its family, if it has one.
pub fn name_in_settings(kernel: &Kernel) -> &'static str {
    family(kernel).unwrap_or(kernel.name)
}

/// The settings with which a run uses a kernel.
///
/// Empty where the defaults do. A device need not have the variant that a tuning names.
///
/// # Errors
/// The reason why no run uses it, a text with marked settings.
pub fn needed_settings(kernel: &Kernel) -> Result<Vec<NeededSetting>, &'static str> {
    let name = name_in_settings(kernel);
    if let Some((_, why)) = NEVER.iter().find(|(kernel, _)| *kernel == name) {
        return Err(why);
    }
    if let Some((_, [network, rewrites, tuning])) = rewritten(kernel) {
        let all = [("network", *network), ("rewrites", *rewrites), ("tuning", *tuning)];
        return Ok(all.map(|(key, value)| NeededSetting { key, value }).into());
    }
    let found = SETTINGS.iter().find(|(known, _)| *known == name);
    let [network, loss, more] = found.map_or([""; 3], |(_, settings)| *settings);
    let more = more.split_once(' ').unwrap_or_default();
    let all = [("network", network), ("loss", loss), more];
    let given = all.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(given.map(|(key, value)| NeededSetting { key, value }).collect())
}

/// The row of a kernel that only a rewrite uses: its own, as a variant has parts of its own size, else its family's.
fn rewritten(kernel: &Kernel) -> Option<&'static (&'static str, [&'static str; 3])> {
    let row = |name: &str| REWRITTEN.iter().find(|(known, _)| *known == name);
    row(kernel.name).or_else(|| row(name_in_settings(kernel)))
}

/// Kernels that no run uses that can be trained with a custom one, and why.
const NEVER: &[(&str, &str)] =
    &[("hot_cold", "no network uses it, only the lesson hot-and-cold"), ("matmul_cooperative", EXPERIMENTAL)];

pub(super) const EXPERIMENTAL: &str =
    "a custom kernel can't replace it in a run, because only the built-in one is proved on the adapter first";

/// Network, rewrites and tuning for kernels that only a rewrite uses; a run with a custom kernel has none by default.
const REWRITTEN: &[(&str, [&str; 3])] = &[
    ("weight_gradient", [DENSE, "gradients", "weights weight_gradient"]),
    ("weight_gradient_tiled", [DENSE, "gradients", "weights weight_gradient_tiled"]),
    ("weight_gradient_vectors", [DENSE, "gradients", "weights weight_gradient_vectors tile 32 block 4"]),
    ("weight_gradient_subgroup", [DENSE, "gradients", "weights weight_gradient_subgroup"]),
    ("weight_gradient_narrow_subgroup", [DENSE, "gradients", "weights weight_gradient_subgroup"]),
    ("gather_dense_tiled", [DENSE, "first-layer", "first gather_dense_tiled"]),
    ("gather_dense_gradient_tiled", [DENSE, "first-layer", "first gather_dense_tiled"]),
    ("gather_dense_subgroup", [DENSE, "first-layer", "first gather_dense_subgroup"]),
    ("gather_dense_gradient_subgroup", [DENSE, "first-layer", "first gather_dense_subgroup"]),
    ("dense_softmax_loss_subgroup", [DENSE, "last-layer", "last dense_softmax_loss_subgroup"]),
    ("matmul_slices", [LONG, "slices", "long matmul_slices slice 64"]),
    ("add_slices", [LONG, "slices", "long matmul_slices slice 64"]),
];
const DENSE: &str = "dense 64, relu, dense 10";
/// A network with a product of few tiles and long sums.
const LONG: &str = "dense 320, relu, dense 10";

/// Small networks on images.
const CONVOLUTION: &str = "conv 8 3x3, relu, conv 8 3x3, relu, dense 10";
const MAXIMUM: &str = "conv 8 3x3, relu, maxpool 2, dense 10";
const NORM: &str = "dense 64, batchnorm, relu, dense 10";
const MEAN: &str = "conv 8 3x3, relu, avgpool 2, dense 10";

/// Network, loss and one more setting for kernels that the defaults don't use.
///
/// An empty text is the default.
const SETTINGS: &[(&str, [&str; 3])] = &[
    ("one_hot", ["", "mse", ""]),
    ("squared_error", ["", "squared-error", ""]),
    ("weighted_loss", ["", "", "label_smoothing 0.1"]),
    ("bce_loss", ["", "bce", ""]),
    ("activation", ["tanh, dense 64, relu, dense 10", "", ""]),
    ("activation_backward", ["dense 64, relu, dense 10, sigmoid", "mse", ""]),
    ("softmax", ["dense 64, relu, dense 10, softmax", "mse", ""]),
    ("softmax_backward", ["dense 64, relu, dense 10, softmax", "mse", ""]),
    ("sgd", ["", "", "optimiser sgd"]),
    ("ada_grad", ["", "", "optimiser adagrad"]),
    ("rms_prop", ["", "", "optimiser rmsprop"]),
    ("rms_prop_momentum", ["", "", "optimiser rmsprop momentum 0.9"]),
    ("rms_prop_centred", ["", "", "optimiser rmsprop centred"]),
    ("adam", ["", "", "optimiser adam"]),
    ("lion", ["", "", "optimiser lion"]),
    ("muon_momentum", ["", "", "optimiser muon"]),
    ("square_sums", ["", "", "optimiser muon"]),
    ("clip_norm", ["", "", "clip_norm 1"]),
    ("clip_value", ["", "", "clip_value 1"]),
    ("ema", ["", "", "ema 0.99"]),
    ("frobenius_normalise", ["", "", "optimiser muon"]),
    ("newton_schulz", ["", "", "optimiser muon"]),
    ("muon", ["", "", "optimiser muon"]),
    ("pack_f16", ["", "", "precision f16"]),
    ("matmul_f16", ["", "", "precision f16"]),
    ("conv", [CONVOLUTION, "", ""]),
    ("conv_weights", [CONVOLUTION, "", ""]),
    ("channel_sums", [CONVOLUTION, "", ""]),
    ("max_pool", [MAXIMUM, "", ""]),
    ("max_pool_backward", [MAXIMUM, "", ""]),
    ("moments_slices", [NORM, "", ""]),
    ("moments", [NORM, "", ""]),
    ("running_moments", [NORM, "", ""]),
    ("normalise", [NORM, "", ""]),
    ("normalise_slices", [NORM, "", ""]),
    ("normalise_backward", [NORM, "", ""]),
    ("normalise_weights", ["dense 64, layernorm, relu, dense 10", "", ""]),
    ("dropout", ["dense 64, relu, dropout, dense 10", "", ""]),
    ("add", ["dense 64, relu, residual { dense 64, relu }, dense 10", "", ""]),
    ("average_pool", [MEAN, "", ""]),
    ("average_pool_backward", [MEAN, "", ""]),
];
