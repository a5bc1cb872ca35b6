//! A set of rewrites, and its text form: `all`, `none`, or a list of names.

use std::fmt;
use std::str::FromStr;

use super::list::{ALL, Rewrite};
use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// A set of rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrites {
    /// By position in [`ALL`].
    wanted: [bool; ALL.len()],
}

impl Rewrites {
    /// Every rewrite.
    pub const ALL: Rewrites = Rewrites { wanted: [true; ALL.len()] };
    /// No rewrite: the Program as the layers recorded it.
    pub const NONE: Rewrites = Rewrites { wanted: [false; ALL.len()] };
    /// The rewrite that the precision f16 needs.
    pub const F16: &str = "f16";

    /// The set with the rewrite of this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn and(self, name: &str) -> Rewrites {
        self.put(name, true)
    }

    /// The set without the rewrite of this name.
    ///
    /// # Panics
    /// When there is none.
    pub fn without(self, name: &str) -> Rewrites {
        self.put(name, false)
    }

    fn put(mut self, name: &str, wanted: bool) -> Rewrites {
        let at = ALL.iter().position(|rewrite| rewrite.name == name);
        self.wanted[at.unwrap_or_else(|| panic!("there is no rewrite {name}"))] = wanted;
        self
    }

    /// Whether it has a rewrite.
    pub fn has(&self, rewrite: &Rewrite) -> bool {
        self.names().any(|name| name == rewrite.name)
    }

    /// The names of its rewrites, in the order of application.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        ALL.iter().zip(self.wanted).filter(|(_, wanted)| *wanted).map(|(rewrite, _)| rewrite.name)
    }
}

impl Default for Rewrites {
    fn default() -> Rewrites {
        Rewrites::ALL
    }
}

impl fmt::Display for Rewrites {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Rewrites::ALL => f.write_str("all"),
            Rewrites::NONE => f.write_str("none"),
            _ => f.write_str(&self.names().collect::<Vec<_>>().join(", ")),
        }
    }
}

impl FromStr for Rewrites {
    type Err = Error;

    /// Reads `all`, `none`, or names with commas between them.
    ///
    /// `half` is a former name of `f16`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that there isn't, with those that there are.
    fn from_str(text: &str) -> Result<Rewrites> {
        match text.trim() {
            "all" => return Ok(Rewrites::ALL),
            "none" => return Ok(Rewrites::NONE),
            _ => {}
        }
        let names = ALL.each_ref().map(|rewrite| rewrite.name);
        let wrong = |problem: String| {
            let names = names.join(", ");
            Error::Usage(format!(
                "rewrites “{}”: {problem}; name some of {names} with commas between them, or all, or none",
                shorten(text)
            ))
        };
        text.split(',').map(str::trim).try_fold(Rewrites::NONE, |all, name| match name {
            known if names.contains(&known) => Ok(all.and(known)),
            // Its former name.
            "half" => Ok(all.and(Rewrites::F16)),
            "" => Err(wrong("a name is missing".to_owned())),
            "all" | "none" => Err(wrong(format!("{name} stands alone"))),
            other => {
                let near = suggestion(other, &[&names[..], &["all", "none"]].concat());
                Err(wrong(format!("there is no rewrite “{}”{near}", shorten(other))))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_as_they_are_written() {
        for text in ["all", "none", "activations, watch", "f16"] {
            assert_eq!(text.parse::<Rewrites>().unwrap().to_string(), text);
        }
        assert_eq!(" watch,activations".parse::<Rewrites>().unwrap().to_string(), "activations, watch");
        assert_eq!("watch, half".parse::<Rewrites>().unwrap().to_string(), "f16, watch");
        let every = Rewrites::ALL.names().collect::<Vec<_>>().join(",");
        assert_eq!(every.parse::<Rewrites>().unwrap(), Rewrites::ALL);
        assert_eq!(Rewrites::NONE.and(Rewrites::F16).without(Rewrites::F16), Rewrites::NONE);
        for wrong in ["", "watch,", "wach", "all, watch"] {
            let error = wrong.parse::<Rewrites>().unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("activations, first-layer, gradients"), "{error}");
        }
        for (text, words) in [
            ("all, watch", "all stands alone"),
            ("watch,", "a name is missing"),
            ("", "a name is missing"),
            ("al", "“all”"),
        ] {
            let error = text.parse::<Rewrites>().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!("wach".parse::<Rewrites>().unwrap_err().to_string().contains("did you mean “watch”"));
    }
}
