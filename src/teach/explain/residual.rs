//! A value of a residual block: its body's value plus its shortcut's.

use super::frame::Frame;
use super::names::layer_name;
use super::page::{LaterLayers, Section, Value};
use super::trace::Trace;

pub fn explain(trace: &mut Trace, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let (input, output) = (trace.input(layer), trace.output(layer));
    let mut forward = Section::new("forward", "Forward: the body and the shortcut");
    forward.note(
        "y = the body's value + the shortcut's: x itself, or a 1×1 convolution of x where shapes differ",
    );
    let parts = trace.reads(output);
    let number = |at: usize| trace.numbers(parts[at])[unit];
    forward.value(Value::read("body", "the body's value", number(0)));
    forward.value(Value::read("shortcut", "the shortcut's value", number(1)));
    forward.value(trace.value("y", "y", output, unit));
    let backward = Section::new("backward", "Backward: the gradient goes both ways");
    Frame { forward, backward }.sections(trace, layer, unit, later, |trace, backward| {
        if let Some(dy) = trace.gradient(output) {
            let value = trace.gradient_value("dy", "gradient at y", dy, output, unit);
            backward.value(value);
        }
        if let Some(dx) = trace.gradient(input) {
            backward.note(
                "body and shortcut get this gradient unchanged; the gradient at x is the sum of what both return",
            );
            let at = if trace.shapes[layer].len() == trace.shapes[layer + 1].len() { unit } else { 0 };
            let value = trace.gradient_value("dx", format!("gradient at x {at}"), dx, input, at);
            backward.value(value);
        }
    })
}

/// The gradient of a block's input.
pub fn origin(trace: &Trace, layer: usize, section: &mut Section) {
    section.note(format!(
        "{}: the gradient is the sum of what the body and the shortcut return",
        layer_name(trace, layer)
    ));
}
