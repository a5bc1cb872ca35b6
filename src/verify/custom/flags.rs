//! With which flags a run uses a kernel, so that a reader's can take its place there.

use super::family::family;
use crate::kernel::Kernel;

/// The flags of a run that uses a kernel, up to the name of the file.
///
/// # Errors
/// Why no run uses it.
pub fn how_to_train(kernel: &Kernel) -> Result<String, &'static str> {
    let name = family(kernel).unwrap_or(kernel.name);
    if let Some((_, why)) = NEVER.iter().find(|(kernel, _)| *kernel == name) {
        return Err(why);
    }
    let flag = |name: &str, value: &str| match value {
        "" => String::new(),
        value if value.contains(' ') => format!("--{name} \"{value}\" "),
        value => format!("--{name} {value} "),
    };
    let [network, loss, more] = settings(kernel);
    let more = more.split_once(' ').map_or(String::new(), |(name, value)| flag(name, value));
    let flags = [flag("network", network), flag("loss", loss), more].concat();
    Ok(format!("{flags}--kernel {name}"))
}

/// Network, loss and one more flag with which a run uses a kernel; empty for the default.
fn settings(kernel: &Kernel) -> [&'static str; 3] {
    let named = family(kernel).unwrap_or(kernel.name);
    let found = SETTINGS.iter().find(|(name, ..)| *name == named);
    found.map_or([""; 3], |(_, settings)| *settings)
}

/// Kernels that no run uses, or only one whose rewrites are asked for, and why.
const NEVER: &[(&str, &str)] = &[
    ("hot_cold", "no network uses it: it is a rule of its own, see wgrad lesson"),
    (
        "weight_gradient",
        "a run with a kernel of yours has the plain Program, in which this one's work is that of matmul, \
         column_sums and gradient_parts; --rewrites gradients brings it, on a device whose tuning has it",
    ),
    ("gather_dense_tiled", PICKED),
    ("gather_dense_subgroup", PICKED),
    ("gather_dense_gradient_tiled", PICKED),
    ("gather_dense_gradient_subgroup", PICKED),
    (
        "dense_softmax_loss_subgroup",
        "a run with a kernel of yours has the plain Program, in which the last layer is one dispatch, of matmul, \
         and its loss another, of softmax_loss; --rewrites last-layer brings it, on a device whose tuning has it",
    ),
    ("matmul_cooperative", EXPERIMENTAL),
    ("matmul_slices", IN_SLICES),
    ("add_slices", IN_SLICES),
];

pub(super) const EXPERIMENTAL: &str = "a kernel of yours can't take its place in a run: what is experimental is ours alone, and proved there first";
const PICKED: &str = "a run with a kernel of yours has the plain Program, in which samples are picked by gather_batch, in front \
     of any layer; --rewrites first-layer brings it, on a device whose tuning has it";
const IN_SLICES: &str = "a run with a kernel of yours has the plain Program, in which a product is one dispatch, of matmul; \
     --rewrites slices brings it, on a device whose tuning has it";

/// Small networks on images.
const CONVOLUTION: &str = "conv 8 3x3, relu, conv 8 3x3, relu, dense 10";
const MAXIMUM: &str = "conv 8 3x3, relu, maxpool 2, dense 10";
const NORM: &str = "dense 64, batchnorm, relu, dense 10";
const MEAN: &str = "conv 8 3x3, relu, avgpool 2, dense 10";

/// See [`settings`], where the defaults don't use the kernel.
const SETTINGS: &[(&str, [&str; 3])] = &[
    ("one_hot", ["", "mse", ""]),
    ("squared_error", ["", "squared-error", ""]),
    ("weighted_loss", ["", "", "label-smoothing 0.1"]),
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
    ("clip_norm", ["", "", "clip-norm 1"]),
    ("clip_value", ["", "", "clip-value 1"]),
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
