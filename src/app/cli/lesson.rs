//! The flags of `wgrad lesson`.

use std::path::PathBuf;

use clap::Args;

use super::custom;
use super::numbers::{number, whole};
use super::settings::{Reading, SettingFlags};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Without LESSON it lists the lessons. A lesson refuses a flag that it doesn't take, and lists its own. \
A vector is a list of numbers, as in --input 8.5,0.65,1.2; a matrix of weights is its rows one after \
another. A lesson whose numbers overflow names the limit and ends with exit code 5.")]
pub struct LessonArgs {
    #[command(subcommand)]
    pub command: Option<custom::LessonCommand>,
    /// Number or name of a lesson
    pub lesson: Option<String>,
    /// Learning rate: the fraction of each weight_delta to take
    #[arg(long, requires = "lesson", value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    pub alpha: Option<f32>,
    /// Step of a weight in hot and cold learning
    #[arg(long, requires = "lesson", value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    pub step: Option<f32>,
    /// Number of updates of the weights
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
    /// Targets of the predictions
    #[arg(
        long,
        requires = "lesson",
        value_name = "A,B,…",
        value_delimiter = ',',
        value_parser = number::<f32>,
        allow_hyphen_values = true
    )]
    pub goal: Option<Vec<f32>>,
    /// Seed of the random numbers
    #[arg(long, requires = "lesson", value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Images to learn: digits, mnist or a folder, as for wgrad train
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,
    #[command(flatten)]
    pub reading: SettingFlags<Reading>,
    /// File to write the lesson's picture to
    #[arg(long, requires = "lesson", value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Show every row of long tables
    #[arg(long)]
    pub all: bool,
    /// Device: auto, gpu, cpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print only one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}
