//! In what precision the products of dense layers read their matrices.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, suggestion};

/// What the products of dense layers read. Weights and gradients are kept in single precision, and all sums are made in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// The numbers as they are.
    #[default]
    Single,
    /// Copies of the weights, and of the inputs where their gradients are computed, in half precision:
    /// 11 binary digits, from 2⁻¹⁴ to 65,504. The other matrix of a product is read as it is; by
    /// [cooperative matrices](crate::verify::experimental::Experimental::CooperativeMatrix) both are copies, those of
    /// gradients [scaled](crate::cpu::half::gradient_scale). A layer whose sizes are not all multiples of 4 stays
    /// in single precision.
    Half,
}

const NAMES: [&str; 2] = ["single", "half"];

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(NAMES[*self as usize])
    }
}

impl FromStr for Precision {
    type Err = Error;

    /// Reads `single` or `half`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    fn from_str(text: &str) -> Result<Precision> {
        match text.trim() {
            "single" => Ok(Precision::Single),
            "half" => Ok(Precision::Half),
            text => Err(Error::Usage(format!(
                "precision “{}” is neither single nor half{}",
                text.escape_debug(),
                suggestion(text, &NAMES)
            ))),
        }
    }
}
