//! What a run does, as numbers and names: from the defaults of the data set, a recipe file, and
//! flags, each winning over the one before.
//!
//! A recipe file is TOML with the keys of [`KEYS`], all optional. A data set that is a folder is
//! looked for from the working directory, as with the flag, and not from where the recipe lies: so
//! the recipe in a run directory repeats the run from the place where it was started.

mod choice;
mod file;
mod keys;
mod overrides;
mod rewrites;
mod tuning;

pub use choice::NetworkChoice;
pub use file::{parse_toml, read};
pub use keys::{DEFAULT_DATA, KEYS, MAX_EPOCHS};
pub use overrides::Overrides;
pub use rewrites::WantedRewrites;

use serde::{Serialize, Serializer};

use crate::data::{Normalise, Resize};
use crate::error::Result;
use crate::kernel::Augmentation;
use crate::kernel::precision::Precision;
use crate::network::Network;
use crate::network::loss::{ClassWeights, Loss};
use crate::network::lower::Training;
use crate::network::optimiser::Optimiser;
use crate::program::rewrite::Rewrites;
use crate::train::schedule::Schedule;
use crate::train::stopping::{Stopping, TimeLimit};
use crate::tune::Tuning;
use crate::verify::experimental::Experimental;

/// Weights of the default network's hidden layer at the most: 32 MiB, a quarter of what every
/// adapter can bind.
const MOST_DEFAULT_WEIGHTS: usize = 8 << 20;

/// Everything that decides what a run computes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    /// The name of a data set, or its folder, seen from the working directory.
    pub data: String,
    /// The size that pictures are brought to.
    #[serde(serialize_with = "as_text_or_none")]
    pub resize: Option<Resize>,
    /// Whether pictures that can't be read are left out.
    pub skip_bad: bool,
    /// How training samples are changed at random.
    #[serde(serialize_with = "as_text")]
    pub augment: Augmentation,
    /// What is trained.
    #[serde(serialize_with = "as_text")]
    pub network: Network,
    /// How often every training sample is seen.
    pub epochs: usize,
    /// Samples of a step.
    pub batch_size: usize,
    /// What a gradient is multiplied by.
    pub learning_rate: f32,
    /// How weights follow gradients.
    #[serde(serialize_with = "as_text")]
    pub optimiser: Optimiser,
    /// How the learning rate changes.
    #[serde(serialize_with = "as_text")]
    pub schedule: Schedule,
    /// The largest norm of all gradients together; 0 for any.
    pub clip_norm: f32,
    /// The largest size of a single gradient; 0 for any.
    pub clip_value: f32,
    /// Batches whose gradients a step adds up.
    pub accumulate: usize,
    /// How much of the average of the weights a step keeps at the most; 0 for no average.
    pub ema: f32,
    /// How much of what is wanted of the label is wanted of all classes instead.
    pub label_smoothing: f32,
    /// How much each class counts.
    #[serde(serialize_with = "as_text")]
    pub class_weights: ClassWeights,
    /// When the run stops by itself, keeping the best weights.
    #[serde(serialize_with = "as_text_or_never")]
    pub stop_early: Option<Stopping>,
    /// How long it trains at the most.
    #[serde(serialize_with = "as_text")]
    pub max_time: TimeLimit,
    /// Steps of samples to train on, over and over; 0 for all samples.
    pub overfit_batches: usize,
    #[serde(serialize_with = "as_text")]
    pub normalise: Normalise,
    /// What is made small.
    #[serde(serialize_with = "as_text")]
    pub loss: Loss,
    /// Decides the first weights, the order of the samples, and the validation part.
    pub seed: u64,
    /// The fraction of the training part to validate with; 0 for none.
    pub validation: f64,
    /// As `--device` takes it: `auto`, `gpu`, `cpu`, or a part of an adapter's name.
    pub device: String,
    /// Which variants of kernels are used; that of a run is spelt out.
    #[serde(serialize_with = "as_text")]
    pub tuning: Tuning,
    /// What makes of the plain Program a faster one; [`Recipe::rewrites`] says what the default comes to.
    #[serde(serialize_with = "as_text")]
    pub rewrites: WantedRewrites,
    /// What the products of dense layers read.
    #[serde(serialize_with = "as_text")]
    pub precision: Precision,
    /// What is tried out; that of a run is spelt out.
    #[serde(serialize_with = "as_text")]
    pub experimental: Experimental,
    /// Readers' own versions of kernels, each as `--kernel` takes it.
    pub kernel: Vec<String>,
}

