//! A value of a normalisation: its distance from the mean in standard deviations.

use super::dense::{Unit, update};
use super::loss;
use super::names::layer_name;
use super::page::{LaterLayers, Line, Section, Value};
use super::trace::Trace;
use crate::network::layers::norm::{Norm, Over};

/// The numbers that normalise a value.
struct NormParameters {
    mean: f64,
    variance: f64,
    weight: f64,
    bias: f64,
    /// The index of weight and bias.
    at: usize,
}

fn own(trace: &Trace, norm: Norm, layer: usize, unit: usize) -> NormParameters {
    let parameter = |name: &str, at: usize| {
        let view = trace.parameter(&format!("{layer}.{name}")).expect("normalisations have it");
        f64::from(trace.before(view)[at])
    };
    let dims = trace.shapes[layer];
    let (at, mean, variance) = match norm.over {
        Over::Batch { .. } => {
            let channel = unit / (dims.height * dims.width);
            (channel, parameter("running_mean", channel), parameter("running_var", channel))
        }
        Over::Sample => {
            let x = trace.numbers(trace.input(layer));
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            (unit, mean, x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64)
        }
    };
    NormParameters { mean, variance, weight: parameter("weight", at), bias: parameter("bias", at), at }
}

impl NormParameters {
    /// The derivative of y by x where mean and variance are fixed.
    fn derivative(&self, norm: Norm) -> f64 {
        self.weight / (self.variance + f64::from(norm.epsilon)).sqrt()
    }
}

fn formula(norm: Norm) -> String {
    let whose = match norm.over {
        Over::Batch { .. } => "of the channel, the running ones of training",
        Over::Sample => "of the sample",
    };
    format!("y = (x − mean) / √(variance + {}) × weight + bias, with mean and variance {whose}", norm.epsilon)
}

pub fn explain(trace: &mut Trace, norm: Norm, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let own = own(trace, norm, layer, unit);
    let (input, output) = (trace.input(layer), trace.output(layer));
    let mut forward = Section::new("forward", "Forward: how far the value is from the mean");
    forward.note(formula(norm));
    if norm.over != Over::Sample {
        forward.note(
            "a step of training takes mean and variance over its batch; one sample has no such mean, so this \
             step uses the running ones, as prediction does",
        );
    }
    for (key, value) in [
        ("x", trace.numbers(input)[unit]),
        ("mean", own.mean),
        ("variance", own.variance),
        ("weight", own.weight),
        ("bias", own.bias),
    ] {
        forward.value(Value::read(key, key, value));
    }
    forward.value(trace.value("y", "y", output, unit));
    forward.lines.extend(later.forward);
    let mut sections = vec![forward];
    if trace.last_with_weights().is_none_or(|weights| weights <= layer) {
        sections.push(loss::section_of(trace, layer, unit));
    }
    sections.push(backward(trace, norm, layer, unit, own.at, later.backward));
    let parameter = |name: &str| trace.parameter(&format!("{layer}.{name}"));
    let weights = parameter("weight").expect("normalisations have it");
    let unit = Unit { layer, unit: own.at, weights, bias: parameter("bias"), inputs: 1, shown: vec![0] };
    sections.push(update(trace, &unit));
    sections
}

fn backward(
    trace: &mut Trace,
    norm: Norm,
    layer: usize,
    unit: usize,
    own: usize,
    later: Vec<Line>,
) -> Section {
    let mut section = Section::new("backward", "Backward: how the loss depends on the value and its weight");
    section.lines.extend(later);
    origin(trace, norm, layer, unit, &mut section);
    let input = trace.input(layer);
    if let Some(dx) = trace.gradient(input) {
        let value = trace.gradient_value("dx", "gradient at x", dx, input, unit);
        section.value(value);
    }
    for (name, words) in [("weight", "weight_delta, over all values of the weight"), ("bias", "bias_delta")] {
        let view = trace.parameter(&format!("{layer}.{name}")).expect("normalisations have it");
        let gradient = trace.gradient_of_parameter(view);
        let value = trace.gradient_value(format!("{name}_delta"), words, gradient, view, own);
        section.value(value);
    }
    section
}

pub fn onward(trace: &Trace, norm: Norm, layer: usize, unit: usize, section: &mut Section) {
    section.note(format!("{}: {}", layer_name(trace, layer), formula(norm)));
    section.value(trace.value(format!("activation_{layer}"), "normalised", trace.output(layer), unit));
}

/// The gradient at x follows from that at y.
pub fn origin(trace: &mut Trace, norm: Norm, layer: usize, unit: usize, section: &mut Section) {
    let output = trace.output(layer);
    let Some(gradient) = trace.gradient(output) else { return };
    let words = format!("gradient at the output of layer {layer}");
    let value = trace.gradient_value(format!("dy_{layer}"), words, gradient, output, unit);
    section.value(value);
    let named = layer_name(trace, layer);
    match norm.over {
        Over::Batch { .. } => {
            let derivative = own(trace, norm, layer, unit).derivative(norm);
            section.note(format!("{named}: its gradient times weight / √(variance + {})", norm.epsilon));
            if trace.gradient(trace.input(layer)).is_some() {
                section.value(Value::worked_out(format!("derivative_{layer}"), "derivative", derivative));
            }
        }
        Over::Sample => section.note(format!(
            "{named}: mean and variance depend on every value, so its gradient is gradient × weight, less the mean \
             of those and less the part that is proportional to the normalised x, divided by √(variance + {})",
            norm.epsilon
        )),
    }
}
