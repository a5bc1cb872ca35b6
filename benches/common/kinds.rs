//! Kinds of runs whose state differs: what they keep between steps, and what ends them.

/// The name of a kind and its options.
pub type Kind = (&'static str, &'static [&'static str]);

/// Ten kinds of runs on the digits. All options that change the state of a run are in one of them.
pub const KINDS: [Kind; 10] = [
    ("sgd", &["--network", "dense 32, relu, dense 10"]),
    (
        "momentum, cosine, ema",
        &[
            "--network",
            "dense 24, tanh, dense 10",
            "--optimiser",
            "sgd momentum 0.9",
            "--schedule",
            "cosine warmup 20",
            "--ema",
            "0.98",
        ],
    ),
    (
        "adam, clipped, accumulated",
        &[
            "--network",
            "dense 24, gelu, dense 10",
            "--optimiser",
            "adam",
            "--clip-norm",
            "0.5",
            "--accumulate",
            "3",
        ],
    ),
    (
        "adamw, convolution, batchnorm, dropout, augmented",
        &[
            "--network",
            "conv 4 3x3 pad 1, batchnorm, relu, maxpool 2, dropout 0.2, dense 10",
            "--optimiser",
            "adamw",
            "--augment",
            "shift 1",
        ],
    ),
    ("muon, layernorm", &["--network", "dense 32, layernorm, relu, dense 10", "--optimiser", "muon"]),
    (
        "early stopping",
        &[
            "--network",
            "dense 32, relu, dense 10",
            "--validation",
            "0.2",
            "--stop-early",
            "validation-loss patience 2 min-delta 0.02",
        ],
    ),
    (
        "plateau, weighted classes, smoothed labels",
        &[
            "--network",
            "dense 32, relu, dense 10",
            "--schedule",
            "plateau patience 1",
            "--validation",
            "0.2",
            "--class-weights",
            "balanced",
            "--label-smoothing",
            "0.1",
        ],
    ),
    (
        "rolled back",
        &[
            "--network",
            "dense 16, relu, dense 16, relu, dense 16, relu, dense 10",
            "--optimiser",
            "sgd",
            "--learning-rate",
            "400",
            "--on-nan",
            "rollback",
        ],
    ),
    (
        "f16, event file",
        &["--network", "dense 32, relu, dense 16, relu, dense 10", "--precision", "f16", "--tensorboard"],
    ),
    (
        "residual, bce, clipped by value",
        &[
            "--network",
            "dense 16, relu, residual { dense 16, relu }, dense 10",
            "--loss",
            "bce",
            "--clip-value",
            "0.01",
        ],
    ),
];
