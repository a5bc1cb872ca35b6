//! What flags or a recipe file say, and which of them wins.

use super::choice::NetworkChoice;
use super::keys::{DEFAULT_DATA, KEYS, MAX_EPOCHS, allowed};
use super::rewrites::WantedRewrites;
use crate::data::{Normalise, Reading, Resize};
use crate::error::{Error, Result};
use crate::kernel::Augmentation;
use crate::kernel::precision::Precision;
use crate::network::loss::{ClassWeights, Loss};
use crate::network::optimiser::{Optimiser, Rule};
use crate::train::schedule::Schedule;
use crate::train::stopping::{Stopping, TimeLimit};
use crate::tune::Tuning;
use crate::verify::custom::CustomKernelFile;
use crate::verify::experimental::Experimental;

/// What flags or a recipe file say; what they leave open is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// As [`Recipe::data`](super::Recipe::data).
    pub data: Option<String>,
    /// As [`Recipe::resize`](super::Recipe::resize).
    pub resize: Option<Option<Resize>>,
    /// As [`Recipe::skip_bad`](super::Recipe::skip_bad).
    pub skip_bad: Option<bool>,
    /// As [`Recipe::augment`](super::Recipe::augment).
    pub augment: Option<Augmentation>,
    /// As [`Recipe::network`](super::Recipe::network).
    pub network: Option<NetworkChoice>,
    /// As [`Recipe::epochs`](super::Recipe::epochs).
    pub epochs: Option<usize>,
    /// As [`Recipe::batch_size`](super::Recipe::batch_size).
    pub batch_size: Option<usize>,
    /// As [`Recipe::learning_rate`](super::Recipe::learning_rate).
    pub learning_rate: Option<f32>,
    /// As [`Recipe::optimiser`](super::Recipe::optimiser).
    pub optimiser: Option<Optimiser>,
    /// Short for an optimiser that is `sgd` with this momentum.
    pub momentum: Option<f32>,
    /// As [`Recipe::schedule`](super::Recipe::schedule).
    pub schedule: Option<Schedule>,
    /// As [`Recipe::clip_norm`](super::Recipe::clip_norm).
    pub clip_norm: Option<f32>,
    /// As [`Recipe::clip_value`](super::Recipe::clip_value).
    pub clip_value: Option<f32>,
    /// As [`Recipe::accumulate`](super::Recipe::accumulate).
    pub accumulate: Option<usize>,
    /// As [`Recipe::ema`](super::Recipe::ema).
    pub ema: Option<f32>,
    /// As [`Recipe::label_smoothing`](super::Recipe::label_smoothing).
    pub label_smoothing: Option<f32>,
    /// As [`Recipe::class_weights`](super::Recipe::class_weights).
    pub class_weights: Option<ClassWeights>,
    /// As [`Recipe::stop_early`](super::Recipe::stop_early).
    pub stop_early: Option<Option<Stopping>>,
    /// As [`Recipe::max_time`](super::Recipe::max_time).
    pub max_time: Option<TimeLimit>,
    /// As [`Recipe::overfit_batches`](super::Recipe::overfit_batches).
    pub overfit_batches: Option<usize>,
    /// As [`Recipe::normalise`](super::Recipe::normalise).
    pub normalise: Option<Normalise>,
    /// As [`Recipe::loss`](super::Recipe::loss).
    pub loss: Option<Loss>,
    /// As [`Recipe::seed`](super::Recipe::seed).
    pub seed: Option<u64>,
    /// As [`Recipe::validation`](super::Recipe::validation).
    pub validation: Option<f64>,
    /// As [`Recipe::device`](super::Recipe::device).
    pub device: Option<String>,
    /// As [`Recipe::tuning`](super::Recipe::tuning).
    pub tuning: Option<Tuning>,
    /// As [`Recipe::rewrites`](super::Recipe::rewrites).
    pub rewrites: Option<WantedRewrites>,
    /// As [`Recipe::precision`](super::Recipe::precision).
    pub precision: Option<Precision>,
    /// As [`Recipe::experimental`](super::Recipe::experimental).
    pub experimental: Option<Experimental>,
    /// As [`Recipe::kernel`](super::Recipe::kernel).
    pub kernel: Option<Vec<String>>,
}

impl Overrides {
    /// The data set that is asked for, or [`DEFAULT_DATA`].
    pub fn data(&self) -> &str {
        self.data.as_deref().unwrap_or(DEFAULT_DATA)
    }

    /// How that data set is to be read.
    pub fn reading(&self) -> Reading {
        Reading { resize: self.resize.flatten(), skip_bad: self.skip_bad.unwrap_or_default() }
    }

