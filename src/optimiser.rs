//! Optimisers: how a step goes from gradients to new weights.
//!
//! An optimiser declares its state, buffers laid out like the arena, and
//! records its update, one dispatch over the whole arena where its rule allows.

use std::fmt;
use std::str::FromStr;

use crate::consts;
use crate::error::{Error, Result, suggestion};
use crate::kernel::Element;
use crate::kernels;
use crate::program::{Role, View};
use crate::record::Recorder;

/// The rule by which weights follow gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent, plain or with a velocity.
    Sgd {
        /// Share of the last velocity that is kept; 0 for none, and then there is no velocity.
        momentum: f32,
        /// Share of the gradient that a velocity leaves out.
        dampening: f32,
        /// Whether the step looks ahead along the velocity.
        nesterov: bool,
    },
}

/// A rule, and how weights decay. Biases and norms, that is parameters with a
/// single dimension, do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimiser {
    pub rule: Rule,
    /// How much of each weight is taken off, times the learning rate.
    pub weight_decay: f32,
    /// Whether decay goes past the rule (AdamW's way) instead of into its gradients (L2).
    pub decoupled: bool,
}

/// Names in the text form.
pub const NAMES: &[&str] = &["sgd"];

impl Default for Optimiser {
    /// Plain gradient descent.
    fn default() -> Optimiser {
        Optimiser::sgd(0.0)
    }
}

/// State of an optimiser: a buffer laid out like the arena, zero before the first step.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The buffer's name, such as `velocities`.
    pub name: &'static str,
    pub view: View,
}

impl Optimiser {
    /// Gradient descent with momentum, or without for 0.
    pub fn sgd(momentum: f32) -> Optimiser {
        let rule = Rule::Sgd { momentum, dampening: 0.0, nesterov: false };
        Optimiser { rule, weight_decay: 0.0, decoupled: false }
    }

    /// The momentum that kernels read from the step's scalars.
    pub fn momentum(&self) -> f32 {
        match self.rule {
            Rule::Sgd { momentum, .. } => momentum,
        }
    }

    /// Checks what the text form checks as it is read.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the setting and what it takes.
    pub fn check(&self) -> Result<()> {
        self.to_string().parse::<Optimiser>().map(|_| ())
    }

    /// The names of the buffers that [`Optimiser::declare`] declares.
    pub fn states(&self) -> &'static [&'static str] {
        match self.rule {
            Rule::Sgd { momentum: 0.0, .. } => &[],
            Rule::Sgd { .. } => &["velocities"],
        }
    }

    /// Declares the state.
    pub fn declare(&self, recorder: &mut Recorder) -> Vec<State> {
        let len = recorder.parameters().len;
        let names = self.states().iter();
        names
            .map(|name| State { name, view: recorder.buffer(name, Element::Real, len, Role::Optimiser) })
            .collect()
    }

    /// Records the update of all parameters; `states` are those declared.
    pub fn record(&self, recorder: &mut Recorder, states: &[State]) {
        let (gradients, parameters) = (recorder.gradients(), recorder.parameters());
        let (length, decayed) = (parameters.len, recorder.arena.matrices());
        let decay = self.weight_decay;
        let args = [gradients, parameters].into_iter().chain(states.iter().map(|state| state.view)).collect();
        let (kernel, consts) = match self.rule {
            Rule::Sgd { momentum: 0.0, .. } => {
                (&kernels::SGD, consts! { LENGTH: length, DECAYED: decayed, DECAY: decay })
            }
            Rule::Sgd { dampening, nesterov, .. } => {
                let consts = consts! {
                    LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: self.decoupled,
                    DAMPENING: dampening, NESTEROV: nesterov,
                };
                (&kernels::SGD_MOMENTUM, consts)
            }
        };
        recorder.dispatch(kernel, consts, args, "update");
    }

    /// Sets what a word of the text form stands for.
    fn set(&mut self, word: &str, words: &mut dyn Iterator<Item = &str>) -> std::result::Result<(), String> {
        match (word, &mut self.rule) {
            ("weight-decay", _) => self.weight_decay = number(word, words, 0.0, f32::MAX)?,
            ("decoupled", _) => self.decoupled = true,
            ("momentum", Rule::Sgd { momentum, .. }) => *momentum = number(word, words, 0.0, BELOW_ONE)?,
            ("dampening", Rule::Sgd { dampening, .. }) => *dampening = number(word, words, 0.0, BELOW_ONE)?,
            ("nesterov", Rule::Sgd { nesterov, .. }) => *nesterov = true,
            _ => {
                let known = self.words();
                let near = suggestion(word, &known);
                return Err(format!("it takes no “{word}”{near}, but {}", known.join(", ")));
            }
        }
        Ok(())
    }

    /// The words that may follow the name.
    fn words(&self) -> Vec<&'static str> {
        let own: &[&str] = match self.rule {
            Rule::Sgd { .. } => &["momentum", "dampening", "nesterov"],
        };
        own.iter().copied().chain(["weight-decay", "decoupled"]).collect()
    }

    /// What does not go together.
    fn contradiction(&self) -> Option<&'static str> {
        match self.rule {
            Rule::Sgd { momentum: 0.0, nesterov: true, .. } => Some("nesterov needs a momentum above 0"),
            Rule::Sgd { momentum: 0.0, dampening, .. } if dampening != 0.0 => {
                Some("dampening needs a momentum above 0")
            }
            Rule::Sgd { dampening, nesterov: true, .. } if dampening != 0.0 => {
                Some("nesterov takes no dampening")
            }
            _ if self.decoupled && self.weight_decay == 0.0 => Some("decoupled needs a weight-decay above 0"),
            _ => None,
        }
    }
}

