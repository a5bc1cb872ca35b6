//! The macro that makes everything about a setting from one row.

use super::values::{FlagKind, RawValue, ReadError};
use crate::error::suggestion;
use crate::text::shorten;

/// A training setting without its type: a row of [`SETTINGS`](super::SETTINGS).
#[derive(Debug)]
pub struct Setting {
    /// The key in a recipe, such as `batch_size`.
    pub key: &'static str,
    /// Other spellings, which a recipe and the command line take as well.
    pub aliases: &'static [&'static str],
    /// Names of earlier versions, which are still read.
    pub former: &'static [&'static str],
    /// The heading in the help.
    pub heading: Heading,
    /// The placeholder of the value in the help.
    pub value_name: &'static str,
    /// The line of help.
    pub help: &'static str,
    /// The values that it takes, for messages.
    pub takes: &'static str,
    /// Whether it is one of the settings used most.
    pub often: bool,
    /// The kind of its flag.
    pub flag_kind: FlagKind,
    /// The default, as its flag takes it or in words.
    pub default: fn() -> String,
}

/// The parts of the help, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// The samples and how they are read.
    Data,
    /// The layers.
    Network,
    /// The loss, the optimiser and the schedule.
    Training,
    /// Settings against over-fitting.
    Regularisation,
    /// The device and the precision.
    Device,
    /// The shaders of a run.
    Kernels,
    /// Settings that may change or go.
    Experimental,
}

impl Setting {
    /// The long flag without its hyphens, such as `batch-size`.
    pub fn flag(&self) -> String {
        as_flag(self.key)
    }

    /// The same for the other spellings.
    pub fn flag_aliases(&self) -> impl Iterator<Item = String> {
        self.aliases.iter().map(|alias| as_flag(alias))
    }

    /// The same for former names.
    pub fn former_flags(&self) -> impl Iterator<Item = String> {
        self.former.iter().map(|former| as_flag(former))
    }

    /// Whether a key, by any of its names, is this setting's.
    fn is_called(&self, key: &str) -> bool {
        self.key == key || self.aliases.contains(&key) || self.former.contains(&key)
    }

    /// The sentence about a value that isn't allowed.
    pub(super) fn wrong(&self, value: &str) -> String {
        format!("⟨{}⟩ is {value}, but it takes {}", self.key, self.takes)
    }

    /// The sentence about a value that can't be read.
    pub(super) fn unread(&self, raw: &RawValue, why: ReadError) -> String {
        match why {
            ReadError::WrongType => self.wrong(&raw.shown()),
            ReadError::TooSmall => {
                format!(
                    "⟨{}⟩ is {}, which is 0 in 32 bits, so use 0 or a larger number",
                    self.key,
                    raw.shown()
                )
            }
            ReadError::Problem(problem) => problem,
        }
    }
}

fn as_flag(key: &str) -> String {
    key.replace('_', "-")
}

/// The setting with this key, or one of its other names.
///
/// # Errors
/// The sentence that there is none, with the nearest key.
pub(super) fn find<'a>(table: &'a [Setting], key: &str) -> Result<&'a Setting, String> {
    table.iter().find(|setting| setting.is_called(key)).ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|setting| setting.key).collect();
        let near = suggestion(key, &known);
        format!("there is no key “{}”{near}; there are {}", shorten(key), known.join(", "))
    })
}

/// A doc comment as one line of help: trimmed, without full stop.
pub(super) const fn line(doc: &str) -> &str {
    let doc = doc.trim_ascii();
    match doc.as_bytes().split_last() {
        Some((b'.', before)) => doc.split_at(before.len()).0,
        _ => doc,
    }
}