impl Recipe {
    /// What a data set is trained with when nothing else is said.
    ///
    /// `values` are those of one image, C·H·W: large images get a narrower hidden layer, so that
    /// its weights fit any adapter. `train` is the number of samples to train on; a batch is never
    /// larger.
    pub fn defaults_for(data: &str, values: usize, classes: usize, train: usize) -> Recipe {
        let (hidden, epochs, batch_size) = if data == "digits" { (64, 40, 32) } else { (128, 10, 64) };
        let hidden = hidden.min((MOST_DEFAULT_WEIGHTS / values.max(1)).max(1));
        let network = format!("dense {hidden}, relu, dense {classes}");
        Recipe {
            data: data.to_owned(),
            resize: None,
            skip_bad: false,
            augment: Augmentation::default(),
            network: network.parse().expect("data have one class or more, and not too many"),
            epochs,
            batch_size: batch_size.min(train.max(1)),
            learning_rate: Optimiser::sgd(0.9).default_learning_rate(),
            optimiser: Optimiser::sgd(0.9),
            schedule: Schedule::CONSTANT,
            clip_norm: 0.0,
            clip_value: 0.0,
            accumulate: 1,
            ema: 0.0,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Even,
            stop_early: None,
            max_time: TimeLimit(None),
            overfit_batches: 0,
            normalise: Normalise::Standard,
            loss: Loss::CrossEntropy,
            seed: 0,
            validation: 0.0,
            device: "auto".to_owned(),
            tuning: Tuning::Auto,
            rewrites: WantedRewrites::Default,
            precision: Precision::F32,
            experimental: Experimental::None,
            kernel: Vec::new(),
        }
    }

    /// The same for the network `cnn`: Adam, and a rate that rises and falls once over the run.
    ///
    /// For MNIST also the number of epochs, and changes of the images that a handwritten digit
    /// bears. All of it was chosen by a validation part.
    fn for_cnn(self) -> Recipe {
        let recipe = Recipe {
            optimiser: "adam".parse().expect("there is such an optimiser"),
            learning_rate: 0.003,
            schedule: "one-cycle".parse().expect("there is such a schedule"),
            ..self
        };
        if recipe.data != "mnist" {
            return recipe;
        }
        Recipe {
            epochs: 12,
            augment: Augmentation { shift: 1.0, rotate: 8.0, ..Augmentation::default() },
            ..recipe
        }
    }

    /// The recipe for a data set of so many values per image, classes and training samples, of which the validation
    /// part is still to be taken.
    ///
    /// # Errors
    /// As [`Overrides::check`].
    pub fn resolve(given: &Overrides, values: usize, classes: usize, train: usize) -> Result<Recipe> {
        given.check()?;
        let validation = (given.validation.unwrap_or(0.0) * train as f64).round() as usize;
        let defaults = Recipe::defaults_for(given.data(), values, classes, train.saturating_sub(validation));
        let defaults = match given.network {
            Some(NetworkChoice::Cnn) => defaults.for_cnn(),
            _ => defaults,
        };
        let asked = given.optimiser()?;
        // A rate suits one optimiser.
        let learning_rate =
            asked.map_or(defaults.learning_rate, |optimiser| optimiser.default_learning_rate());
        let optimiser = asked.unwrap_or(defaults.optimiser);
        let given = given.clone();
        Ok(Recipe {
            data: defaults.data,
            resize: given.resize.unwrap_or(defaults.resize),
            skip_bad: given.skip_bad.unwrap_or(defaults.skip_bad),
            augment: given.augment.unwrap_or(defaults.augment),
            network: given.network.map_or(defaults.network, |choice| choice.network(classes)),
            epochs: given.epochs.unwrap_or(defaults.epochs),
            batch_size: given.batch_size.unwrap_or(defaults.batch_size),
            learning_rate: given.learning_rate.unwrap_or(learning_rate),
            optimiser,
            schedule: given.schedule.unwrap_or(defaults.schedule),
            clip_norm: given.clip_norm.unwrap_or(defaults.clip_norm),
            clip_value: given.clip_value.unwrap_or(defaults.clip_value),
            accumulate: given.accumulate.unwrap_or(defaults.accumulate),
            ema: given.ema.unwrap_or(defaults.ema),
            label_smoothing: given.label_smoothing.unwrap_or(defaults.label_smoothing),
            class_weights: given.class_weights.unwrap_or(defaults.class_weights),
            stop_early: given.stop_early.unwrap_or(defaults.stop_early),
            max_time: given.max_time.unwrap_or(defaults.max_time),
            overfit_batches: given.overfit_batches.unwrap_or(defaults.overfit_batches),
            normalise: given.normalise.unwrap_or(defaults.normalise),
            loss: given.loss.unwrap_or(defaults.loss),
            seed: given.seed.unwrap_or(defaults.seed),
            validation: given.validation.unwrap_or(defaults.validation),
            device: given.device.unwrap_or(defaults.device),
            tuning: given.tuning.unwrap_or(defaults.tuning),
            rewrites: given.rewrites.unwrap_or(defaults.rewrites),
            precision: given.precision.unwrap_or(defaults.precision),
            experimental: given.experimental.unwrap_or(defaults.experimental),
            kernel: given.kernel.unwrap_or(defaults.kernel),
        })
    }

