//! A pixel of a convolution: its window, its delta, and the next weights of its kernel.

use super::dense::{Unit, update};
use super::loss;
use super::names::{layer_name, meaning};
use super::page::{LaterLayers, Line, Section, Term, Terms, Value, digits};
use super::trace::Trace;
use crate::kernel::Geometry;
use crate::network::layers::Layer;
use crate::network::layers::conv::Conv;

/// The coordinates of a unit: sample 0, channel, row, column.
fn coordinates(height: usize, width: usize, unit: usize) -> [usize; 4] {
    [0, unit / width / height, unit / width % height, unit % width]
}

fn geometry(trace: &Trace, conv: Conv, layer: usize) -> Geometry {
    conv.geometry(1, trace.shapes[layer]).expect("the network's shapes were checked")
}

pub fn explain(trace: &mut Trace, conv: Conv, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let sizes = geometry(trace, conv, layer);
    let at = coordinates(sizes.rows.out, sizes.columns.out, unit);
    let mut own = Unit {
        layer,
        unit: at[1],
        weights: trace.parameter(&format!("{layer}.weight")).expect("convolutions have it"),
        bias: trace.parameter(&format!("{layer}.bias")),
        inputs: sizes.seen() * sizes.taps(),
        shown: Vec::new(),
    };
    let mut sections = vec![forward(trace, &sizes, at, unit, &mut own, later.forward)];
    if trace.last_with_weights() == Some(layer) {
        sections.push(loss::section_of(trace, layer, unit));
    }
    sections.push(backward(trace, &own, unit, later.backward));
    sections.push(update(trace, &own));
    sections
}

fn forward(
    trace: &Trace,
    sizes: &Geometry,
    at: [usize; 4],
    unit: usize,
    own: &mut Unit,
    later: Vec<Line>,
) -> Section {
    let mut section = Section::new("forward", "Forward: the weighted sum of the pixel's window");
    let weights = trace.before(own.weights);
    let inputs = trace.numbers(trace.input(own.layer));
    let mut all = Vec::new();
    sizes.forward(at, |input, weight| {
        let name = format!("input {input}{}", meaning(trace, own.layer, input));
        let factor = f64::from(weights[weight]);
        // Numbered by the weight within its kernel, as every window uses the same weights.
        let index = weight - own.weight(0);
        all.push(Term { index, name, numbers: [inputs[input], factor, inputs[input] * factor] });
    });
    let padding = own.inputs - all.len();
    let terms = Terms::new("terms", "pixels", ["input", "weight", "product"], all);
    own.shown = terms.rows.iter().map(|term| term.index).collect();
    let sum = terms.sum();
    section.note("weighted sum = all input × weight of the window added up, and the bias");
    if padding > 0 {
        section.note(format!("{padding} weights of the window lie on the padding, which is 0"));
    }
    section.terms(terms);
    section.value(Value::worked_out("sum_of_products", "all products added up", sum));
    if let Some(bias) = own.bias {
        let bias = f64::from(trace.before(bias)[own.unit]);
        section.value(Value::read("bias", "bias", bias));
    }
    section.value(trace.value("weighted_sum", "weighted sum", trace.output(own.layer), unit));
    section.lines.extend(later);
    section
}

fn backward(trace: &mut Trace, own: &Unit, unit: usize, later: Vec<Line>) -> Section {
    let mut section = Section::new("backward", "Backward: how the loss depends on the pixel and its kernel");
    section.note("delta = the gradient of the loss at the weighted sum");
    section.lines.extend(later);
    let output = trace.output(own.layer);
    let gradient = trace.gradient(output).expect("a layer with weights has a gradient");
    let delta = trace.gradient_value("delta", "delta", gradient, output, unit);
    section.value(delta);
    section.note(
        "every window of an output uses the same weights, so a weight_delta is delta × input added up over all \
         of them",
    );
    weight_delta_terms(trace, own, &mut section);
    let gradients = trace.gradient_of_parameter(own.weights);
    for input in own.shown.iter().copied() {
        let weight = f64::from(trace.before(own.weights)[own.weight(input)]);
        let words = format!("weight_delta {input}, of the weight {}", digits(weight));
        let value = trace.gradient_value("weight_delta", words, gradients, own.weights, own.weight(input));
        section.value(value.at(input));
    }
    if let Some(bias) = own.bias {
        let gradient = trace.gradient_of_parameter(bias);
        let words = "bias_delta = the delta of all windows added up";
        let value = trace.gradient_value("bias_delta", words, gradient, bias, own.unit);
        section.value(value);
    }
    section
}

/// The terms of the largest weight_delta shown: delta × input over the windows of its output.
fn weight_delta_terms(trace: &Trace, own: &Unit, section: &mut Section) {
    let Layer::Conv(conv) = trace.model.network.layers[own.layer] else { return };
    let sizes = geometry(trace, conv, own.layer);
    let Some(gradient) = trace.gradient(trace.output(own.layer)) else { return };
    let (deltas, inputs) = (trace.numbers(gradient), trace.numbers(trace.input(own.layer)));
    let gradients = trace.numbers(trace.gradient_of_parameter(own.weights));
    let size = |input: &&usize| gradients[own.weight(**input)].abs();
    let Some(&shown) = own.shown.iter().max_by(|a, b| size(a).total_cmp(&size(b))) else { return };
    let mut all = Vec::new();
    for pixel in 0..sizes.rows.out * sizes.columns.out {
        let window = own.unit * sizes.rows.out * sizes.columns.out + pixel;
        let at = coordinates(sizes.rows.out, sizes.columns.out, window);
        sizes.forward(at, |input, weight| {
            if weight == own.weight(shown) {
                let name = format!("window {window}{}", meaning(trace, own.layer + 1, window));
                let (delta, input) = (deltas[window], inputs[input]);
                all.push(Term { index: window, name, numbers: [delta, input, delta * input] });
            }
        });
    }
    section.note(format!("so weight_delta {shown}, the largest of those shown, adds up"));
    let key = "weight_delta_terms";
    let terms = Terms::new(key, "windows", ["delta", "input", "product"], all);
    let sum = terms.sum();
    section.terms(terms);
    section.value(Value::worked_out(format!("sum_of_{key}"), "all products added up", sum));
}

/// The gradient of an input: Σ over its windows of delta × weight.
pub fn origin(trace: &mut Trace, conv: Conv, layer: usize, input: usize, section: &mut Section) {
    let sizes = geometry(trace, conv, layer);
    let weights = trace.parameter(&format!("{layer}.weight")).expect("convolutions have it");
    let Some(gradient) = trace.gradient(trace.output(layer)) else { return };
    let (deltas, weights) = (trace.numbers(gradient), trace.before(weights));
    let mut all = Vec::new();
    sizes.backward(coordinates(sizes.rows.size, sizes.columns.size, input), |window, weight| {
        let name = format!("window {window}{}", meaning(trace, layer + 1, window));
        let (delta, factor) = (deltas[window], f64::from(weights[weight]));
        all.push(Term { index: window, name, numbers: [delta, factor, delta * factor] });
    });
    let key = format!("delta_terms_{layer}");
    let terms = Terms::new(key, "windows", ["delta", "weight", "product"], all);
    let sum = terms.sum();
    section.note(format!(
        "the value is in several windows of {}, so its gradient is their delta × weight added up",
        layer_name(trace, layer)
    ));
    section.terms(terms);
    section.value(Value::worked_out(format!("sum_of_delta_terms_{layer}"), "all products added up", sum));
}
