//! The settings of a recipe as flags, all from the table of settings.

use std::fmt::Debug;
use std::marker::PhantomData;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use wgrad::Result;
use wgrad::internals::train::recipe::{FlagKind, Heading, Overrides, RawValue, SETTINGS, Setting};

/// The settings that a command takes.
pub trait Subset: Debug {
    /// True if the short help leaves out settings that are rarely used.
    const SHORT_HELP: bool;
    /// The default of all its settings, if it is not that of a recipe.
    const DEFAULT: Option<&str> = None;

    /// True if a setting belongs to the subset.
    fn has(setting: &Setting) -> bool;
}

/// Settings of `wgrad train` under the headings before Device.
#[derive(Debug)]
pub struct Learning;

impl Subset for Learning {
    const SHORT_HELP: bool = true;

    fn has(setting: &Setting) -> bool {
        setting.heading < Heading::Device
    }
}

/// The other settings of `wgrad train`.
#[derive(Debug)]
pub struct Computing;

impl Subset for Computing {
    const SHORT_HELP: bool = true;

    fn has(setting: &Setting) -> bool {
        !Learning::has(setting)
    }
}

/// Settings of `wgrad lr-find`.
#[derive(Debug)]
pub struct Finding;

impl Subset for Finding {
    const SHORT_HELP: bool = false;

    fn has(setting: &Setting) -> bool {
        let others = ["network", "batch_size", "optimiser", "loss", "seed", "device"];
        setting.heading == Heading::Data || others.contains(&setting.key)
    }
}

/// Settings for reading a data set.
#[derive(Debug)]
pub struct Reading;

impl Subset for Reading {
    const SHORT_HELP: bool = false;

    fn has(setting: &Setting) -> bool {
        let of_training = ["data", "augment", "normalise", "validation"];
        setting.heading == Heading::Data && !of_training.contains(&setting.key)
    }
}

/// Settings for reading data for a model, whose size pictures get.
#[derive(Debug)]
pub struct OfModel;

impl Subset for OfModel {
    const SHORT_HELP: bool = false;
    const DEFAULT: Option<&str> = Some("the network's");

    fn has(setting: &Setting) -> bool {
        ["skip_bad", "background", "levels", "transpose"].contains(&setting.key)
    }
}

/// [`OfModel`] for `wgrad predict`, which reads pictures alone and leaves out those that can't be read.
#[derive(Debug)]
pub struct Predicting;

impl Subset for Predicting {
    const SHORT_HELP: bool = false;
    const DEFAULT: Option<&str> = OfModel::DEFAULT;

    fn has(setting: &Setting) -> bool {
        OfModel::has(setting) && !["skip_bad", "transpose"].contains(&setting.key)
    }
}

/// Flags for a subset of the settings.
#[derive(Debug)]
pub struct SettingFlags<S> {
    given: Box<Result<Overrides>>,
    subset: PhantomData<S>,
}

impl<S: Subset> SettingFlags<S> {
    /// The settings that are given.
    ///
    /// # Errors
    /// That of the first flag that can't be read.
    pub fn given(&self) -> Result<Overrides> {
        (*self.given).clone()
    }

    /// The settings in the order of the help. The data set is an argument, so it is left out.
    fn settings() -> Vec<&'static Setting> {
        let is_flag = |setting: &&Setting| S::has(setting) && setting.key != "data";
        let mut settings: Vec<&Setting> = SETTINGS.iter().filter(is_flag).collect();
        settings.sort_by_key(|setting| setting.heading);
        settings
    }

    fn read(matches: &ArgMatches) -> Result<Overrides> {
        let mut given = Overrides::default();
        for setting in SettingFlags::<S>::settings() {
            let texts: Vec<String> = match setting.flag_kind {
                FlagKind::Switch => {
                    matches.get_flag(setting.key).then(|| true.to_string()).into_iter().collect()
                }
                _ => matches.get_many::<String>(setting.key).into_iter().flatten().cloned().collect(),
            };
            if !texts.is_empty() {
                given.set(setting.key, &RawValue::Flag(&texts)).map_err(wgrad::Error::Usage)?;
            }
        }
        Ok(given)
    }
}

impl<S: Subset> Args for SettingFlags<S> {
    fn augment_args(command: Command) -> Command {
        command.args(SettingFlags::<S>::settings().into_iter().map(|setting| flag::<S>(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        SettingFlags::<S>::augment_args(command)
    }
}

impl<S: Subset> FromArgMatches for SettingFlags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<SettingFlags<S>, Error> {
        Ok(SettingFlags { given: Box::new(SettingFlags::<S>::read(matches)), subset: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = SettingFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a setting.
fn flag<S: Subset>(setting: &'static Setting) -> Arg {
    // The key of the recipe is read as a flag too: --batch_size.
    let keys = [&[setting.key], setting.aliases, setting.former].concat();
    let arg = Arg::new(setting.key)
        .long(setting.flag())
        .visible_aliases(setting.flag_aliases())
        .aliases(setting.former_flags())
        .aliases(keys.into_iter().filter(|key| key.contains('_')))
        .help(help::<S>(setting))
        .help_heading(format!("{:?}", setting.heading))
        .hide_short_help(S::SHORT_HELP && !setting.often);
    let arg = if setting.key == "batch_size" { arg.short('b') } else { arg };
    match setting.flag_kind {
        FlagKind::Switch => arg.action(ArgAction::SetTrue),
        // The setting itself refuses a value such as -1.
        FlagKind::Once => arg.value_name(setting.value_name).allow_negative_numbers(true),
        FlagKind::Repeatedly => arg.value_name(setting.value_name).action(ArgAction::Append),
    }
}

/// The line of help of a setting, with its default.
fn help<S: Subset>(setting: &Setting) -> String {
    let default = S::DEFAULT.map_or_else(setting.default, str::to_owned);
    match setting.flag_kind {
        FlagKind::Once if !default.is_empty() => format!("{} [default: {default}]", setting.help),
        _ => setting.help.to_owned(),
    }
}
