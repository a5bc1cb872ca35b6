//! The recipe of a run that is resumed.

use std::path::Path;

use wgrad::internals::data::{Background, Levels};
use wgrad::internals::text::{shorten, shown};
use wgrad::internals::train::recipe::{self, Overrides, Recipe};
use wgrad::internals::train::run::checkpoint::Checkpoint;
use wgrad::internals::train::run::{RECIPE, read_text};
use wgrad::internals::tune::Tuning;
use wgrad::{Error, Result};

use crate::app::commands::changeable::complete;
use crate::app::commands::console::{as_flag, note, quoted};

/// The recipe of a run.
pub struct OfRun {
    /// As the checkpoint has it, with the device asked for now.
    pub recipe: Recipe,
    /// Whether the recipe file can be read.
    pub is_readable: bool,
}

/// The recipe of a run, from its checkpoint. The recipe file of the run must not say otherwise.
///
/// # Errors
/// [`Error::Data`] when the recipe file was edited, [`Error::Usage`] when a flag differs from the run.
pub fn of_run(run: &Path, checkpoint: &Checkpoint, given: &Overrides) -> Result<OfRun> {
    let parsed =
        recipe::parse_toml(&checkpoint.recipe, &run.join("recipe of the checkpoint")).map_err(|error| {
            Error::Data(format!("a checkpoint of {} is damaged: {}", shown(run), error.marked()))
        })?;
    // Earlier versions had no such keys, and used defaults of their own.
    let parsed = parsed.of_any_version();
    let tuning = parsed.tuning.unwrap_or(Tuning::Default);
    let parsed = Overrides { tuning: Some(tuning.clone()), ..parsed };
    let file = file(run)?;
    let is_readable = file.is_some();
    let of_run = without_changeable(file.unwrap_or_default(), &complete(&parsed)?);
    let agreed = complete(&parsed)?;
    let device = given.device.clone().unwrap_or_else(|| agreed.device.clone());
    // A run may get longer or shorter, or go back from now on: its steps up to here are the same.
    let agreed = Recipe {
        device,
        epochs: given.epochs.unwrap_or(agreed.epochs),
        max_time: given.max_time.unwrap_or(agreed.max_time),
        on_nan: given.on_nan.unwrap_or(agreed.on_nan),
        ..agreed
    };
    let parsed = Overrides {
        device: Some(agreed.device.clone()),
        epochs: Some(agreed.epochs),
        max_time: Some(agreed.max_time),
        on_nan: Some(agreed.on_nan),
        ..parsed
    };
    // A flag without tile sizes means those of the run.
    let experimental = given.experimental.filter(|asked| !asked.allows(agreed.experimental));
    // What was chosen in place of auto stays chosen.
    let background = given.background.filter(|asked| *asked != Background::Auto);
    let levels = given.levels.filter(|asked| *asked != Levels::Auto);
    let given = Overrides { experimental, background, levels, ..given.clone() };
    let differs =
        |given: Overrides| -> Result<_> { Ok(difference(&agreed, &complete(&given.or(parsed.clone()))?)) };
    let from_its_weights = format!("or begin a new run from its weights with --init-from {}", quoted(run));
    if let Some((key, was, is)) = differs(of_run)? {
        return Err(Error::Data(format!(
            "{}/{RECIPE} was edited since the run began: {key} was {was} and now is {is}, so put it back as it was, \
             {from_its_weights}",
            shown(run)
        )));
    }
    if let Some((key, was, is)) = differs(given)? {
        return Err(Error::Usage(format!(
            "a run is resumed as it was: {key} was {was} and now is {is}, so leave it as it was, {from_its_weights}"
        )));
    }
    Ok(OfRun { recipe: agreed, is_readable })
}

/// The settings in the recipe file of a run. None when it can't be read, which is noted.
///
/// # Errors
/// [`Error::Data`] for a file that is TOML but no recipe: somebody has edited it.
fn file(run: &Path) -> Result<Option<Overrides>> {
    let path = run.join(RECIPE);
    let text = read_text(run, RECIPE).and_then(|text| match toml::de::DeTable::parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            Err(format!("it isn't TOML: {}", shorten(error.message().lines().next().unwrap_or_default())))
        }
    });
    match text {
        Ok(text) => recipe::parse_toml(&text, &path).map(Some).map_err(|error| {
            Error::Data(format!(
                "{RECIPE} was edited since the run began and is no recipe any more: {}",
                error.marked()
            ))
        }),
        Err(why) => {
            note(format_args!(
                "        {} can't be read ({why}): the recipe in the checkpoint takes its place",
                shown(&path)
            ));
            Ok(None)
        }
    }
}

/// Leaves out the settings in which the checkpoint wins, and notes those that differ.
fn without_changeable(of_run: Overrides, agreed: &Recipe) -> Overrides {
    let differs = [
        ("device", of_run.device.as_ref().is_some_and(|device| *device != agreed.device)),
        ("tuning", of_run.tuning.as_ref().is_some_and(|tuning| *tuning != agreed.tuning)),
        ("epochs", of_run.epochs.is_some_and(|epochs| epochs != agreed.epochs)),
        ("max_time", of_run.max_time.is_some_and(|time| time != agreed.max_time)),
        ("on_nan", of_run.on_nan.is_some_and(|on_nan| on_nan != agreed.on_nan)),
    ];
    for (key, _) in differs.iter().filter(|(_, differs)| *differs) {
        let flag = as_flag(key, None);
        let remedy = if *key == "tuning" { String::new() } else { format!(", and {flag} changes it") };
        note(format_args!(
            "        {RECIPE} has another {key} than the checkpoint: that of the checkpoint counts{remedy}"
        ));
    }
    Overrides { device: None, tuning: None, epochs: None, max_time: None, on_nan: None, ..of_run }
}

/// The first key by which two recipes differ, with both values. They are as in TOML.
fn difference(one: &Recipe, two: &Recipe) -> Option<(String, String, String)> {
    let (one, two) = (one.to_toml(), two.to_toml());
    let (one, two) = one.lines().zip(two.lines()).find(|(one, two)| one != two)?;
    let value = |line: &str| shorten(line.split_once(" = ").map_or(line, |(_, value)| value));
    let key = one.split(' ').next().unwrap_or_default().to_owned();
    Some((key, value(one), value(two)))
}
