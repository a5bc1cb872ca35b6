//! Settings that flags or a recipe file give, beyond single rows.

use super::table::{DEFAULT_DATA, Overrides};
use crate::data::{Background, Levels, PictureOptions, Reading, Rendering};
use crate::error::{Error, Result};
use crate::network::optimiser::{Optimiser, Rule};

impl Overrides {
    /// The data set that is asked for, or [`DEFAULT_DATA`].
    pub fn data(&self) -> &str {
        self.data.as_deref().unwrap_or(DEFAULT_DATA)
    }

    /// The settings for reading that data set.
    pub fn reading(&self) -> Reading {
        Reading {
            resize: self.resize.flatten(),
            skip_bad: self.skip_bad.unwrap_or_default(),
            background: self.background.unwrap_or_default(),
            levels: self.levels.unwrap_or_default(),
            options: PictureOptions::default(),
            grey: self.grey.unwrap_or_default(),
            transpose: self.transpose,
            rendering: None,
        }
    }

    /// These of a run, with what versions did that had no setting for ground, levels or grey of pictures, or
    /// for transposing.
    pub fn of_any_version(self) -> Overrides {
        let Rendering { ground, levels, grey, .. } = Rendering::FORMER;
        Overrides {
            background: self.background.or(Some(Background::Colour(ground))),
            levels: self.levels.or(Some(Levels::Range(levels))),
            grey: self.grey.or(Some(grey)),
            transpose: self.transpose.or(Some(false)),
            ..self
        }
    }

    /// Whether a run wrote them: it leaves out no setting, not even one that does nothing.
    pub(super) fn is_of_a_run(&self) -> bool {
        let Overrides { data, resize, skip_bad, augment, network, seed, device, .. } = self;
        let Overrides { kernel, stop_early, class_weights, overfit_batches, .. } = self;
        let named = data.is_some() && network.is_some() && seed.is_some() && device.is_some();
        let read = resize.is_some() && skip_bad.is_some() && augment.is_some();
        let idle = kernel.is_some() && stop_early.is_some() && class_weights.is_some();
        named && read && idle && overfit_batches.is_some()
    }

    /// These, and `other` where these are not given: `flags.or(file)`.
    pub fn or(self, other: Overrides) -> Overrides {
        // An optimiser given here includes its momentum, so one given there is dropped.
        let momentum = other.momentum.filter(|_| self.optimiser.is_none());
        self.or_each(Overrides { momentum, ..other })
    }

    /// The optimiser that is asked for, by its name or a momentum.
    pub(super) fn optimiser(&self) -> Result<Option<Optimiser>> {
        let Some(momentum) = self.momentum else { return Ok(self.optimiser) };
        let given = self.optimiser.unwrap_or_default();
        match given.rule {
            Rule::Sgd { dampening, nesterov, .. } => {
                let optimiser = Optimiser { rule: Rule::Sgd { momentum, dampening, nesterov }, ..given };
                optimiser.check().map(|()| Some(optimiser))
            }
            _ => Err(Error::Setting {
                key: "momentum",
                problem: format!(
                    "⟨momentum⟩ is for the optimiser sgd, not for {given}: leave it out, or write \
                     ⟨optimiser sgd momentum {momentum}⟩"
                ),
            }),
        }
    }

    /// Checks every value that is given, before any data are read.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that isn't allowed, or that contradicts another setting.
    pub fn check(&self) -> Result<()> {
        let precision = self.precision.unwrap_or_default();
        self.check_each()?;
        self.experimental.unwrap_or_default().check(precision)?;
        self.rewrites.unwrap_or_default().check(precision)
    }
}
