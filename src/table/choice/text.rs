//! Picked variants, and their text form, as in `narrow matmul_register, large matmul_subgroup`.

use std::fmt;
use std::str::FromStr;

use super::{Class, Variant};
use crate::error::{Error, Result, suggestion};
use crate::table::former;
use crate::text::shorten;

/// The variants of some classes of work, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picks(Vec<(Class, Variant)>);

impl Picks {
    /// The variant of a class, if one is picked.
    pub fn get(&self, class: Class) -> Option<Variant> {
        self.iter().find(|(known, _)| *known == class).map(|(_, variant)| variant)
    }

    /// The picks with this variant for a class.
    pub fn with(mut self, class: Class, variant: Variant) -> Picks {
        self.0.retain(|(known, _)| *known != class);
        let at = self.0.partition_point(|(known, _)| *known < class);
        self.0.insert(at, (class, variant));
        self
    }

    /// The classes with their variants, in the order of [`Class::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Class, Variant)> + '_ {
        self.0.iter().copied()
    }

    /// Whether a variant is picked for every class.
    pub fn is_complete(&self) -> bool {
        self.0.len() == Class::ALL.len()
    }
}

impl fmt::Display for Picks {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (at, (class, variant)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {variant}", class.name())?;
        }
        Ok(())
    }
}

impl FromStr for Picks {
    type Err = Error;

    /// Reads classes with their variants, separated by commas.
    ///
    /// Former names of kernels are read too.
    ///
    /// # Errors
    /// [`Error::Usage`] for a class or a variant that there isn't, and for a class named twice.
    fn from_str(text: &str) -> Result<Picks> {
        let wrong = |problem: String| Error::Usage(format!("tuning “{}”: {problem}", shorten(text)));
        let mut picks = Picks::default();
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let Some(name) = words.next() else {
                return Err(wrong(
                    "each part between commas must be a class of work and its variant, as in “large matmul_register”"
                        .to_owned(),
                ));
            };
            let class = class(name).map_err(wrong)?;
            if picks.get(class).is_some() {
                return Err(wrong(format!("it names {name} twice, so leave one out")));
            }
            let variant = words.map(former::kernel).collect::<Vec<_>>().join(" ");
            picks = picks.with(class, find(class, &variant).map_err(wrong)?);
        }
        Ok(picks)
    }
}

fn class(name: &str) -> Result<Class, String> {
    Class::ALL.into_iter().find(|class| class.name() == name).ok_or_else(|| {
        let names = Class::ALL.map(Class::name);
        let near = suggestion(name, &names);
        format!("there is no class of work “{}”{near}; there are {}", shorten(name), names.join(", "))
    })
}

fn find(class: Class, text: &str) -> Result<Variant, String> {
    let variants = class.variants().iter().copied();
    variants.clone().find(|variant| variant.to_string() == text).ok_or_else(|| {
        let names: Vec<String> = variants.map(|variant| variant.to_string()).collect();
        let near = suggestion(text, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let name = class.name();
        format!("{name} has no variant “{}”{near}; it has {}", shorten(text), names.join(", "))
    })
}
