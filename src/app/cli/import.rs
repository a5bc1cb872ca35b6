//! The flags of `wgrad import`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
FILE is a state_dict that PyTorch saved with safetensors.torch.save_file. Its tensors are matched by \
their names, as in 0.weight, or else by layer and shape; docs/pytorch.md has the layers of PyTorch \
and wgrad side by side.

Pixels become inputs as (byte/255 − mean) / std, like torchvision's ToTensor and Normalize. Without \
--mean and --std they are scaled to 0 to 1, as by ToTensor alone.")]
pub struct ImportArgs {
    /// Safetensors file
    pub file: PathBuf,
    /// Layers, as in "conv 16 3x3, relu, maxpool 2, dense 10", or the name cnn
    #[arg(long, value_name = "LAYERS")]
    pub network: String,
    /// Classes: a list, as in cat,dog, a file with one per line, or the data set or folder that has them
    #[arg(long, value_name = "CLASSES")]
    pub classes: String,
    /// Shape of one image: channels, height, width, as in 3x32x32 [default: that of the data set]
    #[arg(long, value_name = "CxHxW")]
    pub shape: Option<String>,
    /// Mean of the pixels, from 0 to 1: one, or one for each channel, as in 0.485,0.456,0.406
    #[arg(long, value_name = "X,…", default_value = "0", allow_hyphen_values = true)]
    pub mean: String,
    /// Standard deviation of the pixels: one, or one for each channel, as in 0.229,0.224,0.225
    #[arg(long, value_name = "X,…", default_value = "1", allow_hyphen_values = true)]
    pub std: String,
    /// Loss, which says how outputs become probabilities: cross-entropy, bce, mse or squared-error
    #[arg(long, value_name = "NAME", default_value = "cross-entropy")]
    pub loss: String,
    /// Weights of the grey of colours: rec601, as Pillow and OpenCV have them, or rec709
    #[arg(long, value_name = "NAME", default_value = "rec601")]
    pub grey: String,
    /// Model file to write
    #[arg(long, value_name = "FILE", default_value = "model.safetensors")]
    pub out: PathBuf,
    /// Replace the model file if it exists
    #[arg(long)]
    pub force: bool,
}