/// The largest number below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

/// The next word, a number within a range.
fn number(
    name: &str,
    words: &mut dyn Iterator<Item = &str>,
    least: f32,
    most: f32,
) -> std::result::Result<f32, String> {
    let range = match (least, most) {
        (least, BELOW_ONE) => format!("from {least} to below 1"),
        (least, _) => format!("from {least}"),
    };
    let text = words.next().ok_or_else(|| format!("{name} is followed by a number {range}"))?;
    let value = text.parse().ok().filter(|value| (least..=most).contains(value));
    value.ok_or_else(|| format!("{name} is {text}, but it takes a number {range}"))
}

impl FromStr for Optimiser {
    type Err = Error;

    /// Reads the text form: a name, then settings that differ from its defaults, as in
    /// `sgd momentum 0.9 nesterov`.
    fn from_str(text: &str) -> Result<Optimiser> {
        let problem = |what: String| Error::Usage(format!("optimiser “{text}”: {what}"));
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let mut optimiser = match name {
            "sgd" => Optimiser::default(),
            _ => {
                let near = suggestion(name, NAMES);
                return Err(problem(format!("there is no “{name}”{near}; there are {}", NAMES.join(", "))));
            }
        };
        while let Some(word) = words.next() {
            optimiser.set(word, &mut words).map_err(problem)?;
        }
        match optimiser.contradiction() {
            Some(what) => Err(problem(what.to_owned())),
            None => Ok(optimiser),
        }
    }
}

impl fmt::Display for Optimiser {
    /// The text form that [`Optimiser::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.rule {
            Rule::Sgd { momentum, dampening, nesterov } => {
                write!(f, "sgd")?;
                setting(f, "momentum", momentum, 0.0)?;
                setting(f, "dampening", dampening, 0.0)?;
                f.write_str(if nesterov { " nesterov" } else { "" })?;
            }
        }
        setting(f, "weight-decay", self.weight_decay, 0.0)?;
        f.write_str(if self.decoupled { " decoupled" } else { "" })
    }
}

/// A setting that differs from its default.
fn setting(f: &mut fmt::Formatter, name: &str, value: f32, default: f32) -> fmt::Result {
    if value == default { Ok(()) } else { write!(f, " {name} {value:?}") }
}
