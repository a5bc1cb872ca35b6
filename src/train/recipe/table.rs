//! The table of settings, from which everything else about them is made.

use super::choice::NetworkChoice;
use super::on_nan::OnNan;
use super::rewrites::WantedRewrites;
use super::settings::settings;
use crate::data::{Background, Grey, Levels, Normalise, Resize};
use crate::kernel::Augmentation;
use crate::kernel::precision::Precision;
use crate::network::Network;
use crate::network::loss::{ClassWeights, Loss};
use crate::network::optimiser::Optimiser;
use crate::train::schedule::Schedule;
use crate::train::stopping::{Stopping, TimeLimit};
use crate::tune::Tuning;
use crate::verify::custom::CustomKernelFile;
use crate::verify::experimental::Experimental;

/// The data set of a run that names none.
pub const DEFAULT_DATA: &str = "digits";
/// The most epochs that a run may have. A typing error shouldn't run for a year.
pub const MAX_EPOCHS: usize = 1_000_000;

settings! {
    /// Everything that decides what a run computes.
    ///
    /// [`Recipe::for_data`] has the defaults of a data set, which
    /// `Recipe { epochs: 3, ..Recipe::for_data(&data) }` changes; [`Recipe::with_optimiser`] changes the learning rate too.
    /// `data`, `resize`, `skip_bad`, `background`, `levels`, `grey`, `transpose` and `device` say where a program finds data and device: a
    /// [`Session`](crate::train::session::Session) is given both.
    Recipe,
    /// Settings that flags or a recipe file give; `None` where they don't.
    Overrides,
    /// All settings, in the order of a recipe file.
    SETTINGS;

    /// Data set: a name, or a folder relative to the working directory.
    data: String = DEFAULT_DATA.to_owned(),
        Data "DATA",
        takes "a string: digits, mnist, or a folder with IDX files, CIFAR's binary files or pictures",
        if |name| !name.trim().is_empty();

    /// Size of all pictures of a folder: 32x32, or 3x32x32 with channels.
    resize: Option<Resize> = None,
        Data "SIZE",
        takes "a string: height x width, as in 32x32, or channels in front, as in 3x32x32, or none";

    /// Leave out pictures that can't be read, and list them.
    skip_bad: bool = false,
        Data "BOOL", takes "true or false: whether pictures that can't be read are left out";

    /// Ground under transparent parts of pictures: auto, black, white, or a colour as in #ffcc00.
    background: Background = Background::Auto,
        Data "COLOUR",
        takes "a string: auto, black, white, a colour as in “#ffcc00”, or a grey from 0 to 255, as in “128”";

    /// Levels of 16-bit pictures: auto, full, or a range as in 0-4000.
    levels: Levels = Levels::Auto,
        Data "RANGE",
        takes "a string: auto, full, or the lowest and the highest 16-bit value, as in “0-4000”";

    /// Weights of the grey of colours: rec601, as Pillow and OpenCV have them, or rec709.
    grey | gray: Grey = Grey::Rec601,
        Data "NAME",
        takes "a string: rec601, the weights of Pillow and OpenCV, or rec709, those of earlier versions";

    /// Swap rows and columns of images in IDX files; on for emnist-letters and the like.
    transpose: bool = false,
        Data "BOOL", takes "true or false: whether rows and columns of images in IDX files are swapped";

    /// Augmentation of training samples, as in "shift 2, rotate 10".
    augment: Augmentation = Augmentation::default(),
        Data "LIST" often, takes "a string of augmentations, as in “shift 2, rotate 10”, or none";

    /// Layers, as in "conv 16 3x3, relu, maxpool 2, dense 10", or the name cnn.
    network: Network as NetworkChoice
        = "dense 128, relu, dense 10".parse().expect("these are layers") => "dense 128 (digits: dense 64), relu, dense CLASSES",
        Network "LAYERS" often,
        takes "a string of layers, as in “dense 128, relu, dense 10”, a list of them, or the name cnn";

    /// Passes over the training samples.
    epochs: usize = 10 => "10, for digits 40",
        Training "N" often, takes "a whole number from 1 to 1000000", if |epochs| (1..=MAX_EPOCHS).contains(epochs);

    /// Samples per batch.
    batch_size: usize = 64 => "64, for digits 32",
        Training "N" often,
        takes "a whole number from 1 up to the number of training samples", if |batch| *batch >= 1;

    /// Learning rate, which the schedule changes.
    learning_rate | lr: f32 = Optimiser::sgd(0.9).default_learning_rate() => "the optimiser's",
        Training "X" often, takes "a number above 0", if |rate| rate.is_finite() && *rate > 0.0;

    /// Optimiser, as in "sgd momentum 0.9 nesterov" or adamw.
    optimiser | optimizer: Optimiser = Optimiser::sgd(0.9),
        Training "RULE" often,
        takes "a string, as in “sgd momentum 0.9 nesterov” or “adamw”", check Optimiser::check;

    /// Short for the optimiser "sgd momentum X".
    momentum: f32,
        Training "X", takes "a number from 0 to below 1", if |momentum| (0.0..1.0).contains(momentum);

    /// Schedule of the learning rate, as in "cosine warmup 100" or one-cycle.
    schedule: Schedule = Schedule::CONSTANT,
        Training "SHAPE" often, takes "a string, as in “cosine warmup 100”, “one-cycle” or “constant”";

    /// Largest norm of all gradients together; 0 for no limit.
    clip_norm: f32 = 0.0,
        Training "X", takes "a number from 0 (nothing is clipped)", if |most| most.is_finite() && *most >= 0.0;

    /// Largest absolute value of each gradient; 0 for no limit.
    clip_value: f32 = 0.0,
        Training "X", takes "a number from 0 (nothing is clipped)", if |most| most.is_finite() && *most >= 0.0;

    /// Batches whose gradients are added up for one step.
    accumulate: usize = 1,
        Training "N", takes "a whole number from 1", if |batches| *batches >= 1;

    /// Decay of the EMA of the weights, as in 0.999; 0 for no EMA.
    ema formerly average: f32 = 0.0,
        Regularisation "X",
        takes "a number from 0 (no EMA of the weights) to below 1", if |decay| (0.0..1.0).contains(decay);

    /// Fraction of each label that is spread over all classes.
    label_smoothing: f32 = 0.0,
        Regularisation "X", takes "a number from 0 to below 1", if |fraction| (0.0..1.0).contains(fraction);

    /// Class weights in the loss: even, balanced, or numbers as in 1,2,0.5.
    class_weights: ClassWeights = ClassWeights::Even,
        Training "WEIGHTS", takes "a string: even, balanced, or a number for each class, as in “1,2,0.5”";

    /// Early stopping, as in "validation-loss patience 5 min-delta 0.001".
    stop_early: Option<Stopping> = None,
        Regularisation "WHEN", takes "a string, as in “validation-loss patience 5 min-delta 0.001”, or never";

    /// Time after which training stops, as in 10m or 1h30m.
    max_time: TimeLimit = TimeLimit(None),
        Training "TIME", takes "a string, as in “10m” or “1h30m”, or none";

    /// After a non-finite loss or gradient: stop, or rollback and halve the learning rate.
    on_nan: OnNan = OnNan::Stop,
        Training "WHAT", takes "a string: stop or rollback";

    /// Number of batches to train on, as a test; 0 for all.
    overfit_batches: usize = 0,
        Training "N", takes "a whole number from 0 (all samples)";

    /// Scale of the pixels: standard (mean 0, deviation 1 per channel) or unit (0 to 1).
    normalise | normalize: Normalise = Normalise::Standard,
        Data "NAME", takes "a string: standard or unit";

    /// Loss function: cross-entropy, bce, mse or squared-error.
    loss: Loss = Loss::CrossEntropy,
        Training "NAME", takes "a string: cross-entropy, bce, mse or squared-error";

    /// Seed of initial weights, sample order, augmentation and dropout.
    seed: u64 = 0,
        Training "N" often, takes "a whole number from 0";

    /// Fraction of the train part to validate on after each epoch.
    validation: f64 = 0.0,
        Data "FRACTION" often,
        takes "a fraction from 0 (no validation part) to below 1", if |fraction| (0.0..1.0).contains(fraction);

    /// Device to train on: auto, gpu, cpu, or part of an adapter's name.
    device: String = "auto".to_owned(),
        Device "NAME" often,
        takes "a string: auto, gpu, cpu, or a part of an adapter's name", if |name| !name.trim().is_empty();

    /// Variants of kernels: auto (the fastest, measured once), default, or a list.
    tuning: Tuning = Tuning::Auto,
        Kernels "CHOICE",
        takes "a string: auto, default, or variants by class of work, as in “large matmul_register”";

    /// Rewrites that make the Program faster: all, none, or a list, as in "activations, watch".
    rewrites: WantedRewrites = WantedRewrites::Default => "all, with a custom kernel none",
        Kernels "LIST",
        takes "a string: default, all, none, or names of rewrites, as in “activations, watch”";

    /// Inputs of the products of dense layers: f32, or f16 summed in f32.
    precision: Precision = Precision::default() => "f32",
        Experimental "NAME", takes "a string: f32 or f16";

    /// Experimental kernels: none, or cooperative-matrix, which needs precision f16.
    experimental: Experimental = Experimental::None,
        Experimental "NAME",
        takes "a string: none or cooperative-matrix, with its tile sizes or without, as in “cooperative-matrix 16 8”";

    /// Custom kernel, checked before the run; can be given again.
    kernel: Vec<String> = Vec::new(),
        Kernels "NAME=FILE.wgsl", takes "a list of strings NAME=FILE.wgsl: custom kernels",
        check |kernels| kernels.iter().try_for_each(|text| CustomKernelFile::parse(text).map(|_| ()));
}
