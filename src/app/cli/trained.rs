//! The flags of `wgrad eval`, `predict`, `summary` and `explain`.

use std::path::PathBuf;

use clap::Args;
use wgrad::Result;
use wgrad::internals::data::{Fit, PictureOptions};

use super::numbers::whole;
use super::settings::{OfModel, Predicting, SettingFlags};

#[derive(Args, Debug)]
#[command(after_help = "\
Without DATA the held-out part of the run's data is measured; of another folder, the pictures in its \
test, else those in its val, else those in its own class folders. A class may have one picture or \
none, and classes are matched by name.")]
pub struct EvalArgs {
    /// Run directory or model file
    pub run: PathBuf,
    /// Data set, or folder with a folder of pictures for each class [default: the run's data]
    pub data: Option<String>,
    #[command(flatten)]
    pub reading: SettingFlags<OfModel>,
    #[command(flatten)]
    pub options: OptionArgs,
    /// Draw the N misclassified images with the highest loss
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub mistakes: Option<usize>,
    /// File for the drawing
    #[arg(long, requires = "mistakes", value_name = "FILE.png", default_value = "mistakes.png")]
    pub out: PathBuf,
    /// Device: auto, gpu, cpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print only one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

/// How pictures are handled that a model is given.
#[derive(Args, Debug)]
pub struct OptionArgs {
    /// Swap dark and light
    #[arg(long)]
    pub invert: bool,
    /// Fit for pictures of another shape
    #[arg(long, value_name = "HOW", default_value = "pad", value_parser = Fit::NAMES)]
    pub fit: String,
}

impl OptionArgs {
    /// The options.
    ///
    /// # Errors
    /// As for [`Fit`].
    pub fn options(&self) -> Result<PictureOptions> {
        Ok(PictureOptions { invert: self.invert, fit: self.fit.parse()? })
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
FILE is a picture, a folder (with the folders in it, up to 10,000 pictures), a pattern as in \
\"scans/*.png\", or - for a picture on stdin. One that can't be read is named and left out; the exit \
code is 3 if it is a FILE itself, or if none is left.

Each picture gets the channels and the size of the network's images; it keeps its proportions, on \
their ground, which is black unless the pictures trained on needed another. MNIST and digits are \
light on dark: for dark ink on light paper add --invert. --save-input shows what the network sees; \
in a folder it replaces no file.

--csv prints file, class and probability, and with --top N the next classes too; --json-lines prints \
an object for each picture as soon as it is classified.")]
pub struct PredictArgs {
    /// Run directory or model file
    pub run: PathBuf,
    /// PNG or JPEG pictures, folders or patterns, or - for stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub options: OptionArgs,
    #[command(flatten)]
    pub reading: SettingFlags<Predicting>,
    /// Write what the network sees: a PNG file for one picture, or a folder
    #[arg(long, value_name = "FILE|DIR")]
    pub save_input: Option<PathBuf>,
    /// Number of classes to print, most probable first [default: all up to 10, else 3; in JSON all, in CSV 1]
    #[arg(long, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub top: Option<usize>,
    /// Device: auto, gpu, cpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print only one JSON array on stdout
    #[arg(long, conflicts_with_all = ["json_lines", "csv"])]
    pub json: bool,
    /// Print only a JSON object on a line for each picture on stdout
    #[arg(long, visible_alias = "jsonl", conflicts_with = "csv")]
    pub json_lines: bool,
    /// Print only a table of comma-separated values on stdout
    #[arg(long)]
    pub csv: bool,
}

#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// Layers, as in "dense 128, relu, dense 10", or a run directory or model file
    #[arg(value_name = "NETWORK|RUN")]
    pub what: String,
    /// Shape of one image: channels, height, width
    #[arg(long, value_name = "C,H,W", default_value = "1,28,28", value_delimiter = ',')]
    pub input: Vec<usize>,
    /// Samples per batch [default: the run's, else 64]
    #[arg(long, short, value_name = "N", value_parser = whole::<usize>, allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Device to show the dispatches for: auto, gpu, cpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Rewrites: all, none, or a list, as in "activations, watch" [default: the run's, else all]
    #[arg(long, value_name = "LIST")]
    pub rewrites: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Layers, units and samples are counted from 0. Each number that a kernel stored is shown beside its \
twin's and, if it is a gradient, beside the finite difference of the loss.")]
pub struct ExplainArgs {
    /// Run directory
    pub run: PathBuf,
    #[command(flatten)]
    pub reading: SettingFlags<OfModel>,
    /// Sample of the part, by number
    #[arg(long, value_name = "I", default_value_t = 0, allow_negative_numbers = true)]
    pub sample: i64,
    /// Part of the data
    #[arg(long, value_name = "PART", default_value = "held-out", value_parser = ["train", "held-out"])]
    pub part: String,
    /// Layer, by number [default: the last one with weights]
    #[arg(long, value_name = "L", allow_negative_numbers = true)]
    pub layer: Option<i64>,
    /// Unit of the layer, by number [default: that of the sample's class, else 0]
    #[arg(long, value_name = "U", allow_negative_numbers = true)]
    pub unit: Option<i64>,
    /// Step: next, from the model's weights and an optimiser state of 0
    #[arg(long, value_name = "STEP", default_value = "next", value_parser = ["next"])]
    pub step: String,
    /// Print the WGSL and the Rust that computed the numbers
    #[arg(long)]
    pub source: bool,
    /// Device: auto, gpu, cpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Print only one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}