/// Makes recipe, overrides and table from one row per setting.
///
/// A row is
///
/// ```text
/// /// The line of help.
/// key | alias formerly name: Type as TypeGiven = default => "default in words",
///     Heading "VALUE" often, takes "the values", if |value| …, check function;
/// ```
///
/// Only key, type, heading, value and `takes` are required. A row without a default is a shorthand for another row and no
/// field of the recipe. `TypeGiven` is the type that is read, where that is not `Type`. `if` says whether a value is
/// allowed; `check` returns an error of its own.
macro_rules! settings {
    (
        $(#[$about:meta])* $recipe:ident,
        $(#[$given_about:meta])* $overrides:ident,
        $(#[$table_about:meta])* $table:ident;
        $(
            #[doc = $doc:literal]
            $key:ident $(| $alias:ident)* $(formerly $former:ident)*: $type:ty $(as $read_as:ty)?
                $(= $default:expr $(=> $words:literal)?)?,
                $heading:ident $value:literal $($often:ident)?,
                takes $takes:expr $(, if $fits:expr)? $(, check $check:expr)?;
        )+
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $recipe {$($(
            #[doc = $doc]
            #[doc = settings!(@about $default $(=> $words)?)]
            pub $key: $type,
        )?)+}

        $(#[$given_about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $overrides {$(
            #[doc = $doc]
            pub $key: Option<settings!(@given $type $(, $read_as)?)>,
        )+}

        $(#[$table_about])*
        pub static $table: &[$crate::train::recipe::settings::Setting] = &[$(
            $crate::train::recipe::settings::Setting {
                key: stringify!($key),
                aliases: &[$(stringify!($alias)),*],
                former: &[$(stringify!($former)),*],
                heading: $crate::train::recipe::settings::Heading::$heading,
                value_name: $value,
                help: $crate::train::recipe::settings::line($doc),
                takes: $takes,
                often: settings!(@is $($often)?),
                flag_kind: <settings!(@given $type $(, $read_as)?) as $crate::train::recipe::values::Value>::FLAG_KIND,
                default: || settings!(@shown $type $(, $default $(=> $words)?)?),
            },
        )+];

        impl $recipe {
            /// The default of every setting.
            pub(super) fn table_defaults() -> $recipe {
                $recipe {$($($key: $default,)?)+}
            }

            /// The same with the given settings.
            pub(super) fn with(self, given: $overrides) -> $recipe {
                use $crate::train::recipe::values::OverDefault;
                $recipe {$($(
                    $key: settings!(@first match given.$key {
                        Some(raw) => raw.over_default(self.$key),
                        None => self.$key,
                    }, $default),
                )?)+}
            }
        }

        impl serde::Serialize for $recipe {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                use $crate::train::recipe::values::Written;
                let mut keys = to.serialize_struct(stringify!($recipe), $table.len())?;
                $($(
                    let value = settings!(@first Written(&self.$key), $default);
                    keys.serialize_field(stringify!($key), &value)?;
                )?)+
                keys.end()
            }
        }

        impl From<$recipe> for $overrides {
            fn from(recipe: $recipe) -> $overrides {
                $overrides {
                    $($($key: settings!(@first Some(recipe.$key.into()), $default),)?)+
                    ..$overrides::default()
                }
            }
        }

        impl $overrides {
            /// These, and `other` where these are not given, setting by setting.
            pub(super) fn or_each(self, other: $overrides) -> $overrides {
                $overrides {$($key: self.$key.or(other.$key),)+}
            }

            /// Sets a key from a file or a flag, and checks it.
            ///
            /// # Errors
            /// A sentence with the setting marked: an unknown key, one that is set already, or a value that isn't
            /// allowed.
            pub fn set(
                &mut self,
                key: &str,
                raw: &$crate::train::recipe::values::RawValue,
            ) -> Result<(), String> {
                use $crate::train::recipe::values::Value;
                let setting = $crate::train::recipe::settings::find($table, key)?;
                match setting.key {
                    $(stringify!($key) => {
                        if self.$key.is_some() {
                            return Err(format!("⟨{}⟩ is given twice, so leave one of them out", setting.key));
                        }
                        let value = Value::read(raw).map_err(|why| setting.unread(raw, why))?;
                        self.$key = Some(value);
                    })+
                    _ => unreachable!("every setting of the table is a field"),
                }
                self.check_one(setting)
            }

            /// Checks the value of a setting, if it is given.
            fn check_one(&self, setting: &$crate::train::recipe::settings::Setting) -> Result<(), String> {
                #[allow(unused_imports)]
                use $crate::train::recipe::values::Value;
                match setting.key {
                    $(stringify!($key) => {
                        $(
                            let fits: fn(&$type) -> bool = $fits;
                            if let Some(value) = self.$key.as_ref().filter(|value| !fits(value)) {
                                return Err(setting.wrong(&value.shown()));
                            }
                        )?
                        $(
                            let check: fn(&$type) -> $crate::error::Result<()> = $check;
                            if let Some(Err(error)) = self.$key.as_ref().map(check) {
                                return Err(error.marked().to_owned());
                            }
                        )?
                        Ok(())
                    })+
                    _ => unreachable!("every setting of the table is a field"),
                }
            }

            /// Checks every value that is given, one by one.
            pub(super) fn check_each(&self) -> $crate::error::Result<()> {
                let problem = $table.iter().find_map(|setting| Some((setting.key, self.check_one(setting).err()?)));
                problem.map_or(Ok(()), |(key, problem)| Err($crate::error::Error::Setting { key, problem }))
            }
        }
    };
    (@given $type:ty) => { $type };
    (@given $type:ty, $read_as:ty) => { $read_as };
    (@is) => { false };
    (@is $often:ident) => { true };
    (@shown $type:ty) => { String::new() };
    (@shown $type:ty, $default:expr) => {{
        let default: $type = $default;
        $crate::train::recipe::values::Value::text(&default)
    }};
    (@shown $type:ty, $default:expr => $words:literal) => { $words.to_owned() };
    (@first $value:expr, $unused:expr) => { $value };
    (@about $default:expr => $words:literal) => { concat!("\n\nDefault: ", $words, ".") };
    (@about $default:expr) => { concat!("\n\nDefault: `", stringify!($default), "`.") };
}

pub(super) use settings;
