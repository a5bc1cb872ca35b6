//! The update of a unit's weights: the optimiser state and the new weights.

use super::page::{Section, digits};
use super::trace::Trace;
use crate::network::optimiser::{Optimiser, Rule};
use crate::program::View;
use crate::table;

/// The shown weights of a unit, and its bias.
pub struct ShownParameters {
    pub weights: View,
    pub shown: Vec<ShownWeight>,
    pub bias: Option<View>,
    pub unit: usize,
}

/// A weight of which the update is shown.
#[derive(Clone, Copy)]
pub struct ShownWeight {
    pub input: usize,
    /// Its position in the layer's weights.
    pub position: usize,
}

/// An optimiser's rule in words.
struct RuleText {
    states: Vec<StateText>,
    /// The step before it is multiplied by the learning rate.
    step: String,
}

/// A state of an optimiser in words.
struct StateText {
    buffer: &'static str,
    name: &'static str,
    /// How it is computed.
    equation: String,
}

fn state(buffer: &'static str, name: &'static str, equation: String) -> StateText {
    StateText { buffer, name, equation }
}

fn words(optimiser: &Optimiser) -> RuleText {
    match optimiser.rule {
        Rule::Sgd { momentum: 0.0, .. } => RuleText { states: Vec::new(), step: "weight_delta".to_owned() },
        Rule::Sgd { momentum, nesterov, .. } => RuleText {
            states: vec![state(
                "velocities",
                "velocity",
                format!("velocity = {momentum} × velocity + weight_delta"),
            )],
            step: if nesterov {
                format!("(weight_delta + {momentum} × velocity)")
            } else {
                "velocity".to_owned()
            },
        },
        Rule::AdaGrad { epsilon } => RuleText {
            states: vec![state("squares", "square", "square = square + weight_delta²".to_owned())],
            step: format!("weight_delta / (√square + {epsilon:?})"),
        },
        Rule::RmsProp { smoothing, epsilon, momentum, centred } => {
            rms_prop(smoothing, epsilon, momentum, centred)
        }
        Rule::Adam { beta1, beta2, epsilon } => adam(optimiser, beta1, beta2, epsilon),
        Rule::Lion { beta1, beta2 } => RuleText {
            states: vec![state("means", "mean", moving("mean", beta2, "weight_delta"))],
            step: format!("sign({beta1} × mean before + (1 − {beta1}) × weight_delta)"),
        },
        Rule::Muon { .. } => words(&Optimiser { rule: Optimiser::MUON_REST, ..*optimiser }),
    }
}

fn rms_prop(smoothing: f32, epsilon: f32, momentum: f32, centred: bool) -> RuleText {
    let size = if centred { "variance" } else { "square" };
    let mut step = format!("weight_delta / (√{size} + {epsilon:?})");
    let mut states = if centred {
        let variance = format!(
            "variance = {smoothing} × (variance + (1 − {smoothing}) × (weight_delta − mean before)²)"
        );
        let mean = moving("mean", smoothing, "weight_delta");
        vec![state("variances", "variance", variance), state("means", "mean", mean)]
    } else {
        vec![state("squares", "square", moving("square", smoothing, "weight_delta²"))]
    };
    // The centred rule always has a velocity, without momentum too.
    if centred || momentum > 0.0 {
        states.push(state("velocities", "velocity", format!("velocity = {momentum} × velocity + {step}")));
        step = "velocity".to_owned();
    }
    RuleText { states, step }
}

/// A running mean in words.
fn moving(name: &str, factor: f32, of: &str) -> String {
    format!("{name} = {factor} × {name} + (1 − {factor}) × {of}")
}

fn adam(optimiser: &Optimiser, beta1: f32, beta2: f32, epsilon: f32) -> RuleText {
    let [mean, square] = optimiser.corrections(1).map(|correction| digits(f64::from(correction)));
    RuleText {
        states: vec![
            state("means", "mean", moving("mean", beta1, "weight_delta")),
            state("squares", "square", moving("square", beta2, "weight_delta²")),
        ],
        step: format!("{mean} × mean / (√({square} × square) + {epsilon:?})"),
    }
}

