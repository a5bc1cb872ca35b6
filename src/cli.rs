//! The command line: flags to typed options, nothing else.

pub mod bench;
pub mod data;
pub mod own;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::profile;
use crate::commands::running::Every;

/// Train neural networks with WGSL compute shaders, on any GPU.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  wgrad train                         learn the built-in handwritten digits
  wgrad train mnist --epochs 3        learn MNIST
  wgrad train --resume runs/mnist-001 go on with a run that was stopped or killed
  wgrad eval runs/mnist-001           measure a trained network on held-out images
  wgrad predict runs/mnist-001 3.png  classify pictures
  wgrad data photos                   what a folder of pictures is as data
  wgrad lesson                        how learning works, from one weight upwards
  wgrad doctor                        check every shader on this machine
  wgrad bench                         the CPU against the GPU on this machine

Exit codes: 0 ok, 1 failure, 2 usage or recipe, 3 data, 4 no adapter or device lost,
5 diverged, 6 a check failed, 130 interrupted by Ctrl-C and 143 by SIGTERM, after saving.";

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a network on images
    Train(Box<Train>),
    /// Try learning rates and suggest one; draws the curve, changes nothing
    LrFind(LrFind),
    /// List runs, or find where two of them part
    Runs(Runs),
    /// Prove that a run goes on from a checkpoint as if it had never stopped
    ResumeCheck(ResumeCheck),
    /// Measure a trained network on held-out images
    Eval(Eval),
    /// Classify pictures (PNG or JPEG) with a trained network
    Predict(Predict),
    /// Show a network's layers, shapes, parameters, memory and dispatches
    Summary(Summary),
    /// Show one training step of one sample, number by number
    Explain(Explain),
    /// Show what a data set holds, or how its samples can be changed for training
    Data(data::Data),
    /// List the adapters of this machine
    Devices(Devices),
    /// Learn how learning works, number by number
    Lesson(Lesson),
    /// Run every kernel on every case and compare it with its twin
    Doctor(Doctor),
    /// Measure the CPU against the GPU on this machine
    Bench(bench::Bench),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Data: “digits” (built in), “mnist” (looked for under WGRAD_DATA, then in data/mnist and mnist),
