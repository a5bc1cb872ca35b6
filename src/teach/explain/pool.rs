//! A value of a pooling: what its window keeps, and where the gradient goes.

use super::activation::NOTHING_LEARNS;
use super::loss;
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
    sizes.places_of(unit).into_iter().map(|place| plane + place).collect()
}

/// How much of a window's value comes from one of its inputs: all or nothing
/// for the maximum, of which the first of equals counts; an equal share for the mean.
fn share(pool: Pool, sizes: &Pooling, inputs: &[f64], window: &[usize], input: usize) -> f64 {
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
    let places = window(&sizes, unit);
    let (input, output) = (trace.input(layer), trace.output(layer));
    let inputs = trace.numbers(input).to_vec();
    let shares: Vec<f64> = places.iter().map(|at| share(pool, &sizes, &inputs, &places, *at)).collect();
    let mut forward = Section::new("forward", "Forward: what the window keeps");
    forward.note(match pool.reduction {
        Reduction::Maximum => "y = the largest value of the window: its share is 1, that of the others 0",
        Reduction::Mean => "y = the mean of the window: every value has the same share; padding counts as 0",
    });
    let term = |(at, share): (&usize, &f64)| {
        let name = format!("x {at}{}", meaning(trace, layer, *at));
        Term { index: *at, name, numbers: [inputs[*at], *share, inputs[*at] * share] }
    };
    let all: Vec<Term> = places.iter().zip(&shares).map(term).collect();
    let terms = Terms::new("terms", "values", ["x", "share", "product"], all);
    let sum = terms.sum();
    forward.terms(terms);
    forward.value(Value::worked_out("sum_of_products", "all products added up", sum));
    forward.value(trace.value("y", "y", output, unit));
    forward.lines.extend(later.forward);
    let mut sections = vec![forward];
    if trace.last_with_weights().is_none_or(|weights| weights <= layer) {
        sections.push(loss::section_of(trace, layer, unit));
    }
    let mut backward = Section::new("backward", "Backward: where the gradient of the window goes");
    match (trace.gradient(output), trace.gradient(input)) {
        (Some(dy), Some(dx)) => {
            backward.lines.extend(later.backward);
            let value = trace.gradient_value("dy", "gradient at y", dy, output, unit);
            backward.value(value);
            let kept = places.iter().zip(&shares).find(|(_, share)| **share > 0.0);
            let at = *kept.expect("a window keeps something").0;
            let words = format!("gradient at x {at} = share × gradient at y, over all windows it is in");
            let value = trace.gradient_value("dx", words, dx, input, at);
            backward.value(value);
        }
        _ => backward.note(NOTHING_LEARNS),
    }
    sections.push(backward);
    sections
}

/// The gradient of an input: Σ over the windows that it is in of its share × their gradient.
pub fn origin(trace: &mut Trace, pool: Pool, layer: usize, input: usize, section: &mut Section) {
    let sizes = pooling(trace, pool, layer);
    let Some(gradient) = trace.gradient(trace.output(layer)) else { return };
    let (inputs, gradients) = (trace.numbers(trace.input(layer)), trace.numbers(gradient));
    let windows = (0..sizes.output()).map(|unit| (unit, window(&sizes, unit)));
    let over = windows.filter(|(_, places)| places.contains(&input));
    let term = |(unit, places): (usize, Vec<usize>)| {
        let name = format!("window {unit}{}", meaning(trace, layer + 1, unit));
        let share = share(pool, &sizes, inputs, &places, input);
        Term { index: unit, name, numbers: [share, gradients[unit], share * gradients[unit]] }
    };
    let all: Vec<Term> = over.map(term).collect();
    let key = format!("window_terms_{layer}");
    let terms = Terms::new(key, "windows", ["share", "gradient at y", "product"], all);
    let sum = terms.sum();
    section.note(format!(
        "{}: the value has a share in its windows, and the gradient at it is all share × gradient added up",
        layer_name(trace, layer)
    ));
    section.terms(terms);
    section.value(Value::worked_out(format!("sum_of_window_terms_{layer}"), "all products added up", sum));
}
