//! A value of an activation layer: y = f(x), and the slope of f on the way back.

use super::loss;
use super::names::layer_name;
use super::page::{LaterLayers, Section, Value};
use super::trace::Trace;
use crate::kernel::Activation;

/// f as a beginner would write it.
fn formula(kind: Activation) -> String {
    match kind {
        Activation::Identity => "y = x".to_owned(),
        Activation::Relu => "y = x where x is above 0, else 0".to_owned(),
        Activation::LeakyRelu(slope) => format!("y = x where x is above 0, else {slope} × x"),
        Activation::Sigmoid => "y = 1 / (1 + e^−x)".to_owned(),
        Activation::Tanh => "y = (1 − e^−2x) / (1 + e^−2x)".to_owned(),
        Activation::Gelu => "y = x × the probability that a normal number is below x".to_owned(),
        Activation::Silu => "y = x / (1 + e^−x)".to_owned(),
    }
}

/// The derivative of f, told from y where the kernels do so.
fn slope_formula(kind: Activation) -> String {
    match kind {
        Activation::Identity => "slope = 1".to_owned(),
        Activation::Relu => "slope = 1 where y is above 0, else 0".to_owned(),
        Activation::LeakyRelu(slope) => format!("slope = 1 where y is above 0, else {slope}"),
        Activation::Sigmoid => "slope = y × (1 − y)".to_owned(),
        Activation::Tanh => "slope = 1 − y × y".to_owned(),
        Activation::Gelu => "slope = that probability + x × e^(−x²/2) / √(2π)".to_owned(),
        Activation::Silu => "slope = s × (1 + x × (1 − s)) with s = 1 / (1 + e^−x)".to_owned(),
    }
}

pub fn explain(
    trace: &mut Trace,
    kind: Activation,
    layer: usize,
    unit: usize,
    later: LaterLayers,
) -> Vec<Section> {
    let (input, output) = (trace.input(layer), trace.output(layer));
    let mut forward = Section::new("forward", "Forward: what becomes of the value");
    forward.note(formula(kind));
    forward.value(Value::read("x", "x", trace.numbers(input)[unit]));
    forward.value(trace.value("y", "y", output, unit));
    forward.lines.extend(later.forward);
    let mut sections = vec![forward];
    if trace.last_with_weights().is_none_or(|weights| weights <= layer) {
        sections.push(loss::section(trace, unit));
    }
    let mut backward = Section::new("backward", "Backward: how the loss depends on the value");
    let dy = trace.gradient(output);
    if dy.is_some() {
        backward.lines.extend(later.backward);
        origin(trace, kind, layer, unit, &mut backward);
    }
    match (dy, trace.gradient(input)) {
        (Some(_), Some(dx)) => {
            let value = trace.gradient_value("dx", "gradient at x = gradient at y × slope", dx, input, unit);
            backward.value(value);
        }
        _ => backward.note(NOTHING_LEARNS),
    }
    sections.push(backward);
    sections
}

/// Why there is no gradient.
pub const NOTHING_LEARNS: &str =
    "no layer in front of this one has weights, so nobody needs the gradient and none is computed";

pub fn onward(trace: &Trace, kind: Activation, layer: usize, unit: usize, section: &mut Section) {
    section.note(format!("{}: {}", layer_name(trace, layer), formula(kind)));
    section.value(trace.value(format!("activation_{layer}"), "activation", trace.output(layer), unit));
}

/// The gradient at x is the gradient at y times the slope.
pub fn origin(trace: &mut Trace, kind: Activation, layer: usize, unit: usize, section: &mut Section) {
    let output = trace.output(layer);
    let Some(gradient) = trace.gradient(output) else { return };
    let words = format!("gradient at the output of layer {layer}");
    let value = trace.gradient_value(format!("dy_{layer}"), words, gradient, output, unit);
    section.value(value);
    let known = if kind.derivative_is_in_output() { output } else { trace.input(layer) };
    let slope = kind.derivative(trace.numbers(known)[unit]);
    section.note(format!(
        "{}: its gradient times its slope; {}",
        layer_name(trace, layer),
        slope_formula(kind)
    ));
    section.value(Value::worked_out(format!("slope_{layer}"), "slope", slope));
}
