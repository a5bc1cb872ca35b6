//! A value of a pooling layer: the maximum or mean of its window, and where the gradient goes.

use super::frame::Frame;
use super::names::{layer_name, meaning};
use super::page::{LaterLayers, Section, Term, Terms, Value};
use super::trace::Trace;
use crate::cpu::pool::Pooling;
use crate::network::layers::pool::{Pool, Reduction};

fn pooling(trace: &Trace, pool: Pool, layer: usize) -> Pooling {
    pool.pooling(1, trace.shapes[layer]).expect("the network's shapes were checked")
}

/// The input values in the window of a unit.
fn window(sizes: &Pooling, unit: usize) -> Vec<usize> {
    let plane = unit / (sizes.rows.out * sizes.columns.out) * sizes.rows.size * sizes.columns.size;
    sizes.places_of(unit).into_iter().map(|offset| plane + offset).collect()
}

/// The fraction of a window's value that comes from one of its inputs.
///
/// For the maximum it is 1 or 0, and the first of equal inputs gets the 1. For the mean it is one over the window's size.
fn fraction(pool: Pool, sizes: &Pooling, inputs: &[f64], window: &[usize], input: usize) -> f64 {
    match pool.reduction {
        Reduction::Mean => 1.0 / sizes.area() as f64,
        Reduction::Maximum => {
            let first = |best: usize, at: &usize| if inputs[*at] > inputs[best] { *at } else { best };
            f64::from(u8::from(window.iter().fold(window[0], first) == input))
        }
    }
}

pub fn explain(trace: &mut Trace, pool: Pool, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let sizes = pooling(trace, pool, layer);
    let in_window = window(&sizes, unit);
    let (input, output) = (trace.input(layer), trace.output(layer));
    let inputs = trace.numbers(input).to_vec();
    let fractions: Vec<f64> =
        in_window.iter().map(|at| fraction(pool, &sizes, &inputs, &in_window, *at)).collect();
    let mut forward = Section::new("forward", "Forward: one value for the window");
    forward.note(match pool.reduction {
        Reduction::Maximum => "y = the largest value of the window: its fraction is 1, that of the others 0",
        Reduction::Mean => {
            "y = the mean of the window: every value has the same fraction; padding counts as 0"
        }
    });
    let term = |(at, fraction): (&usize, &f64)| {
        let name = format!("x {at}{}", meaning(trace, layer, *at));
        Term { index: *at, name, numbers: [inputs[*at], *fraction, inputs[*at] * fraction] }
    };
    let all: Vec<Term> = in_window.iter().zip(&fractions).map(term).collect();
    let terms = Terms::new("terms", "values", ["x", "fraction", "product"], all);
    let sum = terms.sum();
    forward.terms(terms);
    forward.value(Value::worked_out("sum_of_products", "all products added up", sum));
    forward.value(trace.value("y", "y", output, unit));
    let backward = Section::new("backward", "Backward: where the gradient of the window goes");
    Frame { forward, backward }.sections(trace, layer, unit, later, |trace, backward| {
        if let (Some(dy), Some(dx)) = (trace.gradient(output), trace.gradient(input)) {
            let value = trace.gradient_value("dy", "gradient at y", dy, output, unit);
            backward.value(value);
            let used = in_window.iter().zip(&fractions).find(|(_, fraction)| **fraction > 0.0);
            let at = *used.expect("a window uses one of its inputs").0;
            let words = format!("gradient at x {at} = fraction × gradient at y, over all its windows");
            let value = trace.gradient_value("dx", words, dx, input, at);
            backward.value(value);
        }
    })
}

/// The gradient of an input: Σ over its windows of its fraction × their gradient.
pub fn origin(trace: &mut Trace, pool: Pool, layer: usize, input: usize, section: &mut Section) {
    let sizes = pooling(trace, pool, layer);
    let Some(gradient) = trace.gradient(trace.output(layer)) else { return };
    let (inputs, gradients) = (trace.numbers(trace.input(layer)), trace.numbers(gradient));
    let windows = (0..sizes.output()).map(|unit| (unit, window(&sizes, unit)));
    let over = windows.filter(|(_, inside)| inside.contains(&input));
    let term = |(unit, inside): (usize, Vec<usize>)| {
        let name = format!("window {unit}{}", meaning(trace, layer + 1, unit));
        let fraction = fraction(pool, &sizes, inputs, &inside, input);
        Term { index: unit, name, numbers: [fraction, gradients[unit], fraction * gradients[unit]] }
    };
    let all: Vec<Term> = over.map(term).collect();
    let key = format!("window_terms_{layer}");
    let terms = Terms::new(key, "windows", ["fraction", "gradient at y", "product"], all);
    let sum = terms.sum();
    section.note(format!(
        "{}: the gradient at the value is fraction × gradient at y, added up over its windows",
        layer_name(trace, layer)
    ));
    section.terms(terms);
    section.value(Value::worked_out(format!("sum_of_window_terms_{layer}"), "all products added up", sum));
}
