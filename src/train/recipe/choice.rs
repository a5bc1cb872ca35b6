//! The network of a recipe: its layers, or a name.

use std::fmt;
use std::str::FromStr;

use toml::de::DeValue;

use super::values::{OverDefault, RawValue, ReadError, Value};
use crate::error::{Error, Result, suggestion};
use crate::network::Network;
use crate::text::shorten;

/// The names of networks.
pub const NAMES: &[&str] = &["cnn"];

/// The layers of `cnn` in front of its last one.
const CNN: &str = "conv 16 3x3 pad 1, relu, maxpool 2, conv 32 3x3 pad 1, relu, maxpool 2, flatten, dense 128, relu, dropout 0.3";

/// The network that a recipe or a flag names.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkChoice {
    /// These layers.
    Layers(Network),
    /// The network `cnn`: two convolutions with pooling, and two dense layers.
    Cnn,
}

/// The network `cnn` for a number of classes.
pub fn cnn(classes: usize) -> Network {
    format!("{CNN}, dense {classes}").parse().expect("data have one class or more, not too many")
}

impl NetworkChoice {
    /// The layers, for a number of classes.
    pub fn network(self, classes: usize) -> Network {
        self.over_default(cnn(classes))
    }
}

impl From<Network> for NetworkChoice {
    fn from(network: Network) -> NetworkChoice {
        NetworkChoice::Layers(network)
    }
}

impl OverDefault<Network> for NetworkChoice {
    /// A named network comes with its own defaults, the layers among them.
    fn over_default(self, default: Network) -> Network {
        match self {
            NetworkChoice::Layers(network) => network,
            NetworkChoice::Cnn => default,
        }
    }
}

impl Value for NetworkChoice {
    /// Reads a text, or a list of layers from a file.
    fn read(raw: &RawValue) -> Result<NetworkChoice, ReadError> {
        let list = matches!(raw, RawValue::File(DeValue::Array(_)));
        let layers =
            if list { raw.texts().map(|layers| layers.join(", ")) } else { raw.text().map(str::to_owned) };
        Ok(layers.ok_or(ReadError::WrongType)?.parse::<NetworkChoice>()?)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl FromStr for NetworkChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<NetworkChoice> {
        match text.trim() {
            "cnn" => Ok(NetworkChoice::Cnn),
            // One word near a name is that name, misspelt.
            word if !word.contains([' ', ',']) && !suggestion(word, NAMES).is_empty() => {
                Err(Error::Usage(format!(
                    "there is no network “{word}”{}; write its layers, or a name",
                    suggestion(word, NAMES),
                    word = shorten(word)
                )))
            }
            layers => layers.parse().map(NetworkChoice::Layers),
        }
    }
}

impl fmt::Display for NetworkChoice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            NetworkChoice::Layers(network) => network.fmt(f),
            NetworkChoice::Cnn => f.write_str("cnn"),
        }
    }
}
