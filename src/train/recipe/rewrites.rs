//! The rewrites of a run: named ones, or the default.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::kernel::precision::Precision;
use crate::program::rewrite::Rewrites;

/// The rewrites that a recipe or a flag asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedRewrites {
    /// All rewrites; none with a custom kernel, which they might absorb.
    #[default]
    Default,
    /// The named rewrites.
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
            WantedRewrites::Default if precision == Precision::F16 => Rewrites::NONE.and(Rewrites::F16),
            WantedRewrites::Default => Rewrites::NONE,
        }
    }

    /// Checks that they allow a precision.
    ///
    /// # Errors
    /// [`Error::Setting`] saying what to add.
    pub fn check(self, precision: Precision) -> Result<()> {
        let f16 = Rewrites::F16;
        match self {
            WantedRewrites::These(rewrites)
                if precision == Precision::F16 && !rewrites.names().any(|name| name == f16) =>
            {
                Err(Error::Setting {
                    key: "rewrites",
                    problem: format!(
                        "⟨precision f16⟩ is made by the rewrite {f16}, which ⟨rewrites⟩ leaves out: name {f16} \
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
    fn the_default_depends_on_custom_kernels_and_named_rewrites_do_not() {
        let of = |text: &str, custom, precision| {
            text.parse::<WantedRewrites>().unwrap().resolve(custom, precision).to_string()
        };
        assert_eq!(of("default", false, Precision::F32), "all");
        assert_eq!(of("default", true, Precision::F32), "none");
        assert_eq!(of("default", true, Precision::F16), "f16");
        assert_eq!(of("all", true, Precision::F32), "all");
        assert_eq!(of("watch", false, Precision::F32), "watch");
        assert_eq!("default".parse::<WantedRewrites>().unwrap().to_string(), "default");
        let refused = "watch".parse::<WantedRewrites>().unwrap().check(Precision::F16).unwrap_err();
        assert!(refused.marked().contains("which ⟨rewrites⟩ leaves out"), "{refused}");
        assert!("all".parse::<WantedRewrites>().unwrap().check(Precision::F16).is_ok());
        assert!(WantedRewrites::Default.check(Precision::F16).is_ok());
    }
}
