//! A unit of a dense layer: its weighted sum, its delta, and its next weights.

use super::loss;
use super::names::{layer_name, meaning};
use super::page::{LaterLayers, Line, Section, Term, Terms, Value, digits};
use super::trace::Trace;
use super::update::{self, ShownParameters, ShownWeight};
use crate::program::View;

/// The parameters of a unit, or of an output of a convolution.
pub struct Unit {
    pub layer: usize,
    pub unit: usize,
    pub weights: View,
    pub bias: Option<View>,
    pub inputs: usize,
    /// Inputs whose terms are shown: the same ones forwards, backwards and in the update.
    pub shown: Vec<usize>,
}

impl Unit {
    /// The position of an input's weight in the layer's weights, (outputs, inputs).
    pub fn weight(&self, input: usize) -> usize {
        self.unit * self.inputs + input
    }
}

pub fn explain(trace: &mut Trace, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let parameter = |name| trace.parameter(&format!("{layer}.{name}")).expect("dense layers have it");
    let (weights, bias) = (parameter("weight"), parameter("bias"));
    let inputs = trace.shapes[layer].len();
    let mut own = Unit { layer, unit, weights, bias: Some(bias), inputs, shown: Vec::new() };
    let mut sections = vec![forward(trace, &mut own, later.forward)];
    if trace.last_with_weights() == Some(layer) {
        sections.push(loss::section(trace, unit));
    }
    sections.push(backward(trace, &own, later.backward));
    sections.push(update(trace, &own));
    sections
}

fn forward(trace: &Trace, own: &mut Unit, later: Vec<Line>) -> Section {
    let mut section = Section::new("forward", "Forward: what the unit computes");
    let weights = trace.before(own.weights);
    let inputs = trace.numbers(trace.input(own.layer));
    let term = |(index, input): (usize, &f64)| {
        let weight = f64::from(weights[own.weight(index)]);
        let name = format!("input {index}{}", meaning(trace, own.layer, index));
        Term { index, name, numbers: [*input, weight, input * weight] }
    };
    let all: Vec<Term> = inputs.iter().enumerate().map(term).collect();
    let terms = Terms::new("terms", "inputs", ["input", "weight", "product"], all);
    own.shown = terms.rows.iter().map(|term| term.index).collect();
    let sum = terms.sum();
    section.note("weighted sum = all input × weight added up, and the bias");
    section.terms(terms);
    section.value(Value::worked_out("sum_of_products", "all products added up", sum));
    if let Some(bias) = own.bias {
        let bias = f64::from(trace.before(bias)[own.unit]);
        section.value(Value::read("bias", "bias", bias));
    }
    section.value(trace.value("weighted_sum", "weighted sum", trace.output(own.layer), own.unit));
    section.lines.extend(later);
    section
}

fn backward(trace: &mut Trace, own: &Unit, later: Vec<Line>) -> Section {
    let mut section = Section::new("backward", "Backward: how the loss depends on the unit");
    section.note("delta = the gradient of the loss at the weighted sum");
    section.lines.extend(later);
    let output = trace.output(own.layer);
    let gradient = trace.gradient(output).expect("a layer with weights has a gradient");
    let delta = trace.gradient_value("delta", "delta", gradient, output, own.unit);
    section.value(delta);
    section.note("weight_delta = delta × input");
    let inputs = trace.numbers(trace.input(own.layer)).to_vec();
    let gradients = trace.gradient_of_parameter(own.weights);
    for input in own.shown.iter().copied() {
        let words = format!("weight_delta {input} = delta × {}", digits(inputs[input]));
        let at = own.weight(input);
        let value = trace.gradient_value("weight_delta", words, gradients, own.weights, at);
        section.value(value.at(input));
    }
    if let Some(bias) = own.bias {
        let gradient = trace.gradient_of_parameter(bias);
        let words = "bias_delta = delta, as its input is 1";
        let value = trace.gradient_value("bias_delta", words, gradient, bias, own.unit);
        section.value(value);
    }
    section
}

pub fn update(trace: &Trace, own: &Unit) -> Section {
    let shown = own.shown.iter().map(|input| ShownWeight { input: *input, position: own.weight(*input) });
    let shown =
        ShownParameters { weights: own.weights, shown: shown.collect(), bias: own.bias, unit: own.unit };
    update::section(trace, &shown)
}

/// The gradient of an input: Σ over the layer's units of delta × weight.
pub fn origin(trace: &mut Trace, layer: usize, input: usize, section: &mut Section) {
    let weights = trace.parameter(&format!("{layer}.weight")).expect("dense layers have it");
    let inputs = trace.shapes[layer].len();
    let Some(gradient) = trace.gradient(trace.output(layer)) else { return };
    let deltas = trace.numbers(gradient);
    let weights = trace.before(weights);
    let term = |(unit, delta): (usize, &f64)| {
        let weight = f64::from(weights[unit * inputs + input]);
        let name = format!("unit {unit}{}", meaning(trace, layer + 1, unit));
        Term { index: unit, name, numbers: [*delta, weight, delta * weight] }
    };
    let all: Vec<Term> = deltas.iter().enumerate().map(term).collect();
    let key = format!("delta_terms_{layer}");
    let terms = Terms::new(key, "units", ["delta", "weight", "product"], all);
    let sum = terms.sum();
    section.note(format!(
        "every unit of {} reads the value, so its gradient is their delta × weight added up",
        layer_name(trace, layer)
    ));
    section.terms(terms);
    section.value(Value::worked_out(format!("sum_of_delta_terms_{layer}"), "all products added up", sum));
}
