//! The types of settings: one reader for files and flags.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use toml::de::DeValue;

use crate::data::{Background, Grey, Levels, Normalise, Resize};
use crate::error::Error;
use crate::kernel::Augmentation;
use crate::kernel::precision::Precision;
use crate::network::Network;
use crate::network::loss::{ClassWeights, Loss};
use crate::network::optimiser::Optimiser;
use crate::text::shorten;
use crate::train::schedule::Schedule;
use crate::train::stopping::{Stopping, TimeLimit};
use crate::tune::Tuning;
use crate::verify::experimental::Experimental;

/// The value of a setting in a recipe file or flag.
#[derive(Clone, Copy, Debug)]
pub enum RawValue<'a> {
    /// A value of a recipe file.
    File(&'a DeValue<'a>),
    /// The texts after a flag, one per occurrence; `true` for a switch.
    Flag(&'a [String]),
}

/// The kind of a flag, by its values and repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagKind {
    /// Once, without a value.
    Switch,
    /// Once, with a value.
    Once,
    /// Any number of times, each with a value.
    Repeatedly,
}

/// Why a value can't be read.
#[derive(Debug)]
pub enum ReadError {
    /// It is of another type than the setting's.
    WrongType,
    /// It is a number that f32 has as 0.
    TooSmall,
    /// Another problem, as a sentence.
    Problem(String),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> ReadError {
        ReadError::Problem(error.marked().to_owned())
    }
}

/// The type of a setting.
pub trait Value: Sized {
    /// The kind of its flag.
    const FLAG_KIND: FlagKind = FlagKind::Once;

    /// Reads it from a recipe file or a flag.
    ///
    /// # Errors
    /// [`ReadError`] when it is something else.
    fn read(raw: &RawValue) -> Result<Self, ReadError>;

    /// The text that a flag takes for it.
    fn text(&self) -> String;

    /// The value as a message shows it.
    fn shown(&self) -> String {
        self.text()
    }

    /// Writes it as a recipe file has it.
    ///
    /// # Errors
    /// The errors of the serialiser.
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

/// A given value of a setting, which wins over the default.
pub trait OverDefault<T> {
    /// The resulting value.
    fn over_default(self, default: T) -> T;
}

impl<T> OverDefault<T> for T {
    fn over_default(self, _default: T) -> T {
        self
    }
}

impl RawValue<'_> {
    /// One text.
    pub fn text(&self) -> Option<&str> {
        match self {
            RawValue::File(value) => value.as_str(),
            RawValue::Flag([text]) => Some(text),
            RawValue::Flag(_) => None,
        }
    }

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            RawValue::File(value) => {
                let entries = value.as_array()?.iter();
                entries.map(|entry| entry.get_ref().as_str().map(str::to_owned)).collect()
            }
            RawValue::Flag(texts) => Some(texts.to_vec()),
        }
    }

    /// A whole number that is not negative and fits into its type.
    fn whole<T: TryFrom<u64>>(&self) -> Result<T, ReadError> {
        let number = match self {
            RawValue::File(value) => value
                .as_integer()
                .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok()),
            RawValue::Flag(_) => self.text().and_then(|text| text.parse().ok()),
        };
        number.and_then(|number| T::try_from(number).ok()).ok_or(ReadError::WrongType)
    }

    /// A number with or without a point; `5` will do for `5.0`.
    fn number<T: FromStr>(&self) -> Result<T, ReadError> {
        let text = match self {
            RawValue::File(DeValue::Float(float)) => Some(float.as_str()),
            RawValue::File(DeValue::Integer(integer)) if integer.radix() == 10 => Some(integer.as_str()),
            RawValue::File(_) => None,
            RawValue::Flag(_) => self.text(),
        };
        text.and_then(|text| text.parse().ok()).ok_or(ReadError::WrongType)
    }

    /// A number that is 0 in 32 bits only if it is 0.
    fn single(&self) -> Result<f32, ReadError> {
        let number = self.number()?;
        if number == 0.0 && self.number::<f64>()? != 0.0 { Err(ReadError::TooSmall) } else { Ok(number) }
    }

    fn truth(&self) -> Option<bool> {
        match self {
            RawValue::File(value) => value.as_bool(),
            RawValue::Flag(_) => self.text()?.parse().ok(),
        }
    }

    /// The value as a message shows it.
    pub fn shown(&self) -> String {
        match self {
            RawValue::Flag(texts) => format!("“{}”", shorten(&texts.join(" "))),
            RawValue::File(DeValue::String(text)) => format!("the string “{}”", shorten(text)),
            RawValue::File(DeValue::Integer(integer)) => shorten(&integer.to_string()),
            RawValue::File(DeValue::Float(float)) => shorten(&float.to_string()),
            RawValue::File(DeValue::Boolean(truth)) => truth.to_string(),
            RawValue::File(DeValue::Datetime(moment)) => format!("the date or time {moment}"),
            RawValue::File(DeValue::Array(_)) => "an array".to_owned(),
            RawValue::File(DeValue::Table(_)) => "a table".to_owned(),
        }
    }
}

/// Numbers, by the method of [`RawValue`] that reads them.
macro_rules! numbers {
    ($($type:ty: $read:ident),+) => {$(
        impl Value for $type {
            fn read(raw: &RawValue) -> Result<$type, ReadError> {
                raw.$read()
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

numbers!(usize: whole, u64: whole, f32: single, f64: number);

/// Types with a text form.
macro_rules! texts {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn read(raw: &RawValue) -> Result<$type, ReadError> {
                Ok(raw.text().ok_or(ReadError::WrongType)?.parse::<$type>()?)
            }

            fn text(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

texts!(Augmentation, Network, Optimiser, Schedule, ClassWeights, TimeLimit, Normalise, Loss);
texts!(Background, Grey, Levels, Tuning, super::WantedRewrites, Precision, Experimental, super::OnNan);

/// A type whose setting may have no value.
trait Optional: FromStr<Err = Error> + Display {
    /// The text for no value.
    const NONE: &str;
}

impl Optional for Resize {
    const NONE: &str = Resize::NONE;
}

impl Optional for Stopping {
    const NONE: &str = Stopping::NEVER;
}

impl<T: Optional> Value for Option<T> {
    fn read(raw: &RawValue) -> Result<Option<T>, ReadError> {
        let text = raw.text().ok_or(ReadError::WrongType)?;
        if text.trim() == T::NONE { Ok(None) } else { Ok(Some(text.parse()?)) }
    }

    fn text(&self) -> String {
        self.as_ref().map_or(T::NONE.to_owned(), T::to_string)
    }
}

impl Value for bool {
    const FLAG_KIND: FlagKind = FlagKind::Switch;

    fn read(raw: &RawValue) -> Result<bool, ReadError> {
        raw.truth().ok_or(ReadError::WrongType)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*self)
    }
}

impl Value for String {
    fn read(raw: &RawValue) -> Result<String, ReadError> {
        raw.text().map(str::to_owned).ok_or(ReadError::WrongType)
    }

    fn text(&self) -> String {
        self.clone()
    }

    fn shown(&self) -> String {
        if self.trim().is_empty() { "empty".to_owned() } else { self.clone() }
    }
}

impl Value for Vec<String> {
    const FLAG_KIND: FlagKind = FlagKind::Repeatedly;

    fn read(raw: &RawValue) -> Result<Vec<String>, ReadError> {
        raw.texts().ok_or(ReadError::WrongType)
    }

    fn text(&self) -> String {
        self.join(" ")
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.serialize(to)
    }
}
