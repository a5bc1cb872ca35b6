//! The update of a unit's weights: what the optimiser keeps of them, and what they become.

use super::page::{Section, digits};
use super::trace::Trace;
use crate::optimiser::{Optimiser, Rule};
use crate::program::View;

/// The weights of a unit that are shown, and its bias, as places in their parameters.
pub struct Places<'a> {
    pub weights: View,
    /// By input, the place in `weights`.
    pub shown: &'a [(usize, usize)],
    pub bias: Option<View>,
    pub unit: usize,
}

/// A rule in words: what it keeps, and the step that it takes.
struct Words {
    /// By state: its buffer, its key in JSON, its name, and how it comes about.
    states: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// What stands behind the weight in the line of the new one.
    step: &'static str,
    /// The line in front of the new weights.
    rule: &'static str,
}

fn words(optimiser: &Optimiser) -> Words {
    match optimiser.rule {
        Rule::Sgd { momentum: 0.0, .. } => Words {
            states: &[],
            step: "weight_delta",
            rule: "new weight = weight − learning rate × weight_delta",
        },
        Rule::Sgd { nesterov: false, .. } => Words {
            states: VELOCITY,
            step: "velocity",
            rule: "new weight = weight − learning rate × velocity",
        },
        Rule::Sgd { nesterov: true, .. } => Words {
            states: VELOCITY,
            step: "(weight_delta + momentum × velocity)",
            rule: "new weight = weight − learning rate × (weight_delta + momentum × velocity)",
        },
    }
}

const VELOCITY: &[(&str, &str, &str, &str)] =
    &[("velocities", "velocity", "velocity", "velocity = momentum × velocity + weight_delta")];

/// The section about the update.
pub fn section(trace: &Trace, own: &Places) -> Section {
    let mut section = Section::new("update", "Update: the next weights");
    let optimiser = trace.optimiser();
    let words = words(optimiser);
    section.note(format!("the optimiser is {optimiser}"));
    if !words.states.is_empty() {
        section.note("a model does not hold what its optimiser keeps from step to step, so it is taken as 0 here, as at the start of training");
    }
    for (buffer, key, name, equation) in words.states {
        section.note(*equation);
        let state = trace.state_of_parameter(buffer, own.weights);
        for (input, at) in own.shown.iter().copied() {
            section.value(trace.value(*key, format!("{name} {input}"), state, at).at(input));
        }
        if let Some(bias) = own.bias {
            let state = trace.state_of_parameter(buffer, bias);
            let words = format!("{name} of the bias");
            section.value(trace.value(format!("bias_{key}"), words, state, own.unit));
        }
    }
    let rate = trace.settings.learning_rate;
    section.note(format!("{}; the learning rate is {rate}", words.rule));
    if optimiser.weight_decay != 0.0 {
        section.note(decay(optimiser));
    }
    let line = |name: &str, before: f32| {
        format!("new {name} = {} − {rate} × {}", digits(f64::from(before)), words.step)
    };
    for (input, at) in own.shown.iter().copied() {
        let words = line(&format!("weight {input}"), trace.before(own.weights)[at]);
        section.value(trace.value("new_weight", words, own.weights, at).at(input));
    }
    if let Some(bias) = own.bias {
        let words = line("bias", trace.before(bias)[own.unit]);
        section.value(trace.value("new_bias", words, bias, own.unit));
    }
    section
}

fn decay(optimiser: &Optimiser) -> String {
    let decay = optimiser.weight_decay;
    match optimiser.decoupled {
        true => format!("and learning rate × {decay} × weight is taken off; biases do not decay"),
        false => format!("weight_delta stands for weight_delta + {decay} × weight; biases do not decay"),
    }
}