/// The section about the update.
pub fn section(trace: &Trace, own: &ShownParameters) -> Section {
    let mut section = Section::new("update", "Update: the next weights");
    let optimiser = trace.optimiser();
    section.note(format!("the optimiser is {optimiser}"));
    if !optimiser.states().is_empty() {
        section
            .note("a model file has no optimiser state, so the state is 0 here, as at the start of training");
    }
    if optimiser.weight_decay != 0.0 {
        section.note(decay(optimiser));
    }
    match direction(trace, own.weights) {
        Some(direction) => orthogonal(trace, own, direction, &mut section),
        None => weights(trace, own, &mut section),
    }
    if let Some(at) = own.bias {
        bias(trace, own, at, &mut section);
    }
    section
}

fn decay(optimiser: &Optimiser) -> String {
    let decay = optimiser.weight_decay;
    if optimiser.decoupled {
        format!("learning rate × {decay} × weight is subtracted as well; biases do not decay")
    } else {
        format!("weight_delta below is weight_delta + {decay} × weight; biases do not decay")
    }
}

fn weights(trace: &Trace, own: &ShownParameters, section: &mut Section) {
    let words = words(trace.optimiser());
    for StateText { buffer, name, equation } in &words.states {
        section.note(equation);
        let state = trace.state_of_parameter(buffer, own.weights);
        for ShownWeight { input, position } in own.shown.iter().copied() {
            section.value(trace.value(*name, format!("{name} {input}"), state, position).at(input));
        }
    }
    new_weights(trace, own, &words.step, section);
}

fn new_weights(trace: &Trace, own: &ShownParameters, step: &str, section: &mut Section) {
    let rate = trace.settings.learning_rate;
    section.note(format!("new weight = weight − {rate} × {step}, where {rate} is the learning rate"));
    for ShownWeight { input, position } in own.shown.iter().copied() {
        let before = digits(f64::from(trace.before(own.weights)[position]));
        let words = format!("new weight {input}, before {before}");
        section.value(trace.value("new_weight", words, own.weights, position).at(input));
    }
}

/// The view of Muon's direction for a matrix.
///
/// None where another rule updates it.
fn direction(trace: &Trace, weights: View) -> Option<View> {
    let mut dispatches = trace.dispatches().iter();
    let update = dispatches.find(|one| one.kernel.name == table::MUON.name && one.args[1] == weights)?;
    Some(update.args[0])
}

fn orthogonal(trace: &Trace, own: &ShownParameters, direction: View, section: &mut Section) {
    let momentum = trace.optimiser().momentum();
    section.note(moving("mean", momentum, "weight_delta"));
    let state = trace.state_of_parameter("means", own.weights);
    for ShownWeight { input, position } in own.shown.iter().copied() {
        section.value(trace.value("mean", format!("mean {input}"), state, position).at(input));
    }
    section.note(format!(
        "the layer's matrix of {momentum} × mean + (1 − {momentum}) × weight_delta is made orthogonal, \
         so that the step is equally long in all directions: each number of it depends on the whole matrix"
    ));
    for ShownWeight { input, position } in own.shown.iter().copied() {
        section.value(trace.value("direction", format!("direction {input}"), direction, position).at(input));
    }
    new_weights(trace, own, "0.2 × √(the longer side of the matrix) × direction", section);
}

fn bias(trace: &Trace, own: &ShownParameters, bias: View, section: &mut Section) {
    let words = words(trace.optimiser());
    if direction(trace, own.weights).is_some() {
        section.note("the bias is updated as AdamW does it");
    }
    for StateText { buffer, name, .. } in &words.states {
        let state = trace.state_of_parameter(buffer, bias);
        section.value(trace.value(format!("bias_{name}"), format!("{name} of the bias"), state, own.unit));
    }
    let before = digits(f64::from(trace.before(bias)[own.unit]));
    let words = format!("new bias, before {before}");
    section.value(trace.value("new_bias", words, bias, own.unit));
}
