//! The setting for a loss or a gradient that is not finite.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// What happens when a loss or a gradient is not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnNan {
    /// The run ends with the error.
    #[default]
    Stop,
    /// The run goes back to its last checkpoint, with half the learning rate.
    Rollback,
}

const NAMES: &[&str] = &["stop", "rollback"];

impl fmt::Display for OnNan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            OnNan::Stop => "stop",
            OnNan::Rollback => "rollback",
        })
    }
}

impl FromStr for OnNan {
    type Err = Error;

    fn from_str(text: &str) -> Result<OnNan> {
        match text.trim() {
            "stop" => Ok(OnNan::Stop),
            "rollback" => Ok(OnNan::Rollback),
            other => Err(Error::Usage(format!(
                "⟨on_nan⟩ is “{}”, but it takes stop or rollback{}",
                shorten(other),
                suggestion(other, NAMES)
            ))),
        }
    }
}
