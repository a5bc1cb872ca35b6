//! The text form of an optimiser: `sgd momentum 0.9 nesterov`, `adamw weight-decay 0.05`.
//!
//! It is a name, and the settings that differ from its defaults.

use std::fmt;
use std::str::FromStr;

use super::{Optimiser, Rule};
use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// The names of optimisers in the text form.
pub const NAMES: &[&str] = &["sgd", "adagrad", "rmsprop", "adam", "adamw", "lion", "muon"];

/// The optimiser of a name alone.
///
/// Defaults are those of PyTorch and, for Lion and Muon, of their authors, except that only `adamw` decays weights.
fn named(name: &str) -> Option<Optimiser> {
    let plain = |rule| Optimiser { rule, weight_decay: 0.0, decoupled: false };
    let decoupled = |rule, weight_decay| Optimiser { rule, weight_decay, decoupled: true };
    let adam = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    Some(match name {
        "sgd" => Optimiser::default(),
        "adagrad" => plain(Rule::AdaGrad { epsilon: 1e-10 }),
        "rmsprop" => plain(Rule::RmsProp { smoothing: 0.99, epsilon: 1e-8, momentum: 0.0, centred: false }),
        "adam" => plain(adam),
        "adamw" => decoupled(adam, 0.01),
        "lion" => decoupled(Rule::Lion { beta1: 0.9, beta2: 0.99 }, 0.0),
        "muon" => decoupled(Rule::Muon { momentum: 0.95 }, 0.0),
        _ => return None,
    })
}

/// The smallest number that may be added to a divisor.
const LEAST_EPSILON: f32 = 1e-30;
/// The largest number below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

impl Optimiser {
    fn name(&self) -> &'static str {
        match self.rule {
            Rule::Sgd { .. } => "sgd",
            Rule::AdaGrad { .. } => "adagrad",
            Rule::RmsProp { .. } => "rmsprop",
            Rule::Adam { .. } if self.decoupled => "adamw",
            Rule::Adam { .. } => "adam",
            Rule::Lion { .. } => "lion",
            Rule::Muon { .. } => "muon",
        }
    }

    /// The settings that are numbers: name, value, least and most.
    fn numbers(&mut self) -> Vec<(&'static str, &mut f32, f32, f32)> {
        let fraction = |name, value| (name, value, 0.0, BELOW_ONE);
        let small = |value| ("epsilon", value, LEAST_EPSILON, f32::MAX);
        let mut all = match &mut self.rule {
            Rule::Sgd { momentum, dampening, .. } => {
                vec![fraction("momentum", momentum), fraction("dampening", dampening)]
            }
            Rule::AdaGrad { epsilon } => vec![small(epsilon)],
            Rule::RmsProp { smoothing, epsilon, momentum, .. } => {
                vec![fraction("smoothing", smoothing), small(epsilon), fraction("momentum", momentum)]
            }
            Rule::Adam { beta1, beta2, epsilon } => {
                vec![fraction("beta1", beta1), fraction("beta2", beta2), small(epsilon)]
            }
            Rule::Lion { beta1, beta2 } => vec![fraction("beta1", beta1), fraction("beta2", beta2)],
            Rule::Muon { momentum } => vec![fraction("momentum", momentum)],
        };
        all.push(("weight-decay", &mut self.weight_decay, 0.0, f32::MAX));
        all
    }

    /// The settings that are a single word.
    fn flags(&mut self) -> Vec<(&'static str, &mut bool)> {
        match &mut self.rule {
            Rule::Sgd { nesterov, .. } => {
                vec![("nesterov", nesterov), ("decoupled", &mut self.decoupled)]
            }
            Rule::RmsProp { centred, .. } => {
                vec![("centred", centred), ("decoupled", &mut self.decoupled)]
            }
            Rule::AdaGrad { .. } => vec![("decoupled", &mut self.decoupled)],
            // For Adam the name decides, and the others always decouple.
            Rule::Adam { .. } | Rule::Lion { .. } | Rule::Muon { .. } => Vec::new(),
        }
    }

    /// Applies a setting of the text form, whose number is in the next word.
    fn set(&mut self, word: &str, next: impl FnOnce() -> Option<String>) -> Result<(), String> {
        if let Some((_, flag)) = self.flags().into_iter().find(|(name, _)| *name == word) {
            *flag = true;
            return Ok(());
        }
        let mut numbers = self.numbers();
        let Some((name, value, least, most)) = numbers.iter_mut().find(|(name, ..)| *name == word) else {
            let mut known: Vec<&str> = numbers.iter().map(|(name, ..)| *name).collect();
            known.extend(self.flags().iter().map(|(name, _)| *name));
            let near = suggestion(word, &known);
            return Err(format!(
                "it takes no “{word}”{near}, but {}",
                known.join(", "),
                word = shorten(word)
            ));
        };
        let range = if *most == BELOW_ONE { "from 0 to below 1".to_owned() } else { format!("from {least}") };
        let text = next().ok_or_else(|| format!("{name} is followed by a number {range}"))?;
        let number = text.parse().ok().filter(|number| (*least..=*most).contains(number));
        **value =
            number.ok_or_else(|| format!("{name} is {}, but it takes a number {range}", shorten(&text)))?;
        Ok(())
    }

    /// Settings that don't go together, as a sentence.
    fn contradiction(&self) -> Option<&'static str> {
        match self.rule {
            Rule::Sgd { momentum: 0.0, nesterov: true, .. } => Some("nesterov needs a momentum above 0"),
            Rule::Sgd { momentum: 0.0, dampening, .. } if dampening != 0.0 => {
                Some("dampening needs a momentum above 0")
            }
            Rule::Sgd { dampening, nesterov: true, .. } if dampening != 0.0 => {
                Some("nesterov takes no dampening")
            }
            Rule::Sgd { .. } | Rule::AdaGrad { .. } | Rule::RmsProp { .. }
                if self.decoupled && self.weight_decay == 0.0 =>
            {
                Some("decoupled needs a weight-decay above 0")
            }
            _ => None,
        }
    }
}