    /// These, and `other` for what these leave open: `flags.or(file)`.
    pub fn or(self, other: Overrides) -> Overrides {
        Overrides {
            data: self.data.or(other.data),
            resize: self.resize.or(other.resize),
            skip_bad: self.skip_bad.or(other.skip_bad),
            augment: self.augment.or(other.augment),
            network: self.network.or(other.network),
            epochs: self.epochs.or(other.epochs),
            batch_size: self.batch_size.or(other.batch_size),
            learning_rate: self.learning_rate.or(other.learning_rate),
            // An optimiser given here leaves nothing open that a momentum there could say.
            momentum: self.momentum.or(other.momentum.filter(|_| self.optimiser.is_none())),
            optimiser: self.optimiser.or(other.optimiser),
            schedule: self.schedule.or(other.schedule),
            clip_norm: self.clip_norm.or(other.clip_norm),
            clip_value: self.clip_value.or(other.clip_value),
            accumulate: self.accumulate.or(other.accumulate),
            ema: self.ema.or(other.ema),
            label_smoothing: self.label_smoothing.or(other.label_smoothing),
            class_weights: self.class_weights.or(other.class_weights),
            stop_early: self.stop_early.or(other.stop_early),
            max_time: self.max_time.or(other.max_time),
            overfit_batches: self.overfit_batches.or(other.overfit_batches),
            normalise: self.normalise.or(other.normalise),
            loss: self.loss.or(other.loss),
            seed: self.seed.or(other.seed),
            validation: self.validation.or(other.validation),
            device: self.device.or(other.device),
            tuning: self.tuning.or(other.tuning),
            rewrites: self.rewrites.or(other.rewrites),
            precision: self.precision.or(other.precision),
            experimental: self.experimental.or(other.experimental),
            kernel: self.kernel.or(other.kernel),
        }
    }

    /// The optimiser that is asked for, by its own name or by a momentum.
    pub(super) fn optimiser(&self) -> Result<Option<Optimiser>> {
        let Some(momentum) = self.momentum else { return Ok(self.optimiser) };
        let given = self.optimiser.unwrap_or_default();
        match given.rule {
            Rule::Sgd { dampening, nesterov, .. } => {
                let optimiser = Optimiser { rule: Rule::Sgd { momentum, dampening, nesterov }, ..given };
                optimiser.check().map(|()| Some(optimiser))
            }
            _ => Err(Error::Usage(format!(
                "--momentum (or momentum in a recipe) is for the optimiser sgd, not for {given}: \
                 leave it out, or write --optimiser \"sgd momentum {momentum}\""
            ))),
        }
    }

    /// Checks every value that is given, before any data are read.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the key, its value, and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.kernel.iter().flatten().try_for_each(|text| CustomKernelFile::parse(text).map(|_| ()))?;
        self.optimiser.iter().try_for_each(Optimiser::check)?;
        self.experimental.unwrap_or_default().check(self.precision.unwrap_or_default())?;
        self.rewrites.unwrap_or_default().check(self.precision.unwrap_or_default())?;
        let Some((key, value)) = KEYS.iter().find_map(|(key, _)| Some((key, self.refused(key)?))) else {
            return Ok(());
        };
        // The data set is the one key whose flag is no flag but an argument.
        let flag = if *key == "data" { "DATA".to_owned() } else { format!("--{}", key.replace('_', "-")) };
        let allowed = allowed(key);
        Err(Error::Usage(format!("{flag} (or {key} in a recipe) is {value}, but it takes {allowed}")))
    }

    /// The value of `key`, if it is given and not allowed.
    pub(super) fn refused(&self, key: &str) -> Option<String> {
        fn unless<T: ToString>(value: &Option<T>, fits: impl Fn(&T) -> bool) -> Option<String> {
            value.as_ref().filter(|value| !fits(value)).map(T::to_string)
        }
        let named =
            |name: &Option<String>| unless(name, |name| !name.trim().is_empty()).map(|_| "empty".into());
        match key {
            "data" => named(&self.data),
            "epochs" => unless(&self.epochs, |epochs| (1..=MAX_EPOCHS).contains(epochs)),
            "batch_size" => unless(&self.batch_size, |batch| *batch >= 1),
            "learning_rate" => unless(&self.learning_rate, |rate| rate.is_finite() && *rate > 0.0),
            "momentum" => unless(&self.momentum, |momentum| (0.0..1.0).contains(momentum)),
            "clip_norm" => unless(&self.clip_norm, |most| most.is_finite() && *most >= 0.0),
            "clip_value" => unless(&self.clip_value, |most| most.is_finite() && *most >= 0.0),
            "accumulate" => unless(&self.accumulate, |batches| *batches >= 1),
            "ema" => unless(&self.ema, |share| (0.0..1.0).contains(share)),
            "label_smoothing" => unless(&self.label_smoothing, |share| (0.0..1.0).contains(share)),
            "validation" => unless(&self.validation, |fraction| (0.0..1.0).contains(fraction)),
            "device" => named(&self.device),
            // A size, changes, a network, an optimiser, a loss, a tuning, a precision and what is tried out were checked as they were read, kernels say more about
            // themselves when they are parsed, and every seed will do.
            _ => None,
        }
    }
}
