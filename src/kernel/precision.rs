//! The precision in which products of dense layers read their matrices.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// The precision of the matrices that products of dense layers read.
///
/// Weights, gradients and all sums are f32 in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// The matrices themselves.
    #[default]
    F32,
    /// f16 copies of the weights, and of the inputs for gradients of weights.
    ///
    /// An f16 has 11 binary digits, from 2⁻¹⁴ to 65,504. The other matrix of a product is read as it is; with
    /// [cooperative matrices](crate::verify::experimental::Experimental::CooperativeMatrix) both are copies, and those
    /// of gradients are [scaled](crate::cpu::f16::gradient_scale). A layer whose sizes are not all multiples of 4
    /// stays in f32.
    F16,
}

const NAMES: [&str; 2] = ["f32", "f16"];

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(NAMES[*self as usize])
    }
}

impl FromStr for Precision {
    type Err = Error;

    /// Reads `f32` or `f16`, and their former names `single` and `half`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    fn from_str(text: &str) -> Result<Precision> {
        match text.trim() {
            "f32" | "single" => Ok(Precision::F32),
            "f16" | "half" => Ok(Precision::F16),
            text => Err(Error::Usage(format!(
                "precision “{}” is neither f32 nor f16{}",
                shorten(text),
                suggestion(text, &NAMES)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_are_read_by_their_former_names_too() {
        let read = |text: &str| text.parse::<Precision>();
        for (text, former) in [("f32", "single"), (" f16", "half")] {
            assert_eq!(read(text).unwrap(), read(former).unwrap());
            assert_eq!(read(former).unwrap().to_string(), text.trim());
        }
        let refused = read("f61").unwrap_err().to_string();
        assert!(refused.contains("“f61” is neither f32 nor f16, did you mean “f16”?"), "{refused}");
    }
}
