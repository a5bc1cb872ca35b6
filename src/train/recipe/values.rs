//! The types of settings: read from a recipe file or from a flag by the same code, written to a recipe file.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use toml::de::DeValue;

use crate::data::{Normalise, Resize};
use crate::error::Error;
use crate::kernel::Augmentation;
use crate::kernel::precision::Precision;
use crate::network::Network;
use crate::network::loss::{ClassWeights, Loss};
use crate::network::optimiser::Optimiser;
use crate::train::schedule::Schedule;
use crate::train::stopping::{Stopping, TimeLimit};
use crate::tune::Tuning;
use crate::verify::experimental::Experimental;

/// What a recipe file or the command line says about a setting.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// A value of a recipe file.
    File(&'a DeValue<'a>),
    /// The texts behind a flag, one for each time that it is given; `true` for a switch.
    Flag(&'a [String]),
}

/// How often a flag is given, and whether a value follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Once, without a value.
    Switch,
    /// Once, with a value.
    Once,
    /// Any number of times, each with a value.
    Repeatedly,
}

/// Why a value can't be read.
#[derive(Debug)]
pub enum Unread {
    /// It is of another kind than the setting takes.
    WrongKind,
    /// Its own sentence.
    Problem(String),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Unread {
        Unread::Problem(error.marked().to_owned())
    }
}

/// A type of settings.
pub trait Value: Sized {
    /// How its flag is given.
    const GIVEN: Given = Given::Once;

    /// Reads it from what a recipe file or a flag says.
    ///
    /// # Errors
    /// [`Unread`] when it says something else.
    fn read(said: &Said) -> Result<Self, Unread>;

    /// The text that a flag takes for it.
    fn text(&self) -> String;

    /// The value as a message shows it.
    fn shown(&self) -> String {
        self.text()
    }

    /// Writes it as a recipe file has it.
    ///
    /// # Errors
    /// Those of the serialiser.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

/// A value on its way into a recipe file.
pub struct Written<'a, T>(pub &'a T);

impl<T: Value> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

/// What is said of a value of type `T`, and wins over the default.
pub trait Over<T> {
    /// The value that it comes to.
    fn over(self, default: T) -> T;
}

impl<T> Over<T> for T {
    fn over(self, _default: T) -> T {
        self
    }
}

impl Said<'_> {
    /// One text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Said::File(value) => value.as_str(),
            Said::Flag([text]) => Some(text),
            Said::Flag(_) => None,
        }
    }

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Said::File(value) => {
                let entries = value.as_array()?.iter();
                entries.map(|entry| entry.get_ref().as_str().map(str::to_owned)).collect()
            }
            Said::Flag(texts) => Some(texts.to_vec()),
        }
    }

    /// A whole number that is not negative and not too large for its type.
    fn whole<T: TryFrom<u64>>(&self) -> Option<T> {
        let number = match self {
            Said::File(value) => {
                let integer = value.as_integer()?;
                u64::from_str_radix(integer.as_str(), integer.radix())
            }
            Said::Flag(_) => self.text()?.parse(),
        };
        T::try_from(number.ok()?).ok()
    }

    /// A number with or without a point; `5` will do for `5.0`.
    fn number<T: FromStr>(&self) -> Option<T> {
        match self {
            Said::File(DeValue::Float(float)) => float.as_str().parse().ok(),
            Said::File(DeValue::Integer(integer)) if integer.radix() == 10 => integer.as_str().parse().ok(),
            Said::File(_) => None,
            Said::Flag(_) => self.text()?.parse().ok(),
        }
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Said::File(value) => value.as_bool(),
            Said::Flag(_) => self.text()?.parse().ok(),
        }
    }

    /// It as a message shows it.
    pub fn shown(&self) -> String {
        match self {
            Said::Flag(texts) => format!("“{}”", texts.join(" ").escape_debug()),
            Said::File(DeValue::String(text)) => format!("the string “{}”", text.escape_debug()),
            Said::File(DeValue::Integer(integer)) => integer.to_string(),
            Said::File(DeValue::Float(float)) => float.to_string(),
            Said::File(DeValue::Boolean(truth)) => truth.to_string(),
            Said::File(DeValue::Datetime(moment)) => format!("the date or time {moment}"),
            Said::File(DeValue::Array(_)) => "an array".to_owned(),
            Said::File(DeValue::Table(_)) => "a table".to_owned(),
        }
    }
}

/// Numbers, by the method of [`Said`] that reads them.
macro_rules! numbers {
    ($($type:ty: $read:ident),+) => {$(
        impl Value for $type {
            fn read(said: &Said) -> Result<$type, Unread> {
                said.$read().ok_or(Unread::WrongKind)
            }

            fn text(&self) -> String {
                self.to_string()
            }

            fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.serialize(to)
            }
        }
    )+};
}

numbers!(usize: whole, u64: whole, f32: number, f64: number);

/// Types with a text form.
macro_rules! texts {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn read(said: &Said) -> Result<$type, Unread> {
                Ok(said.text().ok_or(Unread::WrongKind)?.parse::<$type>()?)
            }

            fn text(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

texts!(Augmentation, Network, Optimiser, Schedule, ClassWeights, TimeLimit, Normalise, Loss);
texts!(Tuning, super::WantedRewrites, Precision, Experimental, super::OnNan);

/// A type that a setting may go without.
trait Optional: FromStr<Err = Error> + Display {
    /// What is written where there is none.
    const NONE: &str;
}

impl Optional for Resize {
    const NONE: &str = Resize::NONE;
}

impl Optional for Stopping {
    const NONE: &str = Stopping::NEVER;
}

impl<T: Optional> Value for Option<T> {
    fn read(said: &Said) -> Result<Option<T>, Unread> {
        let text = said.text().ok_or(Unread::WrongKind)?;
        if text.trim() == T::NONE { Ok(None) } else { Ok(Some(text.parse()?)) }
    }

    fn text(&self) -> String {
        self.as_ref().map_or(T::NONE.to_owned(), T::to_string)
    }
}

impl Value for bool {
    const GIVEN: Given = Given::Switch;

    fn read(said: &Said) -> Result<bool, Unread> {
        said.truth().ok_or(Unread::WrongKind)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*self)
    }
}

impl Value for String {
    fn read(said: &Said) -> Result<String, Unread> {
        said.text().map(str::to_owned).ok_or(Unread::WrongKind)
    }

    fn text(&self) -> String {
        self.clone()
    }

    fn shown(&self) -> String {
        if self.trim().is_empty() { "empty".to_owned() } else { self.clone() }
    }
}

impl Value for Vec<String> {
    const GIVEN: Given = Given::Repeatedly;

    fn read(said: &Said) -> Result<Vec<String>, Unread> {
        said.texts().ok_or(Unread::WrongKind)
    }

    fn text(&self) -> String {
        self.join(" ")
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.serialize(to)
    }
}
