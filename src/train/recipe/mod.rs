//! The settings of a run, from data set, recipe file and flags.
//!
//! Flags win over the file, and the file over the defaults.
//!
//! A recipe file is TOML with the keys of [`SETTINGS`], all optional. The path of a data set is relative to the working
//! directory, not to the recipe, so that the recipe in a run directory repeats the run.
//!
//! Read `table.rs` first: a setting is one row there.

mod choice;
mod file;
mod on_nan;
mod overrides;
mod pictures;
mod rewrites;
mod settings;
mod table;
mod tuning;
mod values;

pub use choice::NetworkChoice;
pub use file::{parse_toml, read};
pub use on_nan::OnNan;
pub(crate) use pictures::SMALL_SET_STEPS;
pub use rewrites::WantedRewrites;
pub use settings::{Heading, Setting};
pub use table::{DEFAULT_DATA, MAX_EPOCHS, Overrides, Recipe, SETTINGS};
use values::Value;
pub use values::{FlagKind, RawValue};

use crate::data::Dataset;
use crate::error::Result;
use crate::kernel::Augmentation;
use crate::network::lower::Training;
use crate::network::optimiser::Optimiser;
use crate::program::rewrite::Rewrites;

/// The most weights of the default network's hidden layer. They take 32 MiB, a quarter of what every adapter can
/// bind.
const MOST_DEFAULT_WEIGHTS: usize = 8 << 20;

impl Recipe {
    /// The defaults for a data set, its train part as it is.
    ///
    /// ```
    /// use wgrad::{Recipe, internals::data};
    ///
    /// let digits = data::load("digits")?;
    /// let recipe = Recipe { epochs: 3, ..Recipe::for_data(&digits) };
    /// assert_eq!(recipe.network.to_string(), "dense 64, relu, dense 10");
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    pub fn for_data(data: &Dataset) -> Recipe {
        let size = data.size();
        let recipe = Recipe::defaults_for(&data.name, size.shape.len(), size.classes, size.train);
        if size.pictures { recipe.with(pictures::defaults(&Overrides::default(), &size)) } else { recipe }
    }

    /// The defaults for data that aren't loaded, by their name and sizes.
    ///
    /// `values` are those of one image, C·H·W: large images get a narrower hidden layer, so that
    /// its weights fit any adapter. `train` is the number of samples to train on; a batch is never
    /// larger.
    pub fn defaults_for(data: &str, values: usize, classes: usize, train: usize) -> Recipe {
        let table = Recipe::table_defaults();
        let (hidden, epochs, batch_size) =
            if data == "digits" { (64, 40, 32) } else { (128, table.epochs, table.batch_size) };
        let hidden = hidden.min((MOST_DEFAULT_WEIGHTS / values.max(1)).max(1));
        let network = format!("dense {hidden}, relu, dense {classes}");
        Recipe {
            data: data.to_owned(),
            network: network.parse().expect("data have one class or more, and not too many"),
            epochs,
            batch_size: batch_size.min(train.max(1)),
            ..table
        }
    }

