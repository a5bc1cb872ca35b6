//! Initialisers of parameters, and their text form in a layer.

use std::fmt;

use crate::error::suggestion;
use crate::text::shorten;

/// The distribution of a parameter's first values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialiser {
    /// Uniform in [-bound, bound).
    Uniform(f32),
    /// Normal around 0 with this standard deviation.
    Normal(f32),
    /// This value everywhere.
    Constant(f32),
}

/// An initialiser as a layer's text names it.
///
/// Its range may depend on the layer's fans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in ±√(6 / fan-in): `nn.init.kaiming_uniform_` for relu.
    KaimingUniform,
    /// Normal with deviation √(2 / fan-in): `nn.init.kaiming_normal_` for relu.
    KaimingNormal,
    /// Uniform in ±√(6 / (fan-in + fan-out)): `nn.init.xavier_uniform_`.
    XavierUniform,
    /// Normal with deviation √(2 / (fan-in + fan-out)): `nn.init.xavier_normal_`.
    XavierNormal,
    /// Uniform in [-bound, bound).
    Uniform(f32),
    /// Normal around 0 with this standard deviation.
    Normal(f32),
    /// This value everywhere.
    Constant(f32),
    /// 0 everywhere.
    Zeros,
}

/// Names in the text form.
///
/// `uniform`, `normal` and `constant` are followed by a number.
pub const NAMES: &[&str] = &[
    "kaiming-uniform",
    "kaiming-normal",
    "xavier-uniform",
    "xavier-normal",
    "uniform",
    "normal",
    "constant",
    "zeros",
];

/// The fans of a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Fans {
    /// Inputs of one output.
    pub fan_in: usize,
    /// Outputs of one input.
    pub fan_out: usize,
}

impl Fans {
    /// The default of `nn.Linear` and `nn.Conv2d`: uniform in ±1/√fan-in.
    pub fn default(self) -> Initialiser {
        Initialiser::Uniform(1.0 / (self.fan_in as f32).sqrt())
    }
}

impl Init {
    /// Reads a name, and its number where it takes one, off the front of `words`.
    ///
    /// # Errors
    /// The problem, as a part of a sentence.
    pub fn parse<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Init, String> {
        let name = words.next().ok_or_else(|| format!("init takes one of {}", NAMES.join(", ")))?;
        let mut number = |least: f32| {
            let text = words.next().ok_or_else(|| format!("init {name} takes a number"))?;
            match text.parse::<f32>() {
                Ok(value) if value.is_finite() && value >= least => Ok(value),
                _ => Err(format!("“{text}” is no number for init {name}", text = shorten(text))),
            }
        };
        Ok(match name {
            "kaiming-uniform" => Init::KaimingUniform,
            "kaiming-normal" => Init::KaimingNormal,
            "xavier-uniform" => Init::XavierUniform,
            "xavier-normal" => Init::XavierNormal,
            "uniform" => Init::Uniform(number(0.0)?),
            "normal" => Init::Normal(number(0.0)?),
            "constant" => Init::Constant(number(f32::MIN)?),
            "zeros" => Init::Zeros,
            _ => {
                return Err(format!(
                    "there is no initialiser “{name}”{}; there are {}",
                    suggestion(name, NAMES),
                    NAMES.join(", "),
                    name = shorten(name)
                ));
            }
        })
    }

    /// The distribution for a parameter with these fans.
    pub fn resolve(self, fans: Fans) -> Initialiser {
        let (fan_in, both) = (fans.fan_in as f32, (fans.fan_in + fans.fan_out) as f32);
        match self {
            Init::KaimingUniform => Initialiser::Uniform((6.0 / fan_in).sqrt()),
            Init::KaimingNormal => Initialiser::Normal((2.0 / fan_in).sqrt()),
            Init::XavierUniform => Initialiser::Uniform((6.0 / both).sqrt()),
            Init::XavierNormal => Initialiser::Normal((2.0 / both).sqrt()),
            Init::Uniform(bound) => Initialiser::Uniform(bound),
            Init::Normal(deviation) => Initialiser::Normal(deviation),
            Init::Constant(value) => Initialiser::Constant(value),
            Init::Zeros => Initialiser::Constant(0.0),
        }
    }
}

impl fmt::Display for Init {
    /// The text form that [`Init::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Init::KaimingUniform => f.write_str("kaiming-uniform"),
            Init::KaimingNormal => f.write_str("kaiming-normal"),
            Init::XavierUniform => f.write_str("xavier-uniform"),
            Init::XavierNormal => f.write_str("xavier-normal"),
            Init::Uniform(bound) => write!(f, "uniform {bound}"),
            Init::Normal(deviation) => write!(f, "normal {deviation}"),
            Init::Constant(value) => write!(f, "constant {value}"),
            Init::Zeros => f.write_str("zeros"),
        }
    }
}
