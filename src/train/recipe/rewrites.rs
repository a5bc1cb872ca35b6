//! The rewrites of a run: those that are named, or the default for its kernels.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::kernel::precision::Precision;
use crate::program::rewrite::Rewrites;

/// The rewrites that a recipe or a flag names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedRewrites {
    /// All; with a custom kernel none, as what that kernel computes must not vanish in a larger one.
    #[default]
    Default,
    /// These.
    These(Rewrites),
}

const DEFAULT: &str = "default";

impl fmt::Display for WantedRewrites {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            WantedRewrites::Default => f.write_str(DEFAULT),
            WantedRewrites::These(rewrites) => rewrites.fmt(f),
        }
    }
}

impl FromStr for WantedRewrites {
    type Err = Error;

    /// Reads `default`, or as [`Rewrites`].
    ///
    /// # Errors
    /// As for [`Rewrites`].
    fn from_str(text: &str) -> Result<WantedRewrites> {
        match text.trim() {
            DEFAULT => Ok(WantedRewrites::Default),
            rewrites => rewrites.parse().map(WantedRewrites::These),
        }
    }
}

impl WantedRewrites {
    /// The rewrites of a run with or without custom kernels.
    pub fn resolve(self, custom: bool, precision: Precision) -> Rewrites {
        match self {
            WantedRewrites::These(rewrites) => rewrites,
            WantedRewrites::Default if !custom => Rewrites::ALL,
            // f16 is a rewrite of its own.
            WantedRewrites::Default if precision == Precision::Half => Rewrites::NONE.and(Rewrites::HALF),
            WantedRewrites::Default => Rewrites::NONE,
        }
    }

    /// Checks that they go with a precision.
    ///
    /// # Errors
    /// [`Error::Setting`] saying what to add.
    pub fn check(self, precision: Precision) -> Result<()> {
        let half = Rewrites::HALF;
        match self {
            WantedRewrites::These(rewrites)
                if precision == Precision::Half && !rewrites.names().any(|name| name == half) =>
            {
                Err(Error::Setting {
                    key: "rewrites",
                    problem: format!(
                        "⟨precision f16⟩ is made by the rewrite {half}, which ⟨rewrites⟩ leaves out: name {half} \
                         there, or leave ⟨precision⟩ out"
                    ),
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_follows_the_kernels_and_what_is_named_stays() {
        let of = |text: &str, custom, precision| {
            text.parse::<WantedRewrites>().unwrap().resolve(custom, precision).to_string()
        };
        assert_eq!(of("default", false, Precision::Single), "all");
        assert_eq!(of("default", true, Precision::Single), "none");
        assert_eq!(of("default", true, Precision::Half), "half");
        assert_eq!(of("all", true, Precision::Single), "all");
        assert_eq!(of("watch", false, Precision::Single), "watch");
        assert_eq!("default".parse::<WantedRewrites>().unwrap().to_string(), "default");
        let refused = "watch".parse::<WantedRewrites>().unwrap().check(Precision::Half).unwrap_err();
        assert!(refused.marked().contains("which ⟨rewrites⟩ leaves out"), "{refused}");
        assert!("all".parse::<WantedRewrites>().unwrap().check(Precision::Half).is_ok());
        assert!(WantedRewrites::Default.check(Precision::Half).is_ok());
    }
}
