//! The settings that may change when a run is resumed: its length, and what it does after a non-finite value.

use std::path::Path;

use wgrad::internals::train::recipe::{self, OnNan, Overrides, Recipe};
use wgrad::internals::train::run::checkpoint::Checkpoint;
use wgrad::internals::train::run::{RECIPE, RunDir};
use wgrad::internals::train::schedule::Length;
use wgrad::internals::train::stopping::TimeLimit;
use wgrad::{Result, Trainer};

use super::console::note;

/// The settings that a run may change when it is resumed, as they were up to now.
#[derive(PartialEq)]
pub struct Changeable {
    epochs: usize,
    max_time: TimeLimit,
    on_nan: OnNan,
}

impl Changeable {
    pub fn of(recipe: &Recipe) -> Changeable {
        Changeable { epochs: recipe.epochs, max_time: recipe.max_time, on_nan: recipe.on_nan }
    }

    pub fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Changeable> {
        let recipe =
            complete(&recipe::parse_toml(&checkpoint.recipe, Path::new("the checkpoint's recipe"))?)?;
        Ok(Changeable::of(&recipe))
    }

    /// Writes what has changed into the run's recipe, and says what it does to the learning rate.
    pub fn change(&self, recipe: &Recipe, trainer: &Trainer, directory: &RunDir) -> Result<()> {
        let now = Changeable::of(recipe);
        if *self == now {
            return Ok(());
        }
        let written = complete(&recipe::read(&directory.path().join(RECIPE))?)?;
        let Changeable { epochs, max_time, on_nan } = now;
        directory.write_recipe(&Recipe { epochs, max_time, on_nan, ..written })?;
        let per_epoch = trainer.steps_per_epoch();
        let rate = |epochs: usize| {
            let length = Length { steps: epochs.saturating_mul(per_epoch), per_epoch };
            (f64::from(recipe.learning_rate) * recipe.schedule.factor(trainer.steps(), length)) as f32
        };
        let (before, after) = (rate(self.epochs), rate(epochs));
        if recipe.schedule.is_fitted_to_the_run() && self.epochs != epochs {
            note(format_args!(
                "        the schedule “{}” was fitted to {} epochs and is to {epochs} from here on: the next learning rate \
                 is {after:?}, not {before:?}",
                recipe.schedule, self.epochs
            ));
        }
        Ok(())
    }
}

/// A recipe with every key given, so that no default depends on data.
///
/// Experimental kernels and rewrites are not checked against the precision here: if a flag differs from the run, that is
/// the error to report.
pub fn complete(given: &Overrides) -> Result<Recipe> {
    let experimental = given.experimental.unwrap_or_default();
    let rewrites = given.rewrites.unwrap_or_default();
    let alone = Overrides { experimental: None, rewrites: None, ..given.clone() };
    Ok(Recipe { experimental, rewrites, ..Recipe::resolve(&alone, 1, 1, 1)? })
}