impl FromStr for Optimiser {
    type Err = Error;

    fn from_str(text: &str) -> Result<Optimiser> {
        let problem =
            |what: String| Error::Usage(format!("⟨optimiser⟩ “{text}”: {what}", text = shorten(text)));
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let Some(mut optimiser) = named(name) else {
            let near = suggestion(name, NAMES);
            return Err(problem(format!(
                "there is no “{name}”{near}; there are {}",
                NAMES.join(", "),
                name = shorten(name)
            )));
        };
        while let Some(word) = words.next() {
            optimiser.set(word, || words.next().map(str::to_owned)).map_err(problem)?;
        }
        match optimiser.contradiction() {
            Some(what) => Err(problem(what.to_owned())),
            None => Ok(optimiser),
        }
    }
}

impl fmt::Display for Optimiser {
    /// The text form that [`Optimiser::from_str`] reads, without defaults.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (mut given, name) = (*self, self.name());
        let mut default = named(name).unwrap_or_default();
        f.write_str(name)?;
        for ((name, value, ..), (_, usual, ..)) in given.numbers().into_iter().zip(default.numbers()) {
            if value != usual {
                write!(f, " {name} {value:?}")?;
            }
        }
        for ((name, value), (_, usual)) in given.flags().into_iter().zip(default.flags()) {
            if value != usual {
                write!(f, " {name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_optimiser_is_written_as_it_is_read() {
        for text in [
            "sgd",
            "sgd momentum 0.9 dampening 0.25",
            "sgd momentum 0.9 weight-decay 0.01 nesterov decoupled",
            "adagrad epsilon 1e-6",
            "rmsprop smoothing 0.9 epsilon 0.001 weight-decay 0.1 decoupled",
            "rmsprop momentum 0.9 centred",
            "adam beta1 0.8 beta2 0.99",
            "adam weight-decay 0.01",
            "adamw",
            "adamw weight-decay 0.0",
            "lion beta2 0.98 weight-decay 0.1",
            "muon momentum 0.9 weight-decay 0.1",
        ] {
            assert_eq!(text.parse::<Optimiser>().unwrap().to_string(), text);
        }
        assert_eq!(" sgd  nesterov momentum .5".parse::<Optimiser>().unwrap().to_string(), {
            "sgd momentum 0.5 nesterov"
        });
        for name in NAMES {
            assert_eq!(name.parse::<Optimiser>().unwrap().to_string(), *name);
        }
    }

    #[test]
    fn wrong_settings_are_refused_with_a_sentence() {
        for (text, part) in [
            ("", "there is no “”; there are sgd"),
            ("adma", "did you mean “adam”?"),
            ("adam momentum 0.9", "it takes no “momentum”"),
            ("sgd momentun 0.9", "did you mean “momentum”?"),
            ("sgd momentum", "momentum is followed by a number from 0 to below 1"),
            ("sgd momentum 1", "momentum is 1, but it takes a number from 0 to below 1"),
            ("adam beta1 nan", "beta1 is nan"),
            ("adam epsilon 0", "epsilon is 0"),
            ("adam weight-decay -1", "weight-decay is -1"),
            ("adam weight-decay inf", "weight-decay is inf"),
            ("sgd nesterov", "nesterov needs a momentum"),
            ("sgd dampening 0.5", "dampening needs a momentum"),
            ("sgd momentum 0.9 dampening 0.5 nesterov", "nesterov takes no dampening"),
            ("sgd decoupled", "decoupled needs a weight-decay"),
        ] {
            let error = text.parse::<Optimiser>().expect_err(text);
            assert_eq!(error.exit_code(), 2, "{text}");
            assert!(error.to_string().contains(part), "“{text}”: {error}");
        }
    }
}
