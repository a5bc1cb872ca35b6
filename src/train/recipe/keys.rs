//! The keys of a recipe file.

/// The data set of a run that names none.
pub const DEFAULT_DATA: &str = "digits";
/// The most epochs that can be asked for: a typing error shouldn't run for a year.
pub const MAX_EPOCHS: usize = 1_000_000;

/// The keys of a recipe file, each with the values that it takes. A flag has the name of its key,
/// with hyphens; `data` is an argument.
pub const KEYS: &[(&str, &str)] = &[
    ("data", "a string: digits, mnist, or a folder with IDX files, CIFAR-10's binary files or pictures"),
    ("resize", "a string: height x width, as in 32x32, or channels in front, as in 3x32x32, or none"),
    ("skip_bad", "true or false: whether pictures that can't be read are left out"),
    ("augment", "a string of changes, as in “shift 2, rotate 10”, or none"),
    ("network", "a string of layers, as in “dense 128, relu, dense 10”, a list of them, or the name cnn"),
    ("epochs", "a whole number from 1 to 1000000"),
    ("batch_size", "a whole number from 1, and no larger than the training part"),
    ("learning_rate", "a number above 0"),
    ("optimiser", "a string, as in “sgd momentum 0.9 nesterov” or “adamw”"),
    ("momentum", "a number from 0 to below 1"),
    ("schedule", "a string, as in “cosine warmup 100”, “one-cycle” or “constant”"),
    ("clip_norm", "a number from 0 (nothing is clipped)"),
    ("clip_value", "a number from 0 (nothing is clipped)"),
    ("accumulate", "a whole number from 1"),
    ("ema", "a number from 0 (no EMA of the weights) to below 1"),
    ("label_smoothing", "a number from 0 to below 1"),
    ("class_weights", "a string: even, balanced, or a number for each class, as in “1,2,0.5”"),
    ("stop_early", "a string, as in “validation-loss patience 5 gain 0.001”, or never"),
    ("max_time", "a string, as in “10m” or “1h30m”, or none"),
    ("overfit_batches", "a whole number from 0 (all samples)"),
    ("normalise", "a string: standard or unit"),
    ("loss", "a string: cross-entropy, bce, mse or squared-error"),
    ("seed", "a whole number from 0"),
    ("validation", "a fraction from 0 (no validation part) to below 1"),
    ("device", "a string: auto, gpu, cpu, or a part of an adapter's name"),
    ("tuning", "a string: auto, default, or variants by class of work, as in “large matmul_register”"),
    ("rewrites", "a string: default, all, none, or names of rewrites, as in “activations, watch”"),
    ("precision", "a string: f32 or f16"),
    (
        "experimental",
        "a string: none or cooperative-matrix, with its tile sizes or without, as in “cooperative-matrix 16 8”",
    ),
    ("kernel", "a list of strings NAME=FILE.wgsl: readers' own versions of kernels"),
];

/// What a key of [`KEYS`] takes.
pub(super) fn allowed(key: &str) -> &'static str {
    KEYS.iter().find(|(known, _)| *known == key).expect("a key of a recipe").1
}
