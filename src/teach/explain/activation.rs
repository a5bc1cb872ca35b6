//! A value of an activation layer: y = f(x), and the derivative of f on the way back.

use super::frame::Frame;
use super::names::layer_name;
use super::page::{LaterLayers, Section, Value};
use super::trace::Trace;
use crate::kernel::Activation;

/// f as a beginner would write it.
fn formula(kind: Activation) -> String {
    match kind {
        Activation::Identity => "y = x".to_owned(),
        Activation::Relu => "y = x where x is above 0, else 0".to_owned(),
        Activation::LeakyRelu(leak) => format!("y = x where x is above 0, else {leak} × x"),
        Activation::Sigmoid => "y = 1 / (1 + e^−x)".to_owned(),
        Activation::Tanh => "y = (1 − e^−2x) / (1 + e^−2x)".to_owned(),
        Activation::Gelu => "y = x × the probability that a normal number is below x".to_owned(),
        Activation::Silu => "y = x / (1 + e^−x)".to_owned(),
    }
}

/// The derivative of f, from y where the kernels compute it from y.
fn derivative_formula(kind: Activation) -> String {
    match kind {
        Activation::Identity => "derivative = 1".to_owned(),
        Activation::Relu => "derivative = 1 where y is above 0, else 0".to_owned(),
        Activation::LeakyRelu(leak) => format!("derivative = 1 where y is above 0, else {leak}"),
        Activation::Sigmoid => "derivative = y × (1 − y)".to_owned(),
        Activation::Tanh => "derivative = 1 − y × y".to_owned(),
        Activation::Gelu => "derivative = that probability + x × e^(−x²/2) / √(2π)".to_owned(),
        Activation::Silu => "derivative = s × (1 + x × (1 − s)) with s = 1 / (1 + e^−x)".to_owned(),
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
    let backward = Section::new("backward", "Backward: how the loss depends on the value");
    Frame { forward, backward }.sections(trace, layer, unit, later, |trace, backward| {
        origin(trace, kind, layer, unit, backward);
        if let Some(dx) = trace.gradient(input) {
            let words = "gradient at x = gradient at y × derivative";
            let value = trace.gradient_value("dx", words, dx, input, unit);
            backward.value(value);
        }
    })
}

pub fn onward(trace: &Trace, kind: Activation, layer: usize, unit: usize, section: &mut Section) {
    section.note(format!("{}: {}", layer_name(trace, layer), formula(kind)));
    section.value(trace.value(format!("activation_{layer}"), "activation", trace.output(layer), unit));
}

/// The gradient at x is the gradient at y times the derivative.
pub fn origin(trace: &mut Trace, kind: Activation, layer: usize, unit: usize, section: &mut Section) {
    let output = trace.output(layer);
    let Some(gradient) = trace.gradient(output) else { return };
    let words = format!("gradient at the output of layer {layer}");
    let value = trace.gradient_value(format!("dy_{layer}"), words, gradient, output, unit);
    section.value(value);
    let known = if kind.derivative_is_in_output() { output } else { trace.input(layer) };
    let derivative = kind.derivative(trace.numbers(known)[unit]);
    section.note(format!(
        "{}: its gradient times its derivative; {}",
        layer_name(trace, layer),
        derivative_formula(kind)
    ));
    section.value(Value::worked_out(format!("derivative_{layer}"), "derivative", derivative));
}
