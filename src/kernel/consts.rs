//! The constants of a dispatch: shapes and settings that lowering writes into its shader.

use std::fmt;

/// The value of a `const` that lowering writes into a shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    Uint(u32),
    Flag(bool),
    /// An f32, by its bits so that constants can be compared and hashed.
    Float(u32),
}

impl From<usize> for Const {
    fn from(value: usize) -> Const {
        // Program::validate refuses sizes beyond u32 before they get here.
        Const::Uint(u32::try_from(value).expect("sizes fit 32 bits"))
    }
}

impl From<bool> for Const {
    fn from(value: bool) -> Const {
        Const::Flag(value)
    }
}

impl From<f32> for Const {
    fn from(value: f32) -> Const {
        Const::Float(value.to_bits())
    }
}

impl fmt::Display for Const {
    /// As a WGSL literal.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Const::Uint(value) => write!(f, "{value}u"),
            Const::Flag(value) => write!(f, "{value}"),
            Const::Float(bits) => write!(f, "{:?}f", f32::from_bits(*bits)),
        }
    }
}

/// The constants of one dispatch, in the order of the kernel table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Consts(Vec<(&'static str, Const)>);

/// `consts! { M: 64, ADD: false }`
#[doc(hidden)]
#[macro_export]
macro_rules! __consts {
    ($($name:ident: $value:expr),* $(,)?) => {
        $crate::internals::kernel::Consts::new(vec![
            $((stringify!($name), $crate::internals::kernel::Const::from($value))),*
        ])
    };
}
// An exported macro stands at the root of the crate; this is its path in this room.
pub use crate::__consts as consts;

impl Consts {
    pub fn new(pairs: Vec<(&'static str, Const)>) -> Consts {
        Consts(pairs)
    }

    /// Appends constants.
    pub fn extend(&mut self, pairs: impl IntoIterator<Item = (&'static str, Const)>) {
        self.0.extend(pairs);
    }

    /// These constants, and one more behind them.
    pub fn with(mut self, name: &'static str, value: Const) -> Consts {
        self.0.push((name, value));
        self
    }

    /// Changes the value of a constant.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn set(&mut self, name: &str, value: Const) {
        let found = self.0.iter_mut().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("a dispatch has no const {name}")).1 = value;
    }

    /// Whether there is a constant of this name with this value.
    pub fn has(&self, name: &str, value: Const) -> bool {
        self.iter().any(|pair| pair == (name, value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Const)> + '_ {
        self.0.iter().copied()
    }

    /// A size.
    pub fn uint(&self, name: &str) -> usize {
        match self.get(name) {
            Const::Uint(value) => value as usize,
            other => panic!("const {name} is {other}, not a size"),
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Const::Flag(value) => value,
            other => panic!("const {name} is {other}, not a flag"),
        }
    }

    /// The constants with one of these names.
    pub fn only(&self, names: &[&str]) -> Consts {
        Consts(self.iter().filter(|(name, _)| names.contains(name)).collect())
    }

    /// Whether the kernel adds to its output.
    pub fn adds(&self) -> bool {
        self.iter().any(|pair| pair == ("ADD", Const::Flag(true)))
    }

    pub fn float(&self, name: &str) -> f64 {
        match self.get(name) {
            Const::Float(bits) => f32::from_bits(bits).into(),
            other => panic!("const {name} is {other}, not a number"),
        }
    }

    fn get(&self, name: &str) -> Const {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("a dispatch has no const {name}")).1
    }
}

impl fmt::Display for Consts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&pairs.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_wgsl_literals() {
        assert_eq!(Const::from(0.01f32).to_string(), "0.01f");
        assert_eq!(Const::from(1.0f32).to_string(), "1.0f");
        assert_eq!(Const::from(1e-30f32).to_string(), "1e-30f");
    }
}
