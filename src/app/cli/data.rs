//! Flags of `wgrad data` and `wgrad data preview`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::numbers::whole;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "A folder called preview is reached as ./preview.")]
pub struct DataArgs {
    #[command(subcommand)]
    pub command: Option<DataCommand>,
    /// Data set or folder
    #[arg(value_name = "DATA", required = true)]
    pub data: Option<String>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Print one JSON object on stdout and nothing else there
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// Draw training samples beside changed ones, as training would see them
    Preview(PreviewArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
In each row stands a sample as it is, then as it is changed in epochs 1, 2 and so on of a run with
that seed, by the plain Rust that the shader is held to. Pixels are normalised by the train part.")]
pub struct PreviewArgs {
    /// Data set or folder
    #[arg(value_name = "DATA")]
    pub data: String,
    /// How to change samples, as in "shift 2, rotate 10"
    #[arg(long, value_name = "CHANGES")]
    pub augment: String,
    /// The PNG file to write
    #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
    pub out: PathBuf,
    /// How many samples, from the first of each class on
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub samples: usize,
    /// How many epochs
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub epochs: usize,
    /// The seed of the run
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: u64,
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// How pictures are read.
#[derive(Args, Debug)]
pub struct ReadingArgs {
    /// Bring all pictures of a folder to one size: height x width, or 3x32x32 with channels
    #[arg(long, value_name = "SIZE")]
    pub resize: Option<String>,
    /// Leave out pictures that can't be read, and list them
    #[arg(long)]
    pub skip_bad: bool,
}
