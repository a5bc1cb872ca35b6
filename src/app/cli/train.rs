//! The flags by which a network is trained: `wgrad train` and `wgrad lr-find`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::custom;
use super::numbers::{from_one, number, whole};
use crate::app::commands::profile;
use crate::app::commands::running::Every;

// What a run does when a loss or gradient stops being a number. Without doc comments here, as clap
// would make the help of `--on-nan` several lines of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnNan {
    Stop,
    Rollback,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Data: “digits” (built in), “mnist” (looked for under WGRAD_DATA, then in data/mnist and mnist),
or a folder with IDX files named like those of MNIST, with CIFAR-10's binary files, or with a folder
of PNG or JPEG pictures for each class (in train and test, or of each class a fifth is held out).
Changes for --augment: shift PIXELS, rotate DEGREES, scale SHARE, shear PIXELS, flip, cutout PIXELS,
brightness SHARE, contrast SHARE; “wgrad data preview” shows them.
A recipe is a TOML file with any of the keys data, resize, skip_bad, augment, network, epochs,
batch_size, learning_rate, optimiser, momentum, schedule, clip_norm, clip_value, accumulate, ema,
label_smoothing, class_weights, stop_early, max_time, overfit_batches, normalise, loss, seed,
validation, device, tuning, rewrites, precision, experimental and kernel. Flags win over the recipe, the recipe over
defaults.
Which variants of kernels are fastest on an adapter is measured before its first run, once, and kept
in the user's cache directory; a run's recipe has the choice spelt out, as --tuning takes it.")]
pub struct TrainArgs {
    /// Data set, folder, or recipe file (*.toml); without it: digits
    #[arg(value_name = "DATA|RECIPE")]
    pub source: Option<String>,
    /// Bring all pictures of a folder to one size: height x width, or 3x32x32 with channels
    #[arg(long, value_name = "SIZE")]
    pub resize: Option<String>,
    /// Leave out pictures that can't be read, and list them
    #[arg(long)]
    pub skip_bad: bool,
    /// Change training samples at random, as in "shift 2, rotate 10"; or none
    #[arg(long, value_name = "CHANGES")]
    pub augment: Option<String>,
    /// Layers, as in "conv 16 3x3, relu, maxpool 2, dense 10" (see docs/layers.md), or the name cnn
    #[arg(long, value_name = "LAYERS")]
    pub network: Option<String>,
    /// How often every sample is seen
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub epochs: Option<usize>,
    /// Samples of one step
    #[arg(long, short, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Step size of gradient descent
    #[arg(long, visible_alias = "lr", value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    pub learning_rate: Option<f32>,
    /// How weights follow gradients, as in "sgd momentum 0.9 nesterov"
    #[arg(long, visible_alias = "optimizer", value_name = "RULE")]
    pub optimiser: Option<String>,
    /// Share of the last update that is repeated, 0 to 1: short for --optimiser "sgd momentum X"
    #[arg(long, value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    pub momentum: Option<f32>,
    /// How the learning rate changes, as in "cosine warmup 100" or "plateau patience 3"
    #[arg(long, value_name = "SHAPE")]
    pub schedule: Option<String>,
    /// Shorten all gradients together to this norm
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub clip_norm: Option<f32>,
    /// Cut each gradient off at this size
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub clip_value: Option<f32>,
    /// Batches whose gradients a step adds up, as if they were one large batch
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub accumulate: Option<usize>,
    /// Measure and save an EMA of the weights that keeps this fraction of itself at each step, as in 0.999
    #[arg(long, alias = "average", value_name = "X", allow_negative_numbers = true)]
    pub ema: Option<f32>,
    /// Share of the label that is spread over all classes
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub label_smoothing: Option<f32>,
    /// balanced, or how much each class counts, as in 1,2,0.5
    #[arg(long, value_name = "WEIGHTS")]
    pub class_weights: Option<String>,
    /// Stop when a metric gets no better, as in "validation-loss patience 5 gain 0.001"
    #[arg(long, value_name = "WHEN")]
    pub stop_early: Option<String>,
    /// Stop after this time, as in 10m
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<String>,
    /// Train on the samples of the first N steps only, to see whether they can be learned by heart
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub overfit_batches: Option<usize>,
    /// One step of everything, to see whether it works; nothing is kept
    #[arg(long, conflicts_with_all = ["resume", "tensorboard"])]
    pub fast_dev_run: bool,
    /// standard (mean 0, deviation 1 per channel) or unit (pixels from 0 to 1)
    #[arg(long, value_name = "NAME")]
    pub normalise: Option<String>,
    /// cross-entropy, bce, mse or squared-error
    #[arg(long, value_name = "NAME")]
    pub loss: Option<String>,
    /// Decides initial weights and the order of samples
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Share of the train part that is set aside and measured after each epoch
    #[arg(long, value_name = "SHARE", value_parser = number::<f64>, allow_negative_numbers = true)]
    pub validation: Option<f64>,
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Which variants of kernels: auto (measured once on an adapter), default, or as a run's recipe has it
    #[arg(long, value_name = "CHOICE")]
    pub tuning: Option<String>,
    /// Which rewrites make the Program faster: default (all; none with your own kernel), all, none, or names with commas
    #[arg(long, value_name = "LIST")]
    pub rewrites: Option<String>,
    /// What products of dense layers read: f32, or f16 for f16 copies (sums stay f32)
    #[arg(long, value_name = "NAME")]
    pub precision: Option<String>,
    /// What is tried out: none, or cooperative-matrix for products of --precision f16 on an adapter that has it
    #[arg(long, value_name = "NAME")]
    pub experimental: Option<String>,
    /// Your own version of a kernel, checked first; can be given again (“matmul” is every product but those of f16)
    #[arg(long, value_name = "NAME=FILE.wgsl")]
    pub kernel: Vec<String>,
    /// After how many seconds in one case the check of your own kernel is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = custom::TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub kernel_timeout: u64,
    /// Where run directories are made
    #[arg(long, value_name = "DIR", default_value = "runs", conflicts_with = "resume")]
    pub out: PathBuf,
    /// Go on with this run, or from this checkpoint of it, as if it had never stopped
    #[arg(long, value_name = "RUN", conflicts_with = "init_from")]
    pub resume: Option<PathBuf>,
    /// Begin with the weights of this run or model, as far as names and shapes agree
    #[arg(long, value_name = "MODEL")]
    pub init_from: Option<PathBuf>,
    /// How often a checkpoint is saved: a number of steps, as in 500, or a time, as in 30s or 2m
    #[arg(long, value_name = "N|TIME", default_value = "1m")]
    pub checkpoint_every: Every,
    /// How many checkpoints are kept, besides the best one by validation loss
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = from_one, allow_negative_numbers = true)]
    pub keep: usize,
    /// When a loss or gradient stops being a number: stop, or go back with half the learning rate
    #[arg(long, value_name = "WHAT", default_value = "stop")]
    pub on_nan: OnNan,
    /// Compare every Nth step with the twins, dispatch by dispatch, and stop where they part
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true)]
    pub verify: Option<usize>,
    /// Give no advice after epochs
    #[arg(long)]
    pub quiet: bool,
    /// Say which variants of kernels were chosen, and what each of them takes
    #[arg(long, short)]
    pub verbose: bool,
    /// Write what is measured for TensorBoard as well, as in tensorboard --logdir runs
    #[arg(long)]
    pub tensorboard: bool,
    /// Time every dispatch of the first N steps: prints a table, and trace.json is in the run directory
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = profile::STEPS,
        value_parser = from_one
    )]
    pub profile: Option<usize>,
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
A fresh network takes one step at each of many learning rates, from the smallest to the largest,
until its loss blows up. The suggestion is where the smoothed loss falls fastest. No run is made
and none is changed.")]
pub struct LrFindArgs {
    /// Data set, folder, or recipe file (*.toml); without it: digits
    #[arg(value_name = "DATA|RECIPE")]
    pub source: Option<String>,
    /// Layers, as in "dense 128, relu, dense 10"
    #[arg(long, value_name = "LAYERS")]
    pub network: Option<String>,
    /// Samples of one step
    #[arg(long, short, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// How weights follow gradients, as in "adamw weight-decay 0.05"
    #[arg(long, visible_alias = "optimizer", value_name = "RULE")]
    pub optimiser: Option<String>,
    /// cross-entropy, bce, mse or squared-error
    #[arg(long, value_name = "NAME")]
    pub loss: Option<String>,
    /// Decides initial weights and the order of samples
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// The smallest learning rate
    #[arg(long, value_name = "X", default_value_t = 1e-6, allow_negative_numbers = true)]
    pub from: f32,
    /// The largest learning rate
    #[arg(long, value_name = "X", default_value_t = 10.0, allow_negative_numbers = true)]
    pub to: f32,
    /// Learning rates to try
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub steps: usize,
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Say which variants of kernels were chosen, and what each of them takes
    #[arg(long, short)]
    pub verbose: bool,
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}
