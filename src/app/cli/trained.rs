//! The flags of what is done with a network: `wgrad eval`, `predict`, `summary` and `explain`.

use std::path::PathBuf;

use clap::Args;

use super::numbers::whole;

#[derive(Args, Debug)]
pub struct EvalArgs {
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
pub struct PredictArgs {
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
pub struct SummaryArgs {
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
    /// Show the steps with these rewrites: all, none, or names with commas [default: the run's, else all]
    #[arg(long, value_name = "LIST")]
    pub rewrites: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Layers, units and samples are counted from 0. Beside every number that a kernel stored stand what
its twin makes of the same inputs and, for gradients, the slope of the loss found by trying.")]
pub struct ExplainArgs {
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
