//! A value of a residual block: what its body makes, and what goes past it.

use super::activation::NOTHING_LEARNS;
use super::loss;
use super::names::layer_name;
use super::page::{LaterLayers, Section, Value};
use super::trace::Trace;

pub fn explain(trace: &mut Trace, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let (input, output) = (trace.input(layer), trace.output(layer));
    let mut forward = Section::new("forward", "Forward: what the body makes, and what goes past it");
    forward.note(
        "y = the body's value + what goes past it: x itself, or a 1×1 convolution of x where shapes differ",
    );
    let parts = trace.reads(output);
    let number = |at: usize| trace.numbers(parts[at])[unit];
    forward.value(Value::read("body", "the body's value", number(0)));
    forward.value(Value::read("past", "what goes past it", number(1)));
    forward.value(trace.value("y", "y", output, unit));
    forward.lines.extend(later.forward);
    let mut sections = vec![forward];
    if trace.last_with_weights().is_none_or(|weights| weights <= layer) {
        sections.push(loss::section_of(trace, layer, unit));
    }
    let mut backward = Section::new("backward", "Backward: the gradient goes both ways");
    match trace.gradient(output) {
        Some(dy) => {
            backward.lines.extend(later.backward);
            let value = trace.gradient_value("dy", "gradient at y", dy, output, unit);
            backward.value(value);
        }
        None => backward.note(NOTHING_LEARNS),
    }
    if let Some(dx) = trace.gradient(input) {
        backward.note(
            "it reaches the body and what goes past it as it is; at x, what comes back both ways adds up",
        );
        let at = if trace.shapes[layer].len() == trace.shapes[layer + 1].len() { unit } else { 0 };
        let value = trace.gradient_value("dx", format!("gradient at x {at}"), dx, input, at);
        backward.value(value);
    }
    sections.push(backward);
    sections
}

/// The gradient of a value that a block gets.
pub fn origin(trace: &Trace, layer: usize, section: &mut Section) {
    section.note(format!(
        "{}: the gradient comes back through the body and past it, and adds up",
        layer_name(trace, layer)
    ));
}
