//! A value of a softmax layer: its fraction of the row, and its gradient, which depends on the whole row.

use super::frame::Frame;
use super::names::{layer_name, meaning};
use super::page::{LaterLayers, Section, Term, Terms, Value};
use super::trace::Trace;

pub fn explain(trace: &mut Trace, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let (input, output) = (trace.input(layer), trace.output(layer));
    let mut forward = Section::new("forward", "Forward: the value's fraction of its row");
    exponentials(trace, layer, &mut forward);
    forward.value(Value::read("x", "x", trace.numbers(input)[unit]));
    forward.value(trace.value("y", "y = its exponential / the sum", output, unit));
    let backward = Section::new("backward", "Backward: how the loss depends on the value");
    Frame { forward, backward }.sections(trace, layer, unit, later, |trace, backward| {
        origin(trace, layer, unit, backward);
        if let Some(dx) = trace.gradient(input) {
            let value = trace.gradient_value("dx", "gradient at x", dx, input, unit);
            backward.value(value);
        }
    })
}

/// The exponentials of a row and their sum.
fn exponentials(trace: &Trace, layer: usize, section: &mut Section) {
    let x = trace.numbers(trace.input(layer));
    let maximum = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let term = |(index, x): (usize, &f64)| {
        let name = format!("unit {index}{}", meaning(trace, layer + 1, index));
        Term { index, name, numbers: [*x, x - maximum, (x - maximum).exp()] }
    };
    let all: Vec<Term> = x.iter().enumerate().map(term).collect();
    let terms = Terms::new("row", "units", ["x", "x − maximum", "exponential"], all);
    let sum = terms.sum();
    section.note(
        "exponential = e^(x − maximum); subtracting the row's maximum changes no fraction and keeps \
         large numbers from overflowing",
    );
    section.value(Value::worked_out("maximum", "maximum of the row", maximum));
    section.terms(terms);
    section.value(Value::worked_out("sum", "sum of the exponentials", sum));
}

pub fn onward(trace: &Trace, layer: usize, unit: usize, section: &mut Section) {
    section.note(format!("{}: its exponential, divided by those of all units", layer_name(trace, layer)));
    section.value(trace.value(format!("activation_{layer}"), "activation", trace.output(layer), unit));
}

/// dx = y · (dy - Σ dy·y)
pub fn origin(trace: &mut Trace, layer: usize, unit: usize, section: &mut Section) {
    let output = trace.output(layer);
    let Some(gradient) = trace.gradient(output) else { return };
    let (y, dy) = (trace.numbers(output), trace.numbers(gradient));
    let term = |(index, (y, dy)): (usize, (&f64, &f64))| {
        let name = format!("unit {index}{}", meaning(trace, layer + 1, index));
        Term { index, name, numbers: [*y, *dy, y * dy] }
    };
    let own = y[unit];
    let all: Vec<Term> = y.iter().zip(dy).enumerate().map(term).collect();
    let key = format!("softmax_terms_{layer}");
    let terms = Terms::new(key, "units", ["y", "gradient at y", "product"], all);
    let sum = terms.sum();
    let words = format!("gradient at the output of layer {layer}");
    let value = trace.gradient_value(format!("dy_{layer}"), words, gradient, output, unit);
    section.value(value);
    section.note(format!(
        "{}: a larger fraction leaves less for the others, so the gradient at x is \
         y × (gradient at y − the sum of all y × gradient at y)",
        layer_name(trace, layer)
    ));
    section.terms(terms);
    section.value(Value::worked_out(format!("sum_of_softmax_terms_{layer}"), "all products added up", sum));
    section.value(Value::read(format!("y_{layer}"), "y of this unit", own));
}