    /// What a training step does besides forward and backward; the weights of the classes depend
    /// on the data, so they are not among it.
    pub fn training(&self) -> Training {
        let above_zero = |number: f32| Some(number).filter(|number| *number > 0.0);
        Training {
            clip_norm: above_zero(self.clip_norm),
            clip_value: above_zero(self.clip_value),
            accumulate: self.accumulate,
            ema: above_zero(self.ema),
            label_smoothing: self.label_smoothing,
            ..Training::with(self.optimiser)
        }
    }

    /// The rewrites that the run has.
    pub fn rewrites(&self) -> Rewrites {
        self.rewrites.resolve(!self.kernel.is_empty(), self.precision)
    }

    /// Samples of a step.
    pub fn step_samples(&self) -> usize {
        self.batch_size.saturating_mul(self.accumulate)
    }

    /// Checks every value, as [`Overrides::check`].
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) naming the key, its value, and what is allowed.
    pub fn check(&self) -> Result<()> {
        Overrides::from(self.clone()).check()
    }

    /// The recipe as a file that [`parse_toml`] reads back to the same.
    pub fn to_toml(&self) -> String {
        let keys = toml::to_string(self).expect("strings and numbers are TOML");
        format!("# Run it again with: wgrad train recipe.toml\n{keys}")
    }
}

impl From<Recipe> for Overrides {
    fn from(recipe: Recipe) -> Overrides {
        Overrides {
            data: Some(recipe.data),
            resize: Some(recipe.resize),
            skip_bad: Some(recipe.skip_bad),
            augment: Some(recipe.augment),
            network: Some(NetworkChoice::Layers(recipe.network)),
            epochs: Some(recipe.epochs),
            batch_size: Some(recipe.batch_size),
            learning_rate: Some(recipe.learning_rate),
            optimiser: Some(recipe.optimiser),
            momentum: None,
            schedule: Some(recipe.schedule),
            clip_norm: Some(recipe.clip_norm),
            clip_value: Some(recipe.clip_value),
            accumulate: Some(recipe.accumulate),
            ema: Some(recipe.ema),
            label_smoothing: Some(recipe.label_smoothing),
            class_weights: Some(recipe.class_weights),
            stop_early: Some(recipe.stop_early),
            max_time: Some(recipe.max_time),
            overfit_batches: Some(recipe.overfit_batches),
            normalise: Some(recipe.normalise),
            loss: Some(recipe.loss),
            seed: Some(recipe.seed),
            validation: Some(recipe.validation),
            device: Some(recipe.device),
            tuning: Some(recipe.tuning),
            rewrites: Some(recipe.rewrites),
            precision: Some(recipe.precision),
            experimental: Some(recipe.experimental),
            kernel: Some(recipe.kernel),
        }
    }
}

fn as_text_or_never<T: ToString, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.as_ref().map_or("never".to_owned(), T::to_string))
}

fn as_text<T: ToString, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn as_text_or_none<S: Serializer>(value: &Option<Resize>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.map_or(Resize::NONE.to_owned(), |resize| resize.to_string()))
}

#[cfg(test)]
mod tests {
    use super::keys::allowed;
    use super::*;
    use crate::network::loss;

    #[test]
    fn the_table_of_keys_agrees_with_the_code() {
        let recipe = toml::to_string(&Recipe::defaults_for("digits", 64, 10, 1437)).unwrap();
        let written: Vec<&str> = recipe.lines().map(|line| line.split(' ').next().unwrap()).collect();
        // Momentum is short for an optimiser, and written as one.
        let keys = KEYS.iter().map(|(key, _)| *key).filter(|key| *key != "momentum");
        assert_eq!(written, keys.collect::<Vec<_>>());
        assert!(allowed("epochs").ends_with(&MAX_EPOCHS.to_string()));
        assert!(Normalise::NAMES.iter().all(|name| allowed("normalise").contains(name)));
        assert!(loss::NAMES.iter().all(|name| allowed("loss").contains(name)));
    }
}
