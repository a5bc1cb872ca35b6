//! The flags of `wgrad lesson`.

use std::path::PathBuf;

use clap::Args;

use super::custom;
use super::numbers::{number, whole};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Without LESSON it lists the lessons. Each lesson takes some of the settings and says which.
Vectors are numbers with commas between them, as in --input 8.5,0.65,1.2; several outputs have
their rows of weights one after another. A lesson whose numbers overflow says where the limit
lies and ends with exit code 5.")]
pub struct LessonArgs {
    #[command(subcommand)]
    pub command: Option<custom::LessonCommand>,
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
