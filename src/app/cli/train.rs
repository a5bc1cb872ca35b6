//! The flags of `wgrad train` and `wgrad lr-find`.

use std::path::PathBuf;

use clap::Args;
use wgrad::Result;
use wgrad::internals::train::recipe::Overrides;
use wgrad::internals::train::running::Every;

use super::custom;
use super::numbers::{from_one, whole};
use super::settings::{Computing, Finding, Learning, SettingFlags};

/// Steps that are profiled unless another number is given.
const PROFILED_STEPS: &str = "100";

#[derive(Args, Debug)]
#[command(
    after_help = "wgrad train --help lists all settings.",
    after_long_help = "\
DATA is “digits” (built in), “mnist” or another set of “wgrad help data get” (looked for under WGRAD_DATA, \
then in data/NAME and NAME, and where “wgrad data get” puts it; EMNIST's splits as emnist-letters), or a folder: IDX files named like MNIST's, CIFAR's binary files, or PNG and JPEG pictures with a \
folder for each class, in train and test or with 20 % of each class held out.

RECIPE is a TOML file with settings: batch_size = 64 for --batch-size 64. Flags win over the recipe, \
and the recipe over the defaults. Every run saves its whole recipe in runs/NAME/recipe.toml.

Augmentations: shift PIXELS, rotate DEGREES, scale FRACTION, shear PIXELS, flip, cutout PIXELS, \
brightness FRACTION, contrast FRACTION; “wgrad data preview” draws them."
)]
pub struct TrainArgs {
    /// Data set, folder, or recipe file (*.toml) [default: digits]
    #[arg(value_name = "DATA|RECIPE")]
    pub source: Option<String>,
    #[command(flatten)]
    pub learning: SettingFlags<Learning>,
    /// Begin with the weights of this run, model, checkpoint or safetensors file of PyTorch, where they fit
    #[arg(long, value_name = "MODEL", help_heading = "Network", hide_short_help = true)]
    pub init_from: Option<PathBuf>,
    /// Train one step and measure as a test; nothing is saved
    #[arg(long, conflicts_with_all = ["resume", "tensorboard"], help_heading = "Training", hide_short_help = true)]
    pub fast_dev_run: bool,
    /// Folder for run directories
    #[arg(
        long,
        value_name = "DIR",
        default_value = "runs",
        conflicts_with = "resume",
        help_heading = "Checkpoints"
    )]
    pub out: PathBuf,
    /// Resume this run, or from this checkpoint of it
    #[arg(long, value_name = "RUN", conflicts_with = "init_from", help_heading = "Checkpoints")]
    pub resume: Option<PathBuf>,
    /// Time or steps between checkpoints, as in 30s, 2m or 500
    #[arg(
        long,
        value_name = "N|TIME",
        default_value = "1m",
        help_heading = "Checkpoints",
        hide_short_help = true
    )]
    pub checkpoint_every: Every,
    /// Number of checkpoints to keep, besides the best one by validation loss
    #[arg(
        long,
        value_name = "N",
        default_value_t = 2,
        value_parser = from_one,
        allow_negative_numbers = true,
        help_heading = "Checkpoints",
        hide_short_help = true
    )]
    pub keep: usize,
    #[command(flatten)]
    pub computing: SettingFlags<Computing>,
    /// Time limit of the check of a custom kernel, per case, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = custom::TIMEOUT,
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        help_heading = "Kernels",
        hide_short_help = true
    )]
    pub kernel_timeout: u64,
    /// Check every Nth step against the twins, and stop if they differ
    #[arg(
        long,
        value_name = "N",
        value_parser = from_one,
        allow_negative_numbers = true,
        help_heading = "Kernels",
        hide_short_help = true
    )]
    pub verify: Option<usize>,
    /// Print only one JSON object on stdout
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Print no advice after epochs
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,
    /// Print the time of each variant of a kernel, and the chosen one
    #[arg(long, short, help_heading = "Output", hide_short_help = true)]
    pub verbose: bool,
    /// Write metrics for TensorBoard too (tensorboard --logdir runs)
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub tensorboard: bool,
    /// Time each dispatch of the first N steps: print a table, write RUN/trace.json
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = PROFILED_STEPS,
        value_parser = from_one,
        help_heading = "Output",
        hide_short_help = true
    )]
    pub profile: Option<usize>,
}

impl TrainArgs {
    /// The settings that the flags override.
    ///
    /// # Errors
    /// The first flag that can't be read.
    pub fn settings(&self) -> Result<Overrides> {
        Ok(self.learning.given()?.or(self.computing.given()?))
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
A fresh network takes one step at each learning rate, from the smallest to the largest, until its \
loss grows out of bounds. The suggestion is the learning rate at which the smoothed loss \
falls fastest. No run directory is made.")]
pub struct LrFindArgs {
    /// Data set, folder, or recipe file (*.toml) [default: digits]
    #[arg(value_name = "DATA|RECIPE")]
    pub source: Option<String>,
    #[command(flatten)]
    pub settings: SettingFlags<Finding>,
    /// Smallest learning rate
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1e-6,
        allow_negative_numbers = true,
        help_heading = "Learning rates"
    )]
    pub from: f32,
    /// Largest learning rate
    #[arg(
        long,
        value_name = "X",
        default_value_t = 10.0,
        allow_negative_numbers = true,
        help_heading = "Learning rates"
    )]
    pub to: f32,
    /// Number of learning rates to try
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = whole::<usize>, allow_negative_numbers = true, help_heading = "Learning rates")]
    pub steps: usize,
    /// Print the time of each variant of a kernel, and the chosen one
    #[arg(long, short, help_heading = "Output")]
    pub verbose: bool,
    /// Print only one JSON object on stdout
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}
