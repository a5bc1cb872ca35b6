//! The network that a recipe asks for: its layers, or a name for a usual one.

use std::fmt;
use std::str::FromStr;

use toml::de::DeValue;

use super::values::{Over, Said, Unread, Value};
use crate::error::{Error, Result, suggestion};
use crate::network::Network;

/// Names of networks that only lack the number of classes.
pub const NAMES: &[&str] = &["cnn"];

/// The layers of `cnn` in front of its last one.
const CNN: &str = "conv 16 3x3 pad 1, relu, maxpool 2, conv 32 3x3 pad 1, relu, maxpool 2, flatten, dense 128, relu, dropout 0.3";

/// The network that a recipe or a flag names.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkChoice {
    /// These layers.
    Layers(Network),
    /// Two convolutions with poolings, and two dense layers.
    Cnn,
}

/// The network `cnn` for a number of classes.
pub fn cnn(classes: usize) -> Network {
    format!("{CNN}, dense {classes}").parse().expect("data have one class or more, not too many")
}

impl NetworkChoice {
    /// The layers, for a number of classes.
    pub fn network(self, classes: usize) -> Network {
        self.over(cnn(classes))
    }
}

impl From<Network> for NetworkChoice {
    fn from(network: Network) -> NetworkChoice {
        NetworkChoice::Layers(network)
    }
}

impl Over<Network> for NetworkChoice {
    /// A name has come with defaults of its own, the network among them.
    fn over(self, default: Network) -> Network {
        match self {
            NetworkChoice::Layers(network) => network,
            NetworkChoice::Cnn => default,
        }
    }
}

impl Value for NetworkChoice {
    /// Reads a text, or from a file a list of layers.
    fn read(said: &Said) -> Result<NetworkChoice, Unread> {
        let list = matches!(said, Said::File(DeValue::Array(_)));
        let layers =
            if list { said.texts().map(|layers| layers.join(", ")) } else { said.text().map(str::to_owned) };
        Ok(layers.ok_or(Unread::WrongKind)?.parse::<NetworkChoice>()?)
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
            // One word that no layer begins with is a name that was misspelt.
            word if !word.contains([' ', ',']) && !suggestion(word, NAMES).is_empty() => {
                Err(Error::Usage(format!(
                    "there is no network “{word}”{}; write its layers, or a name",
                    suggestion(word, NAMES)
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