    /// The same for the network `cnn`: Adam with a one-cycle schedule.
    ///
    /// For MNIST also the number of epochs, and augmentation that handwritten digits bear. All of it was chosen
    /// with a validation part.
    fn for_cnn(self, classes: usize) -> Recipe {
        let recipe = Recipe {
            network: choice::cnn(classes),
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

    /// The recipe for data with these sizes. They are values per image, classes, and training samples. The validation
    /// part is still among the training samples.
    ///
    /// # Errors
    /// As [`Overrides::check`].
    pub fn resolve(given: &Overrides, values: usize, classes: usize, train: usize) -> Result<Recipe> {
        given.check()?;
        let validation = (given.validation.unwrap_or(0.0) * train as f64).round() as usize;
        let mut defaults =
            Recipe::defaults_for(given.data(), values, classes, train.saturating_sub(validation));
        if given.network == Some(NetworkChoice::Cnn) {
            defaults = defaults.for_cnn(classes);
        }
        let optimiser = given.optimiser()?;
        if let Some(optimiser) = &optimiser {
            // A learning rate suits one optimiser.
            defaults.learning_rate = optimiser.default_learning_rate();
        }
        Ok(defaults.with(Overrides { optimiser, ..given.clone() }))
    }

    /// The training step apart from forward and backward.
    ///
    /// Class weights are missing, as they depend on the data.
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

    /// The same recipe with another optimiser, and the learning rate that suits it.
    pub fn with_optimiser(self, optimiser: Optimiser) -> Recipe {
        Recipe { learning_rate: optimiser.default_learning_rate(), optimiser, ..self }
    }

    /// The rewrites of the run.
    pub fn rewrites(&self) -> Rewrites {
        self.rewrites.resolve(!self.kernel.is_empty(), self.precision)
    }

    /// Samples of a training step.
    pub fn step_samples(&self) -> usize {
        self.batch_size.saturating_mul(self.accumulate)
    }

    /// Checks every value, as [`Overrides::check`].
    ///
    /// # Errors
    /// As there.
    pub fn check(&self) -> Result<()> {
        Overrides::from(self.clone()).check()
    }

    /// The recipe as a file that [`parse_toml`] reads back to the same.
    pub fn to_toml(&self) -> String {
        let keys = toml::to_string(self).expect("strings and numbers are TOML");
        format!("# Run it again with: wgrad train recipe.toml\n{keys}")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::settings::settings;
    use super::*;
    use crate::data::Normalise;
    use crate::network::loss;

    settings! {
        /// The settings of a small program.
        Small,
        /// The settings that are given.
        SmallGiven,
        /// A setting, and a shorthand for it.
        SMALL;

        /// Largest tilt of a picture, in degrees.
        most_tilt | max_tilt formerly lean: f32 = 2.5,
            Data "DEGREES" often, takes "a number from 0 to 180", if |tilt| (0.0..=180.0).contains(tilt);

        /// Short for a tilt of 90.
        upright: bool, Data "BOOL", takes "true or false";
    }

    fn read(text: &str) -> Result<SmallGiven> {
        let mut given = SmallGiven::default();
        file::parse(text, Path::new("small.toml"), |key, value| given.set(key, value))?;
        Ok(given)
    }

    /// A setting is one row, from which everything else follows.
    #[test]
    fn a_setting_is_added_in_one_place() {
        let [tilt, upright] = SMALL else { panic!("two rows, not {SMALL:?}") };
        assert_eq!(
            (tilt.key, tilt.flag(), tilt.value_name),
            ("most_tilt", "most-tilt".to_owned(), "DEGREES")
        );
        assert_eq!(
            (tilt.help, (tilt.default)()),
            ("Largest tilt of a picture, in degrees", "2.5".to_owned())
        );
        assert_eq!((tilt.heading, tilt.often, tilt.flag_kind), (Heading::Data, true, FlagKind::Once));
        assert!(tilt.flag_aliases().eq(["max-tilt"]) && tilt.former_flags().eq(["lean"]));
        assert_eq!(
            ((upright.default)(), upright.often, upright.flag_kind),
            (String::new(), false, FlagKind::Switch)
        );
        // It is written with its default and read back; the shorthand is not written.
        let small = Small::table_defaults();
        let written = toml::to_string(&small).unwrap();
        assert_eq!((small.most_tilt, written.as_str()), (2.5, "most_tilt = 2.5\n"));
        assert_eq!(read(&written).unwrap(), SmallGiven::from(small.clone()));
        // It is read by every name, from a file and from a flag; the flag wins.
        let given = SmallGiven { most_tilt: Some(7.0), ..SmallGiven::default() };
        for key in ["most_tilt", "max_tilt", "lean"] {
            assert_eq!(read(&format!("{key} = 7")).unwrap(), given);
        }
        let mut flag = SmallGiven::default();
        flag.set("most_tilt", &RawValue::Flag(&["9".to_owned()])).unwrap();
        assert_eq!(small.with(flag.or_each(given)).most_tilt, 9.0);
        // Its check refuses a wrong value from a file, a flag or the field.
        let problem = "small.toml, line 1: most_tilt is 181, but it takes a number from 0 to 180";
        assert_eq!(read("lean = 181").unwrap_err().to_string(), problem);
        let refused = SmallGiven::default().set("most_tilt", &RawValue::Flag(&["steep".to_owned()]));
        assert_eq!(refused.unwrap_err(), "⟨most_tilt⟩ is “steep”, but it takes a number from 0 to 180");
        let wrong = SmallGiven { most_tilt: Some(f32::NAN), ..SmallGiven::default() };
        assert!(wrong.check_each().unwrap_err().marked().starts_with("⟨most_tilt⟩ is NaN"));
        let unknown = read("tilt = 1").unwrap_err().to_string();
        assert!(unknown.contains("no key “tilt”") && unknown.contains("most_tilt, upright"), "{unknown}");
    }

    #[test]
    fn the_texts_of_the_table_match_the_code() {
        let setting = |key: &str| SETTINGS.iter().find(|setting| setting.key == key).unwrap();
        assert!(setting("epochs").takes.ends_with(&MAX_EPOCHS.to_string()));
        for text in [setting("normalise").takes, setting("normalise").help] {
            assert!(Normalise::NAMES.iter().all(|name| text.contains(name)), "{text}");
        }
        for text in [setting("loss").takes, setting("loss").help] {
            assert!(loss::NAMES.iter().all(|name| text.contains(name)), "{text}");
        }
        assert_eq!(SETTINGS.iter().filter(|setting| setting.often).count(), 10);
        let mut names: Vec<&str> =
            SETTINGS.iter().flat_map(|one| [&[one.key], one.aliases, one.former].concat()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