or a folder with IDX files named like those of MNIST, with CIFAR-10's binary files, or with a folder
of PNG or JPEG pictures for each class (in train and test, or of each class a fifth is held out).
Changes for --augment: shift PIXELS, rotate DEGREES, scale SHARE, shear PIXELS, flip, cutout PIXELS,
brightness SHARE, contrast SHARE; “wgrad data preview” shows them.
A recipe is a TOML file with any of the keys data, resize, skip_bad, augment, network, epochs,
batch_size, learning_rate, optimiser, momentum, schedule, clip_norm, clip_value, accumulate, average,
label_smoothing, class_weights, stop_early, max_time, overfit_batches, normalise, loss, seed,
validation, device and kernel. Flags win over the recipe, the recipe over defaults.")]
pub struct Train {
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
    /// Measure and save an average of the weights that keeps this share of itself, as in 0.999
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub average: Option<f32>,
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
    /// Your own version of a kernel, checked first; can be given again (“matmul” is every product)
    #[arg(long, value_name = "NAME=FILE.wgsl")]
    pub kernel: Vec<String>,
    /// After how many seconds in one case the check of your own kernel is stopped
    #[arg(long, value_name = "SECONDS", default_value_t = own::TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
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
    #[arg(long, value_name = "WHAT", default_value = "stop", value_parser = ["stop", "rollback"])]
    pub on_nan: String,
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
pub struct LrFind {
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

#[derive(Args, Debug)]
pub struct Runs {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// Where the run directories are
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
}

#[derive(Subcommand, Debug)]
pub enum RunsCommand {
    /// Name the first step at which two runs part, and the tensor that did
    Diff {
        /// A run directory
        one: PathBuf,
        /// Another one
        two: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct ResumeCheck {
    /// A run directory, or a checkpoint in it
    pub run: PathBuf,
    /// How many steps are taken, once straight and once with a stop in the middle
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = from_one, allow_negative_numbers = true)]
    pub steps: usize,
    /// auto, gpu, cpu, or a part of an adapter's name; without it, the one that the run asked for
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
}

#[derive(Args, Debug)]
pub struct Eval {
    /// A run directory or a model file
    pub run: PathBuf,
    /// Data whose held-out part to measure on; without it, that of what it was trained on
    pub data: Option<String>,
    /// Leave out pictures that can't be read, and list them
    #[arg(long)]
    pub skip_bad: bool,
    /// Draw the N images with the highest loss among the wrong ones, with both classes
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub mistakes: Option<usize>,
    /// Where to draw them
    #[arg(long, requires = "mistakes", value_name = "FILE.png", default_value = "mistakes.png")]
    pub out: PathBuf,
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
A picture is turned grey or coloured as the network's images were, shrunk or grown to fit their
size with its proportions kept, and centred on black. MNIST and digits are light on dark: for dark
ink on light paper add --invert.")]
pub struct Predict {
    /// A run directory or a model file
    pub run: PathBuf,
    /// PNG or JPEG files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Swap dark and light first
    #[arg(long)]
    pub invert: bool,
    /// How many classes to print, the likeliest first [default: all in JSON and up to 10, else 3]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub top: Option<usize>,
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print one JSON array on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Summary {
    /// Layers, as in "dense 128, relu, dense 10", or a run directory or model file
    #[arg(value_name = "NETWORK|RUN")]
    pub what: String,
    /// Shape of one image, channels × height × width
    #[arg(long, value_name = "C,H,W", default_value = "1,28,28", value_delimiter = ',')]
    pub input: Vec<usize>,
    /// Samples of one step [default: the run's, else 64]
    #[arg(long, short, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Show the dispatches for this device: auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Layers, units and samples are counted from 0. Beside every number that a kernel stored stand what
its twin makes of the same inputs and, for gradients, the slope of the loss found by trying.")]
pub struct Explain {
    /// A run directory
    pub run: PathBuf,
    /// Which sample of the part
    #[arg(long, value_name = "I", default_value_t = 0, allow_negative_numbers = true)]
    pub sample: i64,
    /// train or held-out
    #[arg(long, value_name = "PART", default_value = "held-out", value_parser = ["train", "held-out"])]
    pub part: String,
    /// Which layer; without it, the last one with weights
    #[arg(long, value_name = "L", allow_negative_numbers = true)]
    pub layer: Option<i64>,
    /// Which unit of the layer; without it, the one of the sample's class, else 0
    #[arg(long, value_name = "U", allow_negative_numbers = true)]
    pub unit: Option<i64>,
    /// Which step: next is one from the model's weights, with what the optimiser keeps taken as 0
    #[arg(long, value_name = "STEP", default_value = "next", value_parser = ["next"])]
    pub step: String,
    /// Print the WGSL and the Rust that computed the numbers
    #[arg(long)]
    pub source: bool,
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Devices {
    /// Measure anew which kernels are fastest on each, for all that trains from now on
    #[arg(long)]
    pub tune: bool,
}

#[derive(Args, Debug)]
pub struct Doctor {
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Without LESSON it lists the lessons. Each lesson takes some of the settings and says which.
Vectors are numbers with commas between them, as in --input 8.5,0.65,1.2; several outputs have
their rows of weights one after another. A lesson whose numbers overflow says where the limit
lies and ends with exit code 5.")]
pub struct Lesson {
    #[command(subcommand)]
    pub command: Option<own::LessonCommand>,
    /// Number or name of a lesson
    pub lesson: Option<String>,
    /// How much of each weight_delta is taken
    #[arg(long, requires = "lesson", value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    pub alpha: Option<f32>,
    /// How far a weight moves in hot and cold learning
    #[arg(long, requires = "lesson", value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    pub step: Option<f32>,
    /// How often the weights change
    #[arg(long, requires = "lesson", value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub iterations: Option<usize>,
    /// Inputs
    #[arg(
        long,
        requires = "lesson",
        value_name = "A,B,…",
        value_delimiter = ',',
        value_parser = number::<f32>,
        allow_hyphen_values = true
    )]
    pub input: Option<Vec<f32>>,
    /// Initial weights
    #[arg(
        long,
        requires = "lesson",
        value_name = "A,B,…",
        value_delimiter = ',',
        value_parser = number::<f32>,
        allow_hyphen_values = true
    )]
    pub weights: Option<Vec<f32>>,
    /// What the predictions should be
    #[arg(
        long,
        requires = "lesson",
        value_name = "A,B,…",
        value_delimiter = ',',
        value_parser = number::<f32>,
        allow_hyphen_values = true
    )]
    pub goal: Option<Vec<f32>>,
    /// Decides what is drawn at random
    #[arg(long, requires = "lesson", value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Images to learn: “digits”, “mnist” or a folder, as “wgrad train” takes them
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,
    /// Write the lesson's picture to this file
    #[arg(long, requires = "lesson", value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Show every row, however long the page gets
    #[arg(long)]
    pub all: bool,
    /// auto, gpu, cpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// A whole number above 0.
fn from_one(text: &str) -> Result<usize, String> {
    whole(text).ok().filter(|number| *number > 0).ok_or("it takes a whole number from 1".to_owned())
}

/// A whole number; `-1` gets here as well, to be refused with what is allowed.
fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a whole number, neither negative nor beyond 64 bits".to_owned())
}

/// A number; which ones are allowed is said where it is used.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a number, as in 0.5, -2 or 1e-3".to_owned())
}
