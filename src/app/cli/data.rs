//! Flags of `wgrad data` and `wgrad data preview`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::numbers::whole;
use super::settings::{Reading, SettingFlags};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "For a folder that is called get or preview, write ./get or ./preview.")]
pub struct DataArgs {
    #[command(subcommand)]
    pub command: Option<DataCommand>,
    /// Data set or folder
    #[arg(value_name = "DATA", required = true)]
    pub data: Option<String>,
    #[command(flatten)]
    pub reading: SettingFlags<Reading>,
    /// Print only one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// Download a data set for all later commands
    Get(GetArgs),
    /// Draw training samples beside their augmentations
    Preview(PreviewArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Files are verified against digests that are built in, and kept in $XDG_DATA_HOME/wgrad, else in \
~/.local/share/wgrad (macOS: ~/Library/Application Support/wgrad, Windows: %LOCALAPPDATA%\\wgrad). \
A download that was stopped is resumed. HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are respected.")]
pub struct GetArgs {
    /// Data set: mnist, fashion-mnist, emnist (or one of its splits), cifar-10 or cifar-100
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Address of a folder with the same files, in place of their publisher's
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Each row shows a sample, then its augmentation in epochs 1, 2 and so on of a run with that seed, \
computed by the twin. Pixels are normalised by the train part.

Augmentations: shift PIXELS, rotate DEGREES, scale FRACTION, shear PIXELS, flip, cutout PIXELS, \
brightness FRACTION, contrast FRACTION.")]
pub struct PreviewArgs {
    /// Data set or folder
    #[arg(value_name = "DATA")]
    pub data: String,
    /// Augmentation, as in "shift 2, rotate 10"
    #[arg(long, value_name = "LIST")]
    pub augment: String,
    /// PNG file to write
    #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
    pub out: PathBuf,
    /// Number of samples, taken from the classes in turn
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub samples: usize,
    /// Number of epochs
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub epochs: usize,
    /// Seed of the run
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: u64,
    #[command(flatten)]
    pub reading: SettingFlags<Reading>,
}
